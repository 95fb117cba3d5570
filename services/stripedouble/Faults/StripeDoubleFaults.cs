using System.Net;
using StripeMeter.StripeDouble.Http;

namespace StripeMeter.StripeDouble.Faults;

/// <summary>
/// What goes wrong with the next requests that bring meter events, and with webhooks. Each setting replaces the one before it;
/// 0 ends it. Held in memory: a restarted double has none. Safe for concurrent use.
/// </summary>
public sealed class StripeDoubleFaults
{
    private readonly Lock _lock = new();
    private FaultState _state = new();
    private HeldEvents? _held;

    /// <summary>The faults that are still to come.</summary>
    public FaultState State
    {
        get
        {
            lock (_lock)
                return _state;
        }
    }

    /// <summary>How long an accepted event stays out of the summaries (Stripe publishes no bound). Default: none.</summary>
    public TimeSpan SummaryLag
    {
        get => TimeSpan.FromMilliseconds(State.SummaryLagMs);
        set => Change(state => state with { SummaryLagMs = (long)value.TotalMilliseconds });
    }

    /// <summary>Answers 429, as Stripe's limiter does: before the idempotency key is looked at, so nothing is stored.</summary>
    /// <param name="requests">How many.</param>
    /// <param name="reason">Value of <c>Stripe-Rate-Limited-Reason</c>; none when null, as for a lock timeout.</param>
    public void RateLimit(int requests, string? reason = "endpoint-rate") =>
        Change(state => state with { RateLimit = requests, RateLimitReason = reason });

    /// <summary>Answers 409, as to a second concurrent call for the same customer and meter. Nothing is stored.</summary>
    public void Conflict(int requests) => Change(state => state with { Conflict = requests });

    /// <summary>Answers 500 and does nothing. The answer is stored: the same idempotency key gets it again.</summary>
    public void FailBeforeCommit(int requests) => Change(state => state with { FailBeforeCommit = requests });

    /// <summary>Takes the event and answers 500. The answer is stored: the same idempotency key gets it again.</summary>
    public void FailAfterCommit(int requests) => Change(state => state with { FailAfterCommit = requests });

    /// <summary>Takes the event, stores the answer and breaks the connection before it leaves.</summary>
    public void LoseReplies(int requests) => Change(state => state with { LoseReplies = requests });

    /// <summary>Takes the event, answers 200, and rejects it afterwards: it never counts, and its identifier stays used.</summary>
    /// <param name="events">How many.</param>
    /// <param name="code">Code of the error report.</param>
    public void RejectLater(int events, string code = "meter_event_customer_not_found") =>
        Change(state => state with { RejectLater = events, RejectCode = code });

    /// <summary>Delivers events of webhooks a second time, as Stripe may: delivery is at least once.</summary>
    public void RepeatWebhooks(int deliveries) => Change(state => state with { RepeatWebhooks = deliveries });

    /// <summary>Holds meter events, checked and not yet taken, until the result is disposed.</summary>
    public HeldEvents HoldEvents()
    {
        var held = new HeldEvents();
        lock (_lock)
        {
            _held?.Dispose();
            _held = held;
        }

        return held;
    }

    /// <summary>Ends every fault and lets go what is held.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            _state = new();
            _held?.Dispose();
        }
    }

    internal void Change(Func<FaultState, FaultState> change)
    {
        lock (_lock)
            _state = change(_state).Checked();
    }

    /// <summary>What the limiter in front of the API says to one request.</summary>
    internal void RefuseIfLimited()
    {
        lock (_lock)
        {
            if (_state.RateLimit > 0)
            {
                _state = _state with { RateLimit = _state.RateLimit - 1 };
                throw new StripeRefusal(HttpStatusCode.TooManyRequests, "Too many requests; try again later.")
                {
                    Code = _state.RateLimitReason is null ? "lock_timeout" : "rate_limit", RateLimitedReason = _state.RateLimitReason,
                };
            }

            if (_state.Conflict > 0)
            {
                _state = _state with { Conflict = _state.Conflict - 1 };
                throw StripeRefusal.Concurrent();
            }
        }
    }

    /// <summary>What goes wrong with one request whose events are about to be taken.</summary>
    internal InjectedFault Next(int events)
    {
        lock (_lock)
        {
            var now = _state;
            var failsBefore = now.FailBeforeCommit > 0;
            var failsAfter = !failsBefore && now.FailAfterCommit > 0;
            var loses = !failsBefore && !failsAfter && now.LoseReplies > 0;
            var rejections = failsBefore ? 0 : Math.Min(events, now.RejectLater);
            _state = now with
            {
                FailBeforeCommit = now.FailBeforeCommit - (failsBefore ? 1 : 0),
                FailAfterCommit = now.FailAfterCommit - (failsAfter ? 1 : 0),
                LoseReplies = now.LoseReplies - (loses ? 1 : 0),
                RejectLater = now.RejectLater - rejections,
            };
            return new InjectedFault(failsBefore, failsAfter, loses, rejections, now.RejectCode);
        }
    }

    /// <summary>Whether a delivery is to come a second time.</summary>
    internal bool RepeatsDelivery()
    {
        lock (_lock)
        {
            var repeats = _state.RepeatWebhooks > 0;
            if (repeats)
                _state = _state with { RepeatWebhooks = _state.RepeatWebhooks - 1 };
            return repeats;
        }
    }

    internal Task WaitWhileHeldAsync()
    {
        lock (_lock)
            return _held?.ArriveAsync() ?? Task.CompletedTask;
    }
}
