using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;
using Xunit;

namespace StripeMeter.Kits.Storage;

/// <summary>Delta documents to store, and how two of them are compared.</summary>
internal static class DeltaSample
{
    public static readonly MeterNames Meter = new("api_calls", "stripe_customer_id", "value");

    public static DeltaKey Key(string customer = "cus_1", string meter = "mtr_1", string account = "acct_1", bool livemode = false) =>
        new(account, livemode, meter, customer);

    public static DeltaDocument Document(DeltaKey? key = null, long revision = 0, Instant? due = null) =>
        new() { Key = key ?? Key(), Meter = Meter, Revision = revision, Due = due };

    public static DeltaDocument Fed(DeltaKey key, params (string Metric, string Customer)[] counters) =>
        Document(key).With(new PeriodDelta
        {
            Period = Sample.Month(3), Contributions = [.. counters.Select(counter => Contribution(counter.Metric, counter.Customer))],
        });

    public static Contribution Contribution(string metric = "api_calls", string customer = "ref", long value = 1) =>
        new(metric, customer, Quantity.FromInteger(value), new CounterVersion(0, value), "log", Sample.Noon);

    public static PushIntent Intent(string identifier = "sm_1", long number = 1, IntentState state = IntentState.Accepted) => new()
    {
        Identifier = identifier, Number = number, Meter = Meter, Period = Sample.Month(3),
        Value = Quantity.FromInteger(number), Minute = Sample.Noon, Created = Sample.Noon, State = state,
    };

    /// <summary>A document with something in every member.</summary>
    public static DeltaDocument Full(DeltaKey key) => new DeltaDocument
    {
        Key = key, Meter = new MeterNames("a.b", "$customer", "😀") { Sink = SinkKind.RunningTotal }, Minted = 7, LastMinted = Sample.Noon, IsSplit = true,
        Rejections = 2, CutFrom = Sample.Noon, RejectedAt = Sample.Noon, Closings = 4, HeldUntil = new Instant(Sample.Noon.Ticks + 1), ParkedSince = Instant.Maximum, Problem = "it's \"no\"",
        Due = Instant.Minimum, BehindSince = Sample.Noon,
        Used = UsedMinutes.None.With(Sample.Noon).With(Sample.Noon + TimeSpan.FromMinutes(1)).With(Sample.Noon - TimeSpan.FromDays(30)),
        Open = Intent(state: IntentState.Ambiguous) with
        {
            Value = Quantity.Parse("-0.000000000001"), Attempts = 3, IsDoubtful = true, FirstSent = Sample.Noon,
            NextAttempt = Instant.Maximum, KeyNumber = 2, LastError = "timeout", IsDuplicate = true, Report = "no customer",
            Basis = new TargetBasis([new ToldCounter("日本", " ", "log", new CounterVersion(5, 6))]), Readings = 3, Total = Quantity.One, Held = Quantity.One, CarriedTo = Sample.Noon, Closing = 4,
        },
        Checking = [Intent("sm_2", 2), Intent("sm_3", 3, IntentState.Missing)],
        Awaited = [new AwaitedInvoice(Sample.Noon, new InvoiceEnd("in_2", Sample.Noon, Sample.Noon))],
    }
    .With(new PeriodDelta
    {
        Period = Sample.Month(3), FirstClosing = 5, Accepted = Quantity.Parse("-1"), Confirmed = Quantity.Parse("0.1"),
        CarriedIn = Quantity.Parse("12345678901234567890123456.123456789012"), CarriedOut = Quantity.Parse("2"), Invoices = [new InvoiceEnd("in_1", Sample.Noon, Sample.Noon)], Slots = [new ToldSlot(Sample.Noon, Quantity.One, 3, Sample.Noon)],
        Contributions =
        [
            Contribution() with { Elsewhere = Quantity.One, HasLeft = true, Version = new CounterVersion(5, 6) }, Contribution("日本", " "),
        ],
    })
    .With(new PeriodDelta { Period = Sample.Month(2) });

    public static void AssertSame(DeltaDocument expected, DeltaDocument? actual)
    {
        Assert.NotNull(actual);
        Assert.Equal(expected.Used.Runs, actual.Used.Runs);
        Assert.Equal(expected.Periods.Count, actual.Periods.Count);
        foreach (var (left, right) in expected.Periods.Zip(actual.Periods))
        {
            Assert.Equal(left.Contributions, right.Contributions);
            Assert.Equal(left.Slots, right.Slots);
            Assert.Equal(left.Invoices, right.Invoices);
            Assert.Equal(left, right with { Contributions = left.Contributions, Slots = left.Slots, Invoices = left.Invoices });
        }

        Assert.Equal(expected.Checking, actual.Checking);
        Assert.Equal(expected.Awaited, actual.Awaited);
        Assert.Equal(
            expected, actual with { Used = expected.Used, Periods = expected.Periods, Checking = expected.Checking, Awaited = expected.Awaited });
    }
}
