using System.Diagnostics;
using Stripe.Billing;
using StripeMeter.Defaults.Telemetry;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;
using StripeMeter.Metering.Work;
using StripeMeter.Pusher.Telemetry;

namespace StripeMeter.Pusher.StripeApi;

/// <summary>
/// Sends intents as meter events, one attempt at a time.
/// See https://docs.stripe.com/api/billing/meter-event/create.
/// </summary>
internal sealed partial class MeterEventSender(
    StripeAccounts accounts, AccountGates gates, MeterDirectory meters, SummaryReader summaries, PusherInstruments instruments, ILogger<MeterEventSender> logger)
    : IMeterEventSink
{
    private static readonly TimeSpan MeterHold = TimeSpan.FromMinutes(5);

    public async Task<Admission> AdmitAsync(DeltaKey key, MeterNames? minting, CancellationToken cancellation)
    {
        if (await accounts.OfAsync(key, cancellation).ConfigureAwait(false) is not { } calls)
            return Admission.AccountClosed;
        var gate = gates.Of(key);
        if (!gate.Breaker.TryEnter())
            return Admission.AccountClosed;
        await gate.Bucket.TakeAsync(cancellation).ConfigureAwait(false);
        if (minting is not { } names
            || await meters.ProblemOfAsync(calls, key, names, cancellation).ConfigureAwait(false) is not { } problem)
        {
            return Admission.Granted;
        }

        LogMeterProblem(logger, problem);
        return Admission.Held(problem, MeterHold);
    }

    public async Task<AttemptOutcome> SendAsync(DeltaKey key, PushIntent intent, CancellationToken cancellation)
    {
        using var activity = Resume(intent);
        var call = await CallAsync(key, intent, cancellation).ConfigureAwait(false);
        gates.Of(key).Report(call.Outcome, call.IsAccountLimited, call.IsReached);
        instruments.Pushed(call.Outcome.Result);
        if (call.Outcome.Result != AttemptResult.Accepted)
            LogNotAccepted(logger, intent.Identifier, intent.Attempts, call.Outcome.Result, call.Outcome.Message);
        return call.Outcome;
    }

    public Task<Quantity?> ReadAsync(DeltaKey key, PushIntent intent, CancellationToken cancellation) =>
        summaries.TotalAsync(key, FirstMinuteOf(intent), intent.Minute.ToMinute() + WindowOf(intent), cancellation);

    /// <summary>Goes on in the trace that the intent comes from where this drive is not in it: after a restart, or in a retry.</summary>
    private static Activity? Resume(PushIntent intent)
    {
        var causes = intent.Traces.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var isUnderWay = Activity.Current is { } current
            && (causes.Length != 1 || causes[0].Contains(current.TraceId.ToHexString(), StringComparison.Ordinal));
        return isUnderWay ? null : ServiceTracing.Start("pusher.send", causes);
    }

    /// <summary>Of a running total the newest counts, so it is read from the beginning of its period.</summary>
    private static Instant FirstMinuteOf(PushIntent intent) => intent.Meter.Sink == SinkKind.RunningTotal
        ? intent.Period.Start.Ceiling(TimeSpan.FromMinutes(1))
        : intent.Minute.ToMinute();

    private static TimeSpan WindowOf(PushIntent intent) => intent.Meter.Sink switch
    {
        SinkKind.HourTotals => TimeSpan.FromHours(1),
        SinkKind.DayTotals => TimeSpan.FromDays(1),
        _ => TimeSpan.FromMinutes(1),
    };

    private async Task<CallOutcome> CallAsync(DeltaKey key, PushIntent intent, CancellationToken cancellation)
    {
        var options = new MeterEventCreateOptions
        {
            EventName = intent.Meter.EventName,
            Identifier = intent.Identifier,
            Timestamp = intent.Minute.ToUtc(),
            Payload = new()
            {
                [intent.Meter.CustomerKey] = key.StripeCustomer,
                [intent.Meter.ValueKey] = intent.Sent.ToString(),
            },
        };
        // It was there when the push was admitted; without it nothing leaves.
        if (await accounts.OfAsync(key, cancellation).ConfigureAwait(false) is not { } calls)
            return new(new AttemptOutcome(AttemptResult.NotExecuted, "There is no key for the account."), IsReached: false);
        var request = calls.RequestFor(key.Account);
        request.IdempotencyKey = intent.IdempotencyKey;
        try
        {
            if (intent.Meter.Sink == SinkKind.UsageRecords)
                return new(await LegacyUsageRecords.SetAsync(calls, key, intent, cancellation).ConfigureAwait(false));
            var taken = await calls.Client.V1.Billing.MeterEvents.CreateAsync(options, request, cancellation).ConfigureAwait(false);
            return new(taken?.Identifier == intent.Identifier
                ? new AttemptOutcome(AttemptResult.Accepted)
                : new AttemptOutcome(AttemptResult.Unknown, "Stripe answered 200 with another event."));
        }
        catch (Exception problem) when (problem.IsOfThePiece(cancellation))
        {
            return AttemptOutcomes.Of(problem, intent.Identifier);
        }
    }

    [LoggerMessage(301, LogLevel.Warning, "Nothing is pushed: {Problem}")]
    private static partial void LogMeterProblem(ILogger logger, string problem);

    [LoggerMessage(302, LogLevel.Warning, "Push {Identifier}, attempt {Attempt}: {Result}. {Message}")]
    private static partial void LogNotAccepted(ILogger logger, string identifier, int attempt, AttemptResult result, string message);
}
