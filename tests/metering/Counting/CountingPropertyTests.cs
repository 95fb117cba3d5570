using CsCheck;
using StripeMeter.Kits.Simulated.Database;

namespace StripeMeter.Metering.Tests.Counting;

/// <summary>
/// Any order of what clients, operators, processes and machines do ends in the bits of the reference meter, and every
/// answer on the way is true.
/// </summary>
public sealed class CountingPropertyTests
{
    private const int Cases = 10_000;
    private const int CasesThatFind = 6_000;

    /// <summary>Each history has some of the actions only: where all are drawn alike, few come to meet each other often.</summary>
    private static readonly Gen<CountingStep[]> Histories =
        from some in Gen.Shuffle(Enum.GetValues<CountingAction>(), 2, 10)
        from steps in StepOf([.. some, CountingAction.Ingest, CountingAction.Ingest, CountingAction.Fold]).Array[1, 80]
        select steps;

    private static readonly Dictionary<string, DatabaseRules> Broken = new()
    {
        ["unique keys"] = new() { UniqueKeys = false },
        ["guarded rows"] = new() { GuardedRows = false },
    };

    public static TheoryData<string> Rules => [.. Broken.Keys];

    [Fact]
    public void AnyHistory_EndsInTheBitsOfTheReferenceMeter() =>
        Histories.Sample(history => Assert.Empty(DisagreementsOf(history, new DatabaseRules())), iter: Cases, threads: 1);

    [Theory, MemberData(nameof(Rules))]
    public void AnyHistory_WithoutARuleOfTheStore_IsFound(string rule) => Assert.ThrowsAny<CsCheckException>(() =>
        Histories.Sample(history => Assert.Empty(DisagreementsOf(history, Broken[rule])), iter: CasesThatFind, threads: 1));

    private static Gen<CountingStep> StepOf(CountingAction[] actions) => Gen.Select(
        Gen.Int[0, actions.Length - 1], Gen.Int[0, 255], Gen.Int[0, 255], (action, what, which) => new CountingStep(actions[action], what, which));

    private static IReadOnlyList<string> DisagreementsOf(CountingStep[] steps, DatabaseRules rules)
    {
        var history = new CountingHistory(shards: 1 + (steps.Length % 2), rules);
        foreach (var step in steps)
            history.Take(step);
        history.Finish();
        return history.Disagreements();
    }
}

/// <summary>What may happen.</summary>
public enum CountingAction
{
    Ingest,
    IngestAgain,
    IngestBatch,
    IngestBySession,
    Stage,
    CommitBackfill,
    RevertBackfill,
    RunBackfills,
    CreateAdjustment,
    Approve,
    Revert,
    Replay,
    ExcludeSession,
    ChangeAnchor,
    Rebuild,
    Fold,
    Deliver,
    Recount,
    CountForLater,
    InstallWhatWasCounted,
    Audit,
    LeaveAHole,
    WriteLate,
    TimePasses,
    Restart,
    RestartWithoutState,
    StateFallsBack,
    DeleteRows,
}

/// <summary>Something happens.</summary>
/// <param name="Action">What.</param>
/// <param name="What">Chooses a subject.</param>
/// <param name="Which">Chooses who does it, or when it is about.</param>
public readonly record struct CountingStep(CountingAction Action, int What, int Which);
