using StripeMeter.Kits.Simulated.Scheduling;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Reconciling;
using StripeMeter.Metering.Time;

namespace StripeMeter.Kits.Simulated.Billing;

/// <summary>How one process reaches an account. Requests and replies are lost and slow, but none is under way for minutes.</summary>
public sealed class AccountConnection(SimulatedAccount account, SimulatedNetwork network, SimulatedProcess process, TimeProvider clock)
    : IMeterEventSink, IMeterSummaries
{
    private const int RequestsPerBreakthrough = 12;
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(10);

    // No request arrives later than so; a network that holds packets for longer is none.
    private static readonly TimeSpan LongestFlight = TimeSpan.FromMinutes(2);

    public Task<Admission> AdmitAsync(DeltaKey key, MeterNames? minting, CancellationToken cancellation) =>
        AskAsync(() => Admission.Granted);

    public Task<AttemptOutcome> SendAsync(DeltaKey key, PushIntent intent, CancellationToken cancellation)
    {
        if (key.Livemode != account.Livemode || key.Account != account.Name)
            account.Violate($"{intent.Identifier} of {key} came to {account.Name}.");
        var answer = new TaskCompletionSource<AttemptOutcome>();
        if (intent.Attempts > 1 && intent.IsDoubtful)
            network.Dice.Tally.Note(Situation.SentAgain);
        var sent = clock.GetTimestamp();
        var isCutOff = account.IsUnreachable;
        if (isCutOff ? network.Dice.Next(RequestsPerBreakthrough) > 0 : network.Dice.Strikes(Fault.RequestLost))
        {
            GiveUp();
        }
        else if (network.Dice.Strikes(Fault.RequestSlow))
        {
            GiveUp();
            network.Scheduler.PostAfter(network.Dice.Delay(LongestFlight), Arrive);
        }
        else
        {
            network.Scheduler.Post(Arrive);
        }

        return answer.Task;

        void Arrive()
        {
            if (clock.GetElapsedTime(sent) > LongestFlight)
            {
                GiveUp();
                return;
            }

            var reply = account.Serve(key, intent);
            if (isCutOff || network.Dice.Strikes(Fault.ReplyLost))
                GiveUp();
            else
                network.Answer(process, () => answer.TrySetResult(reply));
        }

        void GiveUp() => network.Scheduler.PostAfter(CallTimeout, () => network.Answer(
            process, () => answer.TrySetResult(new AttemptOutcome(AttemptResult.Unknown, "no answer"))));
    }

    public Task<Quantity?> ReadAsync(DeltaKey key, PushIntent intent, CancellationToken cancellation)
    {
        account.CheckLookedFor(intent);
        return TotalAsync(key, intent.Minute.ToMinute(), intent.Minute.ToMinute() + TimeSpan.FromMinutes(1), cancellation);
    }

    public Task<Quantity?> TotalAsync(DeltaKey key, Instant start, Instant end, CancellationToken cancellation) =>
        AskAsync(() => account.Read(key, start, end));

    public Task<IReadOnlyList<HourTotal>?> HoursAsync(DeltaKey key, Instant start, Instant end, CancellationToken cancellation) =>
        AskAsync(() => account.ReadHours(key, start, end));

    private Task<T> AskAsync<T>(Func<T> ask)
    {
        var answer = new TaskCompletionSource<T>();
        network.Scheduler.Post(() =>
        {
            var asked = ask();
            network.Answer(process, () => answer.TrySetResult(asked));
        });
        return answer.Task;
    }
}
