namespace StripeMeter.Metering.DeadLetters;

/// <summary>How the content of a dead letter is written. The numbers are on disk.</summary>
public enum DeadLetterFormat
{
    /// <summary>JSON text: an event, or a CloudEvent around one.</summary>
    Json = 1,

    /// <summary>A <c>UsageEvent</c> of the protocol, as base64.</summary>
    Protobuf = 2,

    /// <summary>The beginning of a message that cannot be read as events at all.</summary>
    Unreadable = 3,
}

/// <summary>A published event that was not taken, because it breaks a rule or cannot be read.</summary>
/// <param name="Id">Names the letter within its tenant; ids rise with time.</param>
/// <param name="Format">How the content is written.</param>
/// <param name="Content">The event as it was published.</param>
/// <param name="Field">Name of the field that is wrong, as in the protocol.</param>
/// <param name="Reason">Why, as a sentence without its subject.</param>
/// <param name="SeenTicks">When it was refused, in units of 100 ns since 1970-01-01T00:00:00Z.</param>
public sealed record DeadLetter(string Id, DeadLetterFormat Format, string Content, string Field, string Reason, long SeenTicks);
