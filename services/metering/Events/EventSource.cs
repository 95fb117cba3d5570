namespace StripeMeter.Metering.Events;

/// <summary>Where an event came from. Not part of its identity.</summary>
public enum EventSource
{
    Http = 1,
    Sdk = 2,
    Etl = 3,
    Import = 4,
    System = 5,
}
