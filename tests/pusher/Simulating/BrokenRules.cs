using StripeMeter.Kits.Simulated.Billing;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Reconciling;
using StripeMeter.Metering.Time;
using StripeMeter.Simulation.Stripe;

namespace StripeMeter.Pusher.Tests.Simulating;

/// <summary>A rule that is taken away, and what the same world is with it.</summary>
/// <param name="Broken">Without the rule.</param>
/// <param name="Whole">With it.</param>
internal sealed record BrokenRule(StripeVariant Broken, StripeVariant Whole)
{
    /// <summary>From where on seeds are run. Any would do; behind this one it is missed soon.</summary>
    public int FirstSeed { get; init; } = 1;
}

/// <summary>
/// Pushing with one rule taken away, each by its name. Comparing totals would find in the end what two of them let
/// through; so those are shown without it.
/// </summary>
internal static class BrokenRules
{
    private static readonly StripeVariant Unaudited = StripeVariant.True with { Audits = false };

    public static IReadOnlyDictionary<string, BrokenRule> All { get; } = new Dictionary<string, BrokenRule>
    {
        ["a refusal of what was sent before says nothing"] = Settled(rules => new RefusalSettles(rules)) with { FirstSeed = 540 },
        ["a limit met by what was sent before says nothing"] = Settled(rules => new LimitSettles(rules)) with { FirstSeed = 1_790 },
        ["a revoked key refuses nothing"] = Settled(rules => new RevokedKeyRejects(rules)),
        ["nothing is sent again once its identifier may be forgotten"] = Settled(rules => new ResendsForEver(rules)),
        ["a total is sent again at any age"] = Settled(rules => new ResendsTotalsForADay(rules)),
        ["a minute that holds the value settles"] = Settled(rules => new NeverFinds(rules)),
        ["an empty minute proves nothing while it may fill"] = Settled(rules => new BelievesEmptiness(rules)),
        ["a report is held against the minute"] = Settled(rules => new BelievesReports(rules)),
        ["a duplicate is looked for in its minute"] = new(
            Unaudited with { Settling = rules => new BelievesDuplicates(rules) }, Unaudited),
        ["error reports are heard"] = new(Unaudited with { HearsReports = false }, Unaudited),
        ["totals are compared"] = new(Unaudited, StripeVariant.True),
        ["totals settle nothing"] = new(
            StripeVariant.True with { Way = (connection, ledger) => new TotalsForMinutes(connection, ledger) }, StripeVariant.True),
        ["totals correct nothing"] = new(StripeVariant.True with { Compared = BelieveTotal }, StripeVariant.True) { FirstSeed = 220 },
        ["what was told counts in the period its timestamp lies in"] = new(
            StripeVariant.True with { Deltas = deltas => new NeverSorts(deltas) }, StripeVariant.True),
        ["what is refused too often waits for a human"] = Limited(rules => rules with { MaximumRejections = int.MaxValue }),
        ["what is refused is told anew after a while"] = Limited(rules => rules with { FirstRemint = TimeSpan.Zero }),
        ["summaries have time to settle"] = Limited(rules => rules with { SettleTime = TimeSpan.Zero }) with { FirstSeed = 960 },
        ["nothing is sent just before an invoice is final"] = Limited(rules => rules with { DeadlineMargin = TimeSpan.Zero }) with { FirstSeed = 1_680 },
    };

    private static BrokenRule Settled(Func<PushRules, Settling> settling) =>
        new(StripeVariant.True with { Settling = settling }, StripeVariant.True);

    private static BrokenRule Limited(Func<PushRules, PushRules> change) =>
        new(StripeVariant.True with { Rules = change }, StripeVariant.True);

    /// <summary>Takes what Stripe holds of a period for what it took of it, so that the difference is told.</summary>
    private static DeltaDocument BelieveTotal(DeltaDocument document, PeriodFinding finding) =>
        finding is { Agreement: Agreement.Differs, AtStripe: { } held } && document.Open is null
            ? document.With(document.Find(finding.Period.Start)! with { Accepted = held })
            : document;

    /// <summary>Leaves what was told in the periods it was told for, however they are cut since.</summary>
    private sealed class NeverSorts(IDeltaLedger deltas) : IDeltaLedger
    {
        public Task<bool> SaveAsync(DeltaDocument document, CancellationToken cancellation) =>
            deltas.SaveAsync(document with { CutFrom = null }, cancellation);

        public Task<DeltaDocument?> LoadAsync(DeltaKey key, CancellationToken cancellation) => deltas.LoadAsync(key, cancellation);

        public Task AppendHistoryAsync(DeltaKey key, PushIntent intent, CancellationToken cancellation) =>
            deltas.AppendHistoryAsync(key, intent, cancellation);

