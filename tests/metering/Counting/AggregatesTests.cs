using CsCheck;
using StripeMeter.Kits.Reference;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Events;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Tests.Counting;

public sealed class AggregatesTests
{
    private static readonly Instant Start = Instant.OfDate(2026, 3, 1);

    // Few timestamps, so that ties have to be broken.
    private static readonly Gen<(Quantity Quantity, Instant Timestamp)> Usage =
        from units in Gen.Long[1, long.MaxValue]
        from ticks in Gen.Long[0, 2]
        select (new Quantity(units), new Instant(Start.Ticks + ticks));

    [Fact]
    public void With_AnyOrder_EndsInTheSameBits() => Gen.Select(Usage.Array[1, 12], Gen.Int).Sample((usages, seed) =>
    {
        var keyed = usages.Select((usage, index) => (usage.Quantity, usage.Timestamp, Key: $"k{index}")).ToArray();
        var expected = Fold(keyed);
        new Random(seed).Shuffle(keyed);
        return Fold(keyed) == expected;
    });

    [Fact]
    public void With_AnyUsage_AgreesWithTheReference() => Usage.Array[1, 12].Sample(usages =>
    {
        var log = usages.Select((usage, index) => Logged(index + 1, usage.Quantity, usage.Timestamp)).ToArray();
        var key = new CounterKey("m", "c", Start);
        var counter = log.Aggregate(
            Counter.Empty(key, PeriodClock.CalendarMonths.PeriodOf("c", Start)),
            (counted, logged) => counted.With(Countable.Of(new PositionedRecord(logged.Position, logged.Record))));

        Assert.True(ReferenceMeter.Agrees(Assert.Single(ReferenceMeter.Count(log)).Value, counter));
    });

    [Fact]
    public void With_TheSameInstant_LastIsThatOfTheGreaterKey()
    {
        var folded = Fold([(Quantity.FromInteger(1), Start, "a"), (Quantity.FromInteger(2), Start, "b"), (Quantity.FromInteger(3), Start, "B")]);

        Assert.Equal((Quantity.FromInteger(2), "b"), (folded.Last, folded.LastKey));
    }

    [Fact]
    public void With_MoreThanASumHolds_Throws()
    {
        var full = Fold([(new Quantity(Int128.MaxValue), Start, "a")]);

        Assert.Throws<OverflowException>(() => full.With(new Quantity(1), Start, "b"));
    }

    [Fact]
    public void Counter_ARecordItHolds_StaysAsItIs()
    {
        var counter = Counter.Empty(new CounterKey("m", "c", Start), PeriodClock.CalendarMonths.PeriodOf("c", Start))
            .With(CountableAt(5));

        Assert.Same(counter, counter.With(CountableAt(5)));
        Assert.Same(counter, counter.With(CountableAt(4)));
        Assert.Equal(2, counter.With(CountableAt(6)).Aggregates.Count);
    }

    [Fact]
    public void Version_AnyTwo_AreOrderedByRecutAndThenPosition()
    {
        CounterVersion[] rising = [new(0, 1), new(0, 9), new(1, 0), new(1, 1), new(7, 0)];

        Assert.Equal(rising, rising.Reverse().Order());
        Assert.All(rising.Zip(rising.Skip(1)), pair => Assert.True(pair.First < pair.Second && pair.Second >= pair.First));
    }

    private static Countable CountableAt(long position) =>
        new(position, RecordKind.Event, "m", "c", Quantity.One, Start, $"k{position}", false);

    private static LoggedRecord Logged(long position, Quantity quantity, Instant timestamp)
    {
        var usage = new UsageEvent("m", "c", "", quantity, timestamp, "", EventSource.Http);
        return new LoggedRecord(
            new TenantId("acme"), 0, position, LedgerRecord.OfEvent($"k{position}", Fingerprint.Of(usage), usage, timestamp, false));
    }

    private static Aggregates Fold(IEnumerable<(Quantity Quantity, Instant Timestamp, string Key)> usages) =>
        usages.Aggregate(Aggregates.Empty, (folded, usage) => folded.With(usage.Quantity, usage.Timestamp, usage.Key));
}
