using System.Text.Json;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Storage.Documents;

/// <summary>What control records say, as JSON. They are few, so both engines keep them so.</summary>
internal static class ControlJson
{
    public static string Write(ControlBody control) => JsonSerializer.Serialize(new Stored(
        control.Subject, control.Metric, control.Customer, control.Quantity.ToString(), control.At.Ticks, control.Anchor?.Day,
        control.Anchor?.Minute, control.ClosedBefore.Ticks, control.Actor, control.Note));

    public static ControlBody Read(string text)
    {
        var stored = JsonSerializer.Deserialize<Stored>(text) ?? throw new InvalidDataException("A stored control record is empty.");
        return new ControlBody
        {
            Subject = stored.Subject, Metric = stored.Metric, Customer = stored.Customer, Quantity = Quantity.Parse(stored.Quantity),
            At = new Instant(stored.At), ClosedBefore = new Instant(stored.ClosedBefore), Actor = stored.Actor, Note = stored.Note ?? "",
            Anchor = stored is { AnchorDay: { } day, AnchorMinute: { } minute } ? new PeriodAnchor(day, minute) : null,
        };
    }

    private sealed record Stored(
        string Subject, string Metric, string Customer, string Quantity, long At, int? AnchorDay, int? AnchorMinute,
        long ClosedBefore, string Actor, string? Note);
}
