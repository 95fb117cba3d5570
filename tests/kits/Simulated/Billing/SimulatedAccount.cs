using StripeMeter.Kits.Simulated.Scheduling;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Reconciling;
using StripeMeter.Metering.Time;

namespace StripeMeter.Kits.Simulated.Billing;

/// <summary>
/// A Stripe account with meters of every kind: identifiers that protect for a day, replies stored under idempotency keys,
/// events dropped after they were accepted, summaries that lag, invoices that become final. What a pusher must never do
/// is noted when it does it.
/// </summary>
/// <param name="network">How it is reached, and what goes wrong.</param>
/// <param name="name"><c>acct_…</c></param>
/// <param name="livemode">Whether it bills real money.</param>
/// <param name="periodsOf">The periods that an instant falls in, and fell in before they were cut otherwise: who pushes may not know yet.</param>
/// <param name="finalOf">When the invoice of a customer's period becomes final.</param>
public sealed class SimulatedAccount(
    SimulatedNetwork network, string name, bool livemode, Func<Instant, IReadOnlyList<BillingPeriod>> periodsOf,
    Func<string, BillingPeriod, Instant> finalOf)
{
    /// <summary>Within this Stripe refuses a known identifier, and replays what it stored under an idempotency key.</summary>
    private static readonly TimeSpan Window = TimeSpan.FromHours(24);
    private static readonly TimeSpan UsualLag = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan LongestLag = TimeSpan.FromHours(20);
    private static readonly TimeSpan LongestProcessing = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan OldestTimestamp = TimeSpan.FromDays(35);
    private static readonly TimeSpan NewestTimestamp = TimeSpan.FromMinutes(5);

    private readonly List<StripeEvent> _events = [];
    private readonly List<string> _violations = [];
    private readonly List<RefusedCall> _refusals = [];
    private readonly Dictionary<string, (AttemptOutcome Reply, Instant Stored)> _replies = [];
    private readonly Dictionary<string, Instant> _taken = [];
    private Instant? _revokedUntil;
    private Instant? _unreachableUntil;

    public string Name => name;

    public bool Livemode => livemode;

    public IReadOnlyList<StripeEvent> Events => _events;

    /// <summary>What it was told and never should have been.</summary>
    public IReadOnlyList<string> Violations => _violations;

    /// <summary>A customer that Stripe does not know: whatever it is told of that one is refused.</summary>
    public string? UnknownCustomer { get; init; }

    /// <summary>What was refused because of that, in the order of receipt.</summary>
    public IReadOnlyList<RefusedCall> Refusals => _refusals;

    /// <summary>Reports that were not delivered yet.</summary>
    public List<DropReport> Reports { get; } = [];

    public Instant Now => Instant.Of(network.Scheduler.Clock.GetUtcNow());

    public void RevokeKey(TimeSpan time) => _revokedUntil = Now + time;

    public void Disconnect(TimeSpan time) => _unreachableUntil = Now + time;

    /// <summary>Ends what goes wrong for a while.</summary>
    public void Restore() => (_revokedUntil, _unreachableUntil) = (null, null);

    /// <summary>What the meter holds, whether the summaries show it yet or not.</summary>
    public Quantity Total(string customer, Instant start, Instant end) => Aggregated(Counted(customer, start, end));

    /// <summary>The way of one process to it.</summary>
    /// <param name="process">Who calls.</param>
    /// <param name="clock">The clock of that process.</param>
    public AccountConnection For(SimulatedProcess process, TimeProvider clock) => new(this, network, process, clock);

    internal bool IsUnreachable => _unreachableUntil > Now;

    internal void Violate(string violation) => _violations.Add(violation);

    /// <summary>A total in doubt is told again, whatever its age: to look for it until it is settled leaves it untold for days.</summary>
    internal void CheckLookedFor(PushIntent intent)
    {
        if (intent is { Total: not null, State: not IntentState.Accepted } && Now < periodsOf(intent.Minute).Min(period => period.End))
            Violate($"{intent.Identifier} was looked for at {Now}, and could have been told again.");
    }

    internal Quantity? Read(DeltaKey key, Instant start, Instant end) => network.Dice.Strikes(Fault.SummaryUnreadable)
        ? null
        : Aggregated(Counted(key.StripeCustomer, start, end).Where(taken => taken.Visible <= Now));

    internal IReadOnlyList<HourTotal>? ReadHours(DeltaKey key, Instant start, Instant end) => network.Dice.Strikes(Fault.SummaryUnreadable)
        ? null
        :
        [
            .. Counted(key.StripeCustomer, start, end).Where(taken => taken.Visible <= Now)
                .GroupBy(taken => taken.Intent.Minute.Ticks / TimeSpan.TicksPerHour)
                .Select(hour => new HourTotal(new Instant(hour.Key * TimeSpan.TicksPerHour), Aggregated(hour))),
        ];

    internal AttemptOutcome Serve(DeltaKey key, PushIntent intent)
    {
        if (_revokedUntil > Now)
            return new AttemptOutcome(AttemptResult.Unauthorized, "401");
        if (network.Dice.Strikes(Fault.CallLimited))
            return new AttemptOutcome(AttemptResult.NotExecuted, "429");
        if (_replies.TryGetValue(intent.IdempotencyKey, out var stored) && Now - stored.Stored < Window)
            return stored.Reply;
        if (key.StripeCustomer == UnknownCustomer)
        {
            _refusals.Add(new RefusedCall(key, intent.Identifier, Now));
            return new AttemptOutcome(AttemptResult.Refused, "No such customer.");
        }

        if (network.Dice.Strikes(Fault.CallRefused))
            return new AttemptOutcome(AttemptResult.Refused, "400");
        var reply = Execute(key, intent);
        _replies[intent.IdempotencyKey] = (reply, Now);
        return reply;
    }

    private AttemptOutcome Execute(DeltaKey key, PushIntent intent)
    {
        if (network.Dice.Strikes(Fault.ErrorBefore))
            return new AttemptOutcome(AttemptResult.UnknownStored, "500");
        if (IsKnown(intent.Identifier))
        {
            network.Dice.Tally.Note(Situation.IdentifierKnown);
            return new AttemptOutcome(AttemptResult.Duplicate, "An event already exists.");
        }

        Check(key, intent);
        Take(key, intent);
        return network.Dice.Strikes(Fault.ErrorAfter)
            ? new AttemptOutcome(AttemptResult.UnknownStored, "500")
            : new AttemptOutcome(AttemptResult.Accepted);
    }

    private bool IsKnown(string identifier)
    {
        if (!_taken.ContainsKey(identifier) && network.Dice.Strikes(Fault.IdentifierTaken))
            _taken.Add(identifier, Now);
        return _taken.TryGetValue(identifier, out var since) && Now - since < Window;
    }

    private void Take(DeltaKey key, PushIntent intent)
    {
        var isDropped = network.Dice.Strikes(Fault.EventDropped);
        var lag = network.Dice.Strikes(Fault.SummaryLags) ? LongestLag - network.Dice.Delay(LongestLag) : network.Dice.Delay(UsualLag);
        _taken[intent.Identifier] = Now;
        var isReported = isDropped && !network.Dice.Strikes(Fault.ReportLost);
        _events.Add(new StripeEvent(key, intent, Now, Now + lag, isDropped, isReported));
        if (isReported)
            Reports.Add(new DropReport(intent.Identifier, Now + network.Dice.Delay(LongestProcessing)));
        // Only of what can be seen: a report about what cannot be seen yet is believed.
        if (!isDropped && network.Dice.Strikes(Fault.ReportMistaken))
            Reports.Add(new DropReport(intent.Identifier, Now + lag));
    }

    /// <summary>What must be so whenever an event is taken.</summary>
    private void Check(DeltaKey key, PushIntent intent)
    {
        var periods = periodsOf(intent.Minute).Where(period => IsWhole(intent, period)).ToList();
        if (intent.Value == Quantity.Zero || PushValue.FirstPartOf(intent.Sent) != intent.Sent)
            Violate($"{intent.Identifier} has the value {intent.Sent}.");
        if (intent.Minute < Now - OldestTimestamp || intent.Minute > Now + NewestTimestamp)
            Violate($"{intent.Identifier} is stamped {intent.Minute} at {Now}.");
        if (periods.Count == 0)
            Violate($"{intent.Identifier} is stamped {intent.Minute}, which is not whole within its period {intent.Period}.");
        else if (periods.All(period => Now >= finalOf(key.StripeCustomer, period)))
            Violate($"{intent.Identifier} was told at {Now}, when the invoice of {intent.Period} was final.");
        if (intent.Meter.Sink != SinkKind.Deltas)
            return;
        if (_events.Any(taken => taken.Key == key && taken.Intent.Minute.ToMinute() == intent.Minute.ToMinute() && taken.Intent.Identifier != intent.Identifier))
            Violate($"{intent.Identifier} shares its minute {intent.Minute}.");
        if (_events.Any(taken => taken.Intent.Identifier == intent.Identifier && !taken.IsDropped))
            Violate($"{intent.Identifier} was counted twice.");
    }

    private IEnumerable<StripeEvent> Counted(string customer, Instant start, Instant end) => _events.Where(taken =>
        !taken.IsDropped && taken.Key.StripeCustomer == customer && taken.Intent.Minute >= start && taken.Intent.Minute < end);

    private static bool IsWhole(PushIntent intent, BillingPeriod period)
    {
        var unit = UnitOf(intent.Meter.Sink);
        // Where a period begins with a minute, only the last second of that one is surely within the billing cycle too. Who did not
        // know yet that it begins there could not care.
        var isLastSecond = period.Start == period.Start.ToMinute() && intent.Minute == period.Start + TimeSpan.FromSeconds(59);
        var isTooEarly = intent.Period.Start == period.Start && unit < TimeSpan.FromHours(1) && intent.Minute.ToMinute() == period.Start && !isLastSecond;
        return (intent.Minute == intent.Minute.Floor(unit) || isLastSecond) && !isTooEarly
            && period.Contains(intent.Minute) && intent.Minute.Floor(unit) + unit <= period.End;
    }

    private static TimeSpan UnitOf(SinkKind sink) => sink switch
    {
        SinkKind.HourTotals => TimeSpan.FromHours(1),
        SinkKind.DayTotals => TimeSpan.FromDays(1),
        SinkKind.RunningTotal => TimeSpan.FromSeconds(1),
        _ => TimeSpan.FromMinutes(1),
    };

    /// <summary>What a meter makes of events, in the order in which they were received.</summary>
    private static Quantity Aggregated(IEnumerable<StripeEvent> events)
    {
        var total = Quantity.Zero;
        foreach (var meter in events.GroupBy(taken => taken.Intent.Meter.Sink))
        {
            var unit = UnitOf(meter.Key).Ticks;
            total += meter.Key switch
            {
                SinkKind.Deltas => Sum(meter),
                // Of equal timestamps the one received last; Stripe does not say.
                SinkKind.RunningTotal => meter.OrderBy(taken => taken.Intent.Minute).Last().Intent.Sent,
                _ => Sum(meter.GroupBy(taken => taken.Intent.Minute.Ticks / unit).Select(window => window.Last())),
            };
        }

        return total;
    }

    private static Quantity Sum(IEnumerable<StripeEvent> events) =>
        events.Aggregate(Quantity.Zero, (sum, taken) => sum + taken.Intent.Sent);
}
