using StripeMeter.Metering.Events;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;

namespace StripeMeter.Simulation.Counting;

/// <summary>What one client sends in one request.</summary>
/// <param name="Tenant">The tenant.</param>
/// <param name="Events">The events.</param>
/// <param name="Session">The backfill session they come by; empty if they come by themselves.</param>
internal sealed record Batch(TenantId Tenant, IReadOnlyList<KeyedEvent> Events, string Session);

/// <summary>
/// Draws the events of a run: few keys, customers and instants, so that everything clashes with everything; late ones, and
/// a month's end; the least and the greatest quantity there is.
/// </summary>
internal sealed class Workload(Random random, Instant now)
{
    public static readonly TimeSpan Lateness = TimeSpan.FromHours(48);

    private static readonly TenantId[] Tenants = [new("acme"), new("beta")];
    private static readonly string[] Quantities = ["0.1", "0.2", "1", "3", "999999999999999.999999999999", "0.000000000001"];
    private static readonly int[] AnchorDays = [1, 2, 30, 31];
    private static readonly int[] AnchorMinutes = [0, 359, 361, 1439];
    private static readonly string[] Resources = ["", "default", "gpu"];

    private readonly int _tenants = random.Next(1, 3);
    private readonly int _customers = random.Next(1, 5);
    private readonly int _metrics = random.Next(1, 3);
    private readonly int _keys = random.Next(4, 40);
    private readonly List<KeyedEvent> _sent = [];
    private int _controls;

    /// <summary>The batches of each client.</summary>
    public IReadOnlyList<IReadOnlyList<Batch>> Draw()
    {
        var clients = new IReadOnlyList<Batch>[random.Next(1, 4)];
        for (var client = 0; client < clients.Length; client++)
            clients[client] = [.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => NextBatch())];
        return clients;
    }

    private Batch NextBatch() =>
        new(
            Tenants[random.Next(_tenants)], [.. Enumerable.Range(0, random.Next(1, 7)).Select(_ => NextEvent())],
            random.Next(4) == 0 ? NextSession() : "");

    /// <summary>What operators wish, about what was drawn before. In some runs they wish nothing.</summary>
    public IReadOnlyList<ControlWish> DrawControls()
    {
        var wishes = new ControlWish[random.Next(3) == 0 ? 0 : random.Next(1, 20)];
        for (var index = 0; index < wishes.Length; index++)
            wishes[index] = new ControlWish(Tenants[random.Next(_tenants)], NextControl());
        return wishes;
    }

    private ControlMaker NextControl()
    {
        var (metric, customer, number) = ($"metric_{random.Next(_metrics)}", $"cus_{random.Next(_customers)}", random.Next(3));
        var (at, session) = (NextTimestamp(), NextSession());
        switch (random.Next(12))
        {
            case 0: return Adjustment(number, ControlRecords.AdjustmentApproved);
            case 1: return Adjustment(number, ControlRecords.AdjustmentReverted);
            case 2: return new LateEventControl(_sent[random.Next(_sent.Count)], ControlRecords.LateEventApproved);
            case 3: return new LateEventControl(_sent[random.Next(_sent.Count)], ControlRecords.LateEventReverted);
            case 4: return new SessionControl(session);
            case 5: return new ReplayControl(random.Next(1, 4));
            case 6: return new RebuildControl($"rebuild_{number}", random.Next(2) == 0 ? customer : null, random.Next(1, 4));
            case 7 or 8:
                return new BackfillControl($"backfill_{number}", [.. Enumerable.Range(0, random.Next(1, 6)).Select(_ => NextEvent())], DryRun: number == 2);
            case 9: return new BackfillRevertControl($"backfill_{number}");
            case 10:
                var anchor = new PeriodAnchor(AnchorDays[random.Next(AnchorDays.Length)], AnchorMinutes[random.Next(AnchorMinutes.Length)]);
                var closedBefore = now - TimeSpan.FromHours(random.Next(0, 5) * 18);
                return new RecordControl(taken => ControlRecords.AnchorChanged(
                    $"{_controls++}", customer, at, anchor, closedBefore, "", taken));
            default:
                return new RecordControl(taken => ControlRecords.CounterRepaired($"{number}", metric, customer, at, "", taken));
        }
    }

    /// <summary>One adjustment is about one counter, whoever approves or reverts it.</summary>
    private RecordControl Adjustment(
        int number, Func<string, string, string, Instant, Quantity, string, Instant, LedgerRecord> make) => new(taken => make(
        $"{number}", $"metric_{number % _metrics}", $"cus_{number % _customers}", now - TimeSpan.FromHours(12 * number),
        Quantity.FromInteger(number - 1), "", taken));

    private string NextSession() => $"session_{random.Next(2)}";

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
