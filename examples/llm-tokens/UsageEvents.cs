using System.Globalization;

namespace StripeMeter.Examples.LlmTokens;

/// <summary>An event as <c>POST /v1/events/ingest</c> takes it.</summary>
internal sealed record UsageEvent(
    string TenantId, string Metric, string CustomerRef, long Quantity, string Ts, string IdempotencyKey);

/// <summary>Turns rows into events: three for each row that has tokens both ways.</summary>
internal static class UsageEvents
{
    public const string Requests = "llm_requests";
    public const string InputTokens = "input_tokens";
    public const string OutputTokens = "output_tokens";
    public const int Customers = 25;

    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'";
    private static readonly TimeSpan FarthestAhead = TimeSpan.FromMinutes(55);

    public static IReadOnlyList<string> Metrics { get; } = [Requests, InputTokens, OutputTokens];

    /// <summary>
    /// The end at which all rows fall into one calendar month: the one asked for, or, where the rows would cross a
    /// month's end, the earliest later one (or, if that is too far ahead of now, the latest earlier one).
    /// </summary>
    public static DateTime EndWithinMonth(UsageRow[] rows, DateTime end, DateTime now)
    {
        var length = rows[^1].Timestamp - rows[0].Timestamp;
        var start = end - length;
        if (start.Year == end.Year && start.Month == end.Month)
            return end;
        var month = new DateTime(end.Year, end.Month, 1, 0, 0, 0, DateTimeKind.Utc);
        var later = month + length;
        return later <= now + FarthestAhead ? later : month.AddSeconds(-1);
    }

    public static List<UsageEvent> From(UsageRow[] rows, string tenant, DateTime end)
    {
        var shift = end - rows[^1].Timestamp;
        var events = new List<UsageEvent>(rows.Length * 3);
        for (var index = 0; index < rows.Length; index++)
        {
            var row = rows[index];
            var customer = FormattableString.Invariant($"cus_{(index % Customers) + 1:00}");
            var time = (row.Timestamp + shift).ToString(TimeFormat, CultureInfo.InvariantCulture);
            Add(Requests, 1);
            Add(InputTokens, row.ContextTokens);
            Add(OutputTokens, row.GeneratedTokens);

            void Add(string metric, long quantity)
            {
                // A metering system counts what was used; nothing was.
                if (quantity == 0)
                    return;
                var key = FormattableString.Invariant($"llm-{index}-{metric}-{time}");
                events.Add(new UsageEvent(tenant, metric, customer, quantity, time, key));
            }
        }

        return events;
    }
}
