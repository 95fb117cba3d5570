using CsCheck;

namespace StripeMeter.Metering.Tests.Backfilling;

/// <summary>
/// Whatever order live events, staging, committing, taking back, folding and recounting come in, and wherever the processes that do it
/// die: counters end in the bits of the reference meter, a backfill counts whole or not at all, and what was answered is kept.
/// </summary>
public sealed class BackfillPropertyTests
{
    private const int Cases = 5_000;
    private const int Survives = 1_000;

    private static readonly Gen<BackfillStep[]> Histories = Gen.Select(
            Gen.Enum<BackfillAction>(), Gen.Int[0, 63], Gen.Int[0, 63], Gen.Frequency((3, Gen.Const(Survives)), (2, Gen.Int[0, 12])),
            (action, what, which, calls) => new BackfillStep(action, what, which, calls))
        .Array[1, 40];

    [Fact]
    public void AnyHistory_CountsBackfillsWholeOrNotAtAll() => Histories.Sample(
        steps =>
        {
            var history = new BackfillHistory();
            foreach (var step in steps)
                history.Take(step);
            history.Finish();

            Assert.Empty(history.Disagreements());
        },
        iter: Cases, threads: 1);
}

/// <summary>What may happen.</summary>
public enum BackfillAction
{
    Ingest,
    Open,
    Stage,
    Commit,
    Revert,
    Work,
    Fold,
    Recount,
}

/// <summary>Something happens.</summary>
/// <param name="Action">What.</param>
/// <param name="What">Chooses a subject.</param>
/// <param name="Which">Chooses a backfill.</param>
/// <param name="Calls">Calls to the store before the process dies that does it.</param>
public readonly record struct BackfillStep(BackfillAction Action, int What, int Which, int Calls);
