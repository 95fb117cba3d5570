using StripeMeter.Metering.Events;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;

namespace StripeMeter.Simulation.Counting;

/// <summary>What one client sends in one request.</summary>
internal sealed record Batch(TenantId Tenant, IReadOnlyList<KeyedEvent> Events);

/// <summary>
/// Draws the events of a run: few keys, customers and instants, so that everything clashes with everything; late ones, and
/// a month's end; the least and the greatest quantity there is.
/// </summary>
internal sealed class Workload(Random random, Instant now)
{
    public static readonly TimeSpan Lateness = TimeSpan.FromHours(48);

    private static readonly TenantId[] Tenants = [new("acme"), new("beta")];
    private static readonly string[] Quantities = ["0.1", "0.2", "1", "3", "999999999999999.999999999999", "0.000000000001"];
    private static readonly string[] Resources = ["", "default", "gpu"];

    private readonly int _tenants = random.Next(1, 3);
    private readonly int _customers = random.Next(1, 5);
    private readonly int _metrics = random.Next(1, 3);
    private readonly int _keys = random.Next(4, 40);
    private readonly List<KeyedEvent> _sent = [];

    /// <summary>The batches of each client.</summary>
    public IReadOnlyList<IReadOnlyList<Batch>> Draw()
    {
        var clients = new IReadOnlyList<Batch>[random.Next(1, 4)];
        for (var client = 0; client < clients.Length; client++)
            clients[client] = [.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => NextBatch())];
        return clients;
    }

    private Batch NextBatch() =>
        new(Tenants[random.Next(_tenants)], [.. Enumerable.Range(0, random.Next(1, 7)).Select(_ => NextEvent())]);

    private KeyedEvent NextEvent()
    {
        // Some events are sent again by somebody else.
        if (_sent.Count > 0 && random.Next(5) == 0)
            return _sent[random.Next(_sent.Count)];
        var usage = new UsageEvent(
            $"metric_{random.Next(_metrics)}", $"cus_{random.Next(_customers)}", Resources[random.Next(Resources.Length)],
            Quantity.Parse(Quantities[random.Next(Quantities.Length)]), NextTimestamp(), "", EventSource.Http);
        var keyed = new KeyedEvent(usage, random.Next(3) == 0 ? null : $"key_{random.Next(_keys)}");
        _sent.Add(keyed);
        return keyed;
    }

    /// <summary>A few instants around now, around the month's end, and around the limit of lateness.</summary>
    private Instant NextTimestamp()
    {
        var steps = TimeSpan.FromMilliseconds(random.Next(3));
        return random.Next(6) switch
        {
            0 => now - Lateness - TimeSpan.FromHours(random.Next(-1, 2)) + steps,
            1 => now - TimeSpan.FromHours(12) + steps,
            _ => now + steps,
        };
    }
}
