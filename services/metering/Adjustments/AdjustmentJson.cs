using System.Text.Json;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Adjustments;

/// <summary>Manual adjustments as their documents.</summary>
internal static class AdjustmentJson
{
    public static string Write(Adjustment adjustment) => JsonSerializer.Serialize(new Stored(
        adjustment.Id, adjustment.Metric, adjustment.Customer, adjustment.At.Ticks, adjustment.Delta.ToString(), adjustment.Reason,
        adjustment.Actor, adjustment.Created.Ticks, adjustment.RequestId, adjustment.Note));

    public static Adjustment Read(string body)
    {
        var stored = JsonSerializer.Deserialize<Stored>(body) ?? throw new FormatException("A stored adjustment is empty.");
        return new Adjustment
        {
            Id = stored.Id, Metric = stored.Metric, Customer = stored.Customer, At = new Instant(stored.At),
            Delta = Quantity.Parse(stored.Delta), Reason = stored.Reason, Actor = stored.Actor, Created = new Instant(stored.Created),
            RequestId = stored.RequestId, Note = stored.Note,
        };
    }

    private sealed record Stored(
        string Id, string Metric, string Customer, long At, string Delta, AdjustmentReason Reason, string Actor, long Created,
        string RequestId, string Note);
}
