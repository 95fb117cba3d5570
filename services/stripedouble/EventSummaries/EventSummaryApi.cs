using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using StripeMeter.Sqlite;
using StripeMeter.StripeDouble.Faults;
using StripeMeter.StripeDouble.Http;
using StripeMeter.StripeDouble.Meters;
using StripeMeter.StripeDouble.Storage;

namespace StripeMeter.StripeDouble.EventSummaries;

/// <summary><c>GET /v1/billing/meters/{id}/event_summaries</c>, newest window first.</summary>
internal sealed class EventSummaryApi(
    StripeDoubleOptions options, ObjectStore customers, StripeDoubleFaults faults)
{
    private const string IdPrefix = "mtrusg_test_";

    private readonly SummaryQuery _query = new(options.EmptySummaries);

    public StripeRoute Route => new("GET", $"{MeterApi.Path}/{{id}}/event_summaries", List);

    private Operation List(StripeCall call, SqliteSession session)
    {
        var customer = call.Parameters.RequiredText("customer");
        var range = SummaryRange.Read(call.Parameters);
        var page = Page.Read(call.Parameters);
        call.Parameters.Expansion();
        call.Parameters.RefuseUnknown();
        return new(reader =>
        {
            var meter = MeterTable.Get(reader, call.Id);
            if (options.RequireKnownCustomers)
                customers.Get(reader, customer, "customer");
            var receivedByMs = call.NowMs - (long)faults.SummaryLag.TotalMilliseconds;
            return page.List(call.Path, new PagedRows(
                id => WindowStart(id, page),
                position => Summaries(newestFirst: true, (long.MinValue, position)),
                position => Summaries(newestFirst: false, (position, long.MaxValue))));

            IEnumerable<JsonObject> Summaries(bool newestFirst, (long, long) between) =>
                _query.Run(reader, meter, customer, range, receivedByMs, newestFirst, between)
                    .Select(aggregate => ToJson(meter, customer, range, aggregate));
        });
    }

    private static JsonObject ToJson(Meter meter, string customer, SummaryRange range, Aggregate aggregate) => new()
    {
        ["id"] = Id(meter, customer, range, aggregate.WindowStartSeconds),
        ["object"] = "billing.meter_event_summary",
        ["aggregated_value"] = StripeJson.Number(aggregate.Value(meter).ToString()),
        ["end_time"] = aggregate.WindowStartSeconds + range.WindowSeconds,
        ["livemode"] = false,
        ["meter"] = meter.Id,
        ["start_time"] = aggregate.WindowStartSeconds,
    };

    /// <summary>Summaries are not stored, so their ids say where they start, which is what a cursor needs.</summary>
    private static string Id(Meter meter, string customer, SummaryRange range, long windowStart)
    {
        var digest = SHA256.HashData(Encoding.UTF8.GetBytes(
            string.Create(CultureInfo.InvariantCulture, $"{meter.Id}\n{customer}\n{windowStart}\n{range.WindowSeconds}")));
        return string.Create(CultureInfo.InvariantCulture, $"{IdPrefix}{windowStart:x8}{Convert.ToHexStringLower(digest.AsSpan(0, 8))}");
    }

    private static long WindowStart(string id, Page page) =>
        id.StartsWith(IdPrefix, StringComparison.Ordinal) && id.Length > IdPrefix.Length + 8
        && long.TryParse(id.AsSpan(IdPrefix.Length, 8), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var start)
            ? start
            : throw StripeRefusal.NoSuch("billing meter event summary", id, page.CursorName);
}