        public Task<IReadOnlyList<PushIntent>> HistoryAsync(DeltaKey key, long afterClosing, int limit, CancellationToken cancellation) =>
            deltas.HistoryAsync(key, afterClosing, limit, cancellation);

        public Task<PushIntent?> FindClosedAsync(string identifier, CancellationToken cancellation) => deltas.FindClosedAsync(identifier, cancellation);

        public Task<IReadOnlyList<AccountMode>> DueAccountsAsync(Instant now, int limit, CancellationToken cancellation) =>
            deltas.DueAccountsAsync(now, limit, cancellation);

        public Task<IReadOnlyList<DeltaKey>> DueAsync(
            string account, bool livemode, Instant now, int limit, CancellationToken cancellation) =>
            deltas.DueAsync(account, livemode, now, limit, cancellation);

        public Task<IReadOnlyList<DeltaDocument>> ListAsync(DeltaQuery query, CancellationToken cancellation) => deltas.ListAsync(query, cancellation);
    }

    /// <summary>Settles by what a period's total is above what was accepted, instead of by the intent's own minute.</summary>
    private sealed class TotalsForMinutes(AccountConnection connection, IDeltaLedger ledger) : IMeterEventSink
    {
        public Task<Admission> AdmitAsync(DeltaKey key, MeterNames? minting, CancellationToken cancellation) =>
            connection.AdmitAsync(key, minting, cancellation);

        public Task<AttemptOutcome> SendAsync(DeltaKey key, PushIntent intent, CancellationToken cancellation) =>
            connection.SendAsync(key, intent, cancellation);

        public async Task<Quantity?> ReadAsync(DeltaKey key, PushIntent intent, CancellationToken cancellation)
        {
            var delta = (await ledger.LoadAsync(key, cancellation).ConfigureAwait(false))!.PeriodOf(intent);
            var start = delta.Period.Start.Ceiling(TimeSpan.FromMinutes(1));
            var total = await connection.TotalAsync(key, start, delta.Period.End.ToMinute(), cancellation).ConfigureAwait(false);
            return total - (intent.State == IntentState.Accepted ? delta.Accepted - intent.Value : delta.Accepted);
        }
    }

    private sealed class RefusalSettles(PushRules rules) : Settling(rules)
    {
        public override IntentState AfterAttempt(PushIntent open, AttemptResult result) =>
            result == AttemptResult.Refused ? IntentState.Rejected : base.AfterAttempt(open, result);
    }

    private sealed class LimitSettles(PushRules rules) : Settling(rules)
    {
        public override IntentState AfterAttempt(PushIntent open, AttemptResult result) =>
            result == AttemptResult.NotExecuted ? IntentState.Pending : base.AfterAttempt(open, result);
    }

    private sealed class RevokedKeyRejects(PushRules rules) : Settling(rules)
    {
        public override IntentState AfterAttempt(PushIntent open, AttemptResult result) =>
            result == AttemptResult.Unauthorized && !open.IsDoubtful ? IntentState.Rejected : base.AfterAttempt(open, result);
    }

    private sealed class ResendsForEver(PushRules rules) : Settling(rules)
    {
        public override bool MayResend(PushIntent open, Instant at) => true;
    }

    private sealed class NeverFinds(PushRules rules) : Settling(rules)
    {
        public override Finding Judge(PushIntent intent, Quantity reading, Instant asked) =>
            base.Judge(intent, reading, asked) is var finding && finding == Finding.Found ? Finding.Unsettled : finding;
    }

    private sealed class BelievesEmptiness(PushRules rules) : Settling(rules)
    {
        public override Finding Judge(PushIntent intent, Quantity reading, Instant asked) =>
            reading == Quantity.Zero ? Finding.Missing : base.Judge(intent, reading, asked);
    }

    private sealed class BelievesReports(PushRules rules) : Settling(rules)
    {
        public override Finding Judge(PushIntent intent, Quantity reading, Instant asked) =>
            intent.Report.Length > 0 ? Finding.Rejected : base.Judge(intent, reading, asked);
    }

    private sealed class BelievesDuplicates(PushRules rules) : Settling(rules)
    {
        public override bool IsToBeFound(DeltaDocument document, PushIntent accepted) =>
            base.IsToBeFound(document, accepted with { IsDuplicate = false });
    }
}

/// <summary>Looks for a total in doubt as for a difference, once Stripe may have forgotten its identifier.</summary>
internal sealed class ResendsTotalsForADay(PushRules rules) : Settling(rules)
{
    public override bool MayResend(PushIntent open, Instant at) => base.MayResend(open with { Total = null }, at);
}
