using System.Globalization;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Pusher.Tests.Protocol;

/// <summary>An event as Stripe took it.</summary>
internal sealed record TakenEvent(DeltaKey Key, PushIntent Intent, Instant Received);

/// <summary>
/// Stripe's meter events with everything that may go wrong: requests and replies lost, errors stored under idempotency keys,
/// limits, refusals, identifiers forgotten after a day.
/// </summary>
internal sealed class SimulatedStripe(Random random, Func<Instant> now, Func<DeltaKey, DeltaDocument?> stored)
{
    private readonly Func<Instant> _now = now;
    private static readonly TimeSpan IdentifierWindow = TimeSpan.FromHours(24);
    private readonly List<TakenEvent> _events = [];
    private readonly Dictionary<string, (AttemptResult Result, Instant Stored)> _replies = [];

    /// <summary>Percentage of requests with which something goes wrong at each point where it can.</summary>
    public int FaultPercent { get; set; }

    public IReadOnlyList<TakenEvent> Events => _events;

    public Quantity Sum(string customer, Instant start, Instant end) => _events
        .Where(taken => taken.Key.StripeCustomer == customer && taken.Intent.Minute >= start && taken.Intent.Minute < end)
        .Aggregate(Quantity.Zero, (sum, taken) => sum + taken.Intent.Value);

    /// <summary>The way of one process to it.</summary>
    public IMeterEventSink For(Func<Task> turn) => new Connection(this, turn);

    private bool Fails() => random.Next(100) < FaultPercent;

    private AttemptResult Serve(DeltaKey key, PushIntent intent)
    {
        if (Fails())
            return AttemptResult.NotExecuted;
        if (Fails())
            return AttemptResult.Unauthorized;
        if (_replies.TryGetValue(intent.IdempotencyKey, out var reply) && _now() - reply.Stored < IdentifierWindow)
            return reply.Result;
        if (Fails())
            return AttemptResult.Refused;
        var result = Execute(key, intent);
        _replies[intent.IdempotencyKey] = (result, _now());
        return result;
    }

    private AttemptResult Execute(DeltaKey key, PushIntent intent)
    {
        if (Fails())
            return AttemptResult.UnknownStored;
        if (_events.Any(taken => taken.Intent.Identifier == intent.Identifier && _now() - taken.Received < IdentifierWindow))
            return AttemptResult.Duplicate;
        Check(key, intent);
        _events.Add(new TakenEvent(key, intent, _now()));
        return Fails() ? AttemptResult.UnknownStored : AttemptResult.Accepted;
    }

    /// <summary>What must be so whenever Stripe takes an event.</summary>
    private void Check(DeltaKey key, PushIntent intent)
    {
        var digits = intent.Value.ToString().Count(char.IsAsciiDigit);
        Assert.True(digits <= PushValue.MaximumDigits || intent.Value.ToString().TrimStart('-').StartsWith("0.", StringComparison.Ordinal));
        Assert.NotEqual(Quantity.Zero, intent.Value);
        Assert.Equal(intent.Minute.ToMinute(), intent.Minute);
        Assert.InRange((_now() - intent.Minute).Ticks, 0, TimeSpan.FromDays(35).Ticks);
        var document = stored(key);
        Assert.True(
            document?.Open?.Identifier == intent.Identifier,
            string.Create(CultureInfo.InvariantCulture, $"{intent.Identifier} was taken while {document?.Open?.Identifier} was open."));
        Assert.DoesNotContain(_events, taken => taken.Key == key && taken.Intent.Minute == intent.Minute);
        Assert.DoesNotContain(_events, taken => taken.Intent.Identifier == intent.Identifier);
        var period = document!.Find(intent.PeriodStart)!.Period;
        Assert.InRange(intent.Minute.Ticks, period.Start.Ticks, (period.End - TimeSpan.FromMinutes(1)).Ticks);
    }

    private sealed class Connection(SimulatedStripe stripe, Func<Task> turn) : IMeterEventSink
    {
        public async Task<Admission> AdmitAsync(DeltaKey key, MeterNames? minting, CancellationToken cancellation)
        {
            await turn();
            if (!stripe.Fails())
                return Admission.Granted;
            return stripe.Fails() ? Admission.Held("the meter is not active", TimeSpan.FromMinutes(5)) : Admission.AccountClosed;
        }

        public async Task<AttemptOutcome> SendAsync(DeltaKey key, PushIntent intent, CancellationToken cancellation)
        {
            await turn();
            // No request is under way for longer than its attempt may take.
            if (stripe.Fails() || stripe._now() >= intent.NextAttempt)
                return new AttemptOutcome(AttemptResult.Unknown, "the request was lost");
            var result = stripe.Serve(key, intent);
            await turn();
            return stripe.Fails() ? new AttemptOutcome(AttemptResult.Unknown, "the reply was lost") : new AttemptOutcome(result, "as it is");
        }

        public async Task<Quantity?> ReadAsync(DeltaKey key, PushIntent intent, CancellationToken cancellation)
        {
            await turn();
            return stripe.Fails() ? null : stripe.Sum(key.StripeCustomer, intent.Minute, intent.Minute + TimeSpan.FromMinutes(1));
        }
    }
}
