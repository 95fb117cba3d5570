using System.Collections.Concurrent;
using Stripe;

namespace StripeMeter.Examples.LlmTokens;

/// <summary>Sends the file, waits until it is counted and pushed, and prints what came of it.</summary>
internal sealed class Demonstration(Settings settings, TimeProvider clock)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(500);
    private readonly ConcurrentDictionary<string, IngestTotals> _totals = new();
    private int _sent;

    public async Task<int> RunAsync(CancellationToken cancellation)
    {
        var rows = UsageFile.Read(settings.File);
        if (rows.Length == 0)
        {
            await Console.Error.WriteLineAsync($"{settings.File} has no rows.");
            return 1;
        }

        var end = UsageEvents.EndWithinMonth(rows, settings.End, clock.GetUtcNow().UtcDateTime);
        if (end != settings.End)
            Console.WriteLine($"The rows would cross the end of a month; shifted so that the last is at {end:O}.");
        var events = UsageEvents.From(rows, settings.Tenant, end);
        if (settings.ShuffleSeed is { } seed)
            new Random(seed).Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(events));

        using var http = new HttpClient { BaseAddress = settings.Gateway };
        var meter = new MeterClient(http, clock);
        var stripe = new StripeSide(new StripeClient(new StripeClientOptions
        {
            ApiKey = settings.StripeKey,
            ApiBase = settings.StripeBase?.ToString().TrimEnd('/'),
        }));
        var (meterIds, customers) = await MapAsync(meter, stripe, cancellation);
        await SendAsync(meter, events, cancellation);
        var counted = await WaitUntilCountedAsync(meter, cancellation);
        var pushed = await WaitUntilPushedAsync(stripe, meterIds, customers, end, counted, cancellation);
        return Report(events, counted, pushed);
    }

    private async Task<(Dictionary<string, string> MeterIds, IReadOnlyDictionary<string, string> Customers)> MapAsync(
        MeterClient meter, StripeSide stripe, CancellationToken cancellation)
    {
        var references = Enumerable.Range(1, UsageEvents.Customers).Select(number => FormattableString.Invariant($"cus_{number:00}")).ToArray();
        // The double takes any customer; Stripe knows only its own.
        var customers = settings.StripeBase is null
            ? await stripe.CustomersAsync(references, cancellation)
            : references.ToDictionary(reference => reference);
        var table = settings.StripeBase is null ? customers : [];
        var meterIds = new Dictionary<string, string>();
        foreach (var metric in UsageEvents.Metrics)
        {
            var meterId = await stripe.MeterAsync($"{settings.Tenant}_{metric}", metric, cancellation);
            await meter.MapAsync(settings.Tenant, metric, meterId, table, cancellation);
            meterIds.Add(metric, meterId);
        }

        return (meterIds, customers);
    }

    private async Task SendAsync(MeterClient meter, List<UsageEvent> events, CancellationToken cancellation)
    {
        var batches = new ConcurrentQueue<UsageEvent[]>(events.Chunk(settings.BatchEvents));
        var started = clock.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, settings.Senders).Select(async _ =>
        {
            while (batches.TryDequeue(out var batch))
            {
                var totals = await meter.IngestAsync(batch, cancellation);
                foreach (var (metric, total) in totals)
                    _totals.AddOrUpdate(metric, total, (_, before) => before + total);
                var sent = Interlocked.Add(ref _sent, batch.Length);
                if (!Console.IsOutputRedirected)
                    Console.Write($"\rsent {sent:N0} of {events.Count:N0} events");
            }
        }));
        var elapsed = clock.GetElapsedTime(started);
        Console.WriteLine($"\rsent {_sent:N0} of {events.Count:N0} events in {elapsed.TotalSeconds:F1} s");
    }

    private async Task<Dictionary<string, decimal>> WaitUntilCountedAsync(MeterClient meter, CancellationToken cancellation)
    {
        var started = clock.GetTimestamp();
        while (!await meter.IsAllCountedAsync(settings.Tenant, cancellation) && clock.GetElapsedTime(started) < settings.Patience)
            await Task.Delay(Poll, clock, cancellation);
        var counted = UsageEvents.Metrics.ToDictionary(metric => metric, _ => 0m);
        for (var number = 1; number <= UsageEvents.Customers; number++)
        {
            var usage = await meter.CurrentUsageAsync(settings.Tenant, FormattableString.Invariant($"cus_{number:00}"), cancellation);
            foreach (var metric in UsageEvents.Metrics)
                counted[metric] += usage.GetValueOrDefault(metric);
        }

        return counted;
    }

    private async Task<Dictionary<string, decimal>> WaitUntilPushedAsync(
        StripeSide stripe, Dictionary<string, string> meterIds, IReadOnlyDictionary<string, string> customers, DateTime end,
        Dictionary<string, decimal> counted, CancellationToken cancellation)
    {
        var month = new DateTime(end.Year, end.Month, 1, 0, 0, 0, DateTimeKind.Utc);
        var started = clock.GetTimestamp();
        while (true)
        {
            var pushed = new Dictionary<string, decimal>();
            foreach (var (metric, meterId) in meterIds)
            {
                var totals = await Task.WhenAll(customers.Values.Select(
                    customer => stripe.TotalAsync(meterId, customer, month, month.AddMonths(1), cancellation)));
                pushed.Add(metric, totals.Sum());
            }

            if (UsageEvents.Metrics.All(metric => pushed[metric] == counted[metric]) || clock.GetElapsedTime(started) >= settings.Patience)
                return pushed;
            await Task.Delay(Poll, clock, cancellation);
        }
    }

    private int Report(List<UsageEvent> events, Dictionary<string, decimal> counted, Dictionary<string, decimal> pushed)
    {
        Console.WriteLine();
        Console.WriteLine($"{"metric",-16}{"sent",10}{"accepted",12}{"duplicates",12}{"counted",16}{"pushed",16}");
        var agree = true;
        foreach (var metric in UsageEvents.Metrics)
        {
            var totals = _totals.GetValueOrDefault(metric);
            var sent = events.Count(usage => usage.Metric == metric);
            Console.WriteLine(
                $"{metric,-16}{sent,10:N0}{totals.Accepted,12:N0}{totals.Duplicates,12:N0}{counted[metric],16:N0}{pushed[metric],16:N0}");
            agree &= totals.Refused == 0 && counted[metric] == pushed[metric];
        }

        if (!agree)
            Console.Error.WriteLine("Counted and pushed differ, or events were refused.");
        return agree ? 0 : 1;
    }
}
