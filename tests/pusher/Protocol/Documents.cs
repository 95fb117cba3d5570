using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Pusher.Tests.Protocol;

/// <summary>Takes a document from step to step, as a pusher would.</summary>
internal sealed class Documents(PushProtocol protocol)
{
    public static readonly BillingPeriod March = new(Instant.OfDate(2026, 3, 1), Instant.OfDate(2026, 4, 1));
    public static readonly BillingPeriod April = new(March.End, Instant.OfDate(2026, 5, 1));
    public static readonly Instant Noon = Instant.OfDate(2026, 3, 14) + TimeSpan.FromHours(12);
    public static readonly MeterNames Meter = new("api_calls", "stripe_customer_id", "value");

    public static DeltaDocument Empty { get; } = new() { Key = new DeltaKey("acct_1", false, "mtr_1", "cus_1"), Meter = Meter };

    public static Contribution Counted(long value, long version = 1, Instant? newest = null) =>
        new("api_calls", "ref", Quantity.FromInteger(value), new CounterVersion(0, version), "log", newest ?? Noon);

    public DeltaDocument Raised(long value, BillingPeriod? period = null, Instant? now = null, DeltaDocument? document = null, long version = 1)
    {
        var (billed, present) = (period ?? March, now ?? Noon);
        return protocol.Raise(
            document ?? Empty, billed, Counted(value, version, Instant.Min(present, billed.End - TimeSpan.FromSeconds(1))), Meter, March.Start, present);
    }

    public DeltaDocument Attempted(DeltaDocument document, Instant now) =>
        Assert.IsType<PushStep.Attempt>(protocol.Next(document, now, (UInt128)now.Ticks)).Document;

    public DeltaDocument Applied(DeltaDocument document, AttemptResult result, Instant now, string message = "") =>
        protocol.Apply(document, document.Open!, new AttemptOutcome(result, message), now);

    /// <summary>Sends it and closes it.</summary>
    public DeltaDocument Told(DeltaDocument document, Instant now, AttemptResult result = AttemptResult.Accepted) =>
        Closed(Applied(Attempted(document, now), result, now), now).Document;

    public PushStep.Close Closed(DeltaDocument document, Instant now) => Assert.IsType<PushStep.Close>(protocol.Next(document, now, 1));

    public PushIntent Sought(DeltaDocument document, Instant now) => Assert.IsType<PushStep.Read>(protocol.Next(document, now, 1)).Intent;

    public DeltaDocument Read(DeltaDocument document, Instant now, long? reading) => protocol.EnterReading(
        document, Sought(document, now), reading is { } held ? Quantity.FromInteger(held) : null, now);
}
