using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Events;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Mappings;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Kits.Storage;

/// <summary>Plain values to store; a point changes what it is about.</summary>
internal static class Sample
{
    public static readonly Instant Noon = Instant.OfDate(2026, 3, 14) + TimeSpan.FromHours(12);

    /// <summary>Texts whose order, length or bytes a store may get wrong, none twice, in their order.</summary>
    public static readonly string[] Texts =
    [
        " ", "$set", "%", "'; DROP TABLE records; --", "A", "B", "_id", "a", "a b", "a.b", "a/b", "aa", "b", "{\"a\":1}", "ä", "日本",
        "\uFFFD", "😀", "😀!",
    ];

    public static UsageEvent Usage(long quantity = 1) =>
        new("api_calls", "cus_1", "", Quantity.FromInteger(quantity), Noon, "", EventSource.Http);

    public static LedgerRecord Record(string key, UsageEvent? usage = null, bool late = false)
    {
        usage ??= Usage();
        return LedgerRecord.OfEvent(key, Fingerprint.Of(usage), usage, Noon + TimeSpan.FromSeconds(1), late);
    }

    public static LedgerRecord[] Records(string prefix, int count) =>
        [.. Enumerable.Range(0, count).Select(number => Record(FormattableString.Invariant($"{prefix}{number}"), Usage(number + 1)))];

    public static BillingPeriod Month(int month) =>
        new(Instant.OfDate(2026, month, 1), Instant.OfDate(2026, month + 1, 1));

    public static CounterRow Row(
        string metric = "api_calls", string customer = "cus_1", int month = 3, long sum = 1, long position = 1, long recut = 0,
        string logId = "log", int shard = 0, long projected = 0)
    {
        var period = Month(month);
        var quantity = Quantity.FromInteger(sum);
        var aggregates = new Aggregates(quantity, 1, quantity, quantity, quantity, period.Start, "key");
        var counter = new Counter(
            new CounterKey(metric, customer, period.Start), period, aggregates, new CounterVersion(recut, position));
        return new CounterRow(counter, shard, logId, new Instant(Noon.Ticks + projected));
    }

    public static Mapping Mapping(string id, string metric = "api_calls", string meter = "mtr_1", bool active = true) => new()
    {
        Id = id, Metric = metric, Aggregation = Aggregation.Sum, StripeAccount = "default", MeterId = meter,
        MeterEventName = metric, Active = active, Created = Noon, Updated = Noon,
    };
}
