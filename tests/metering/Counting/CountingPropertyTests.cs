using CsCheck;
using StripeMeter.Kits.Reference;

namespace StripeMeter.Metering.Tests.Counting;

/// <summary>
/// Any order of sending, sending again, approving, reverting, excluding, anchoring, repairing, folding by either of two
/// activations, restarting and recounting ends in the bits of the reference meter.
/// </summary>
public sealed class CountingPropertyTests
{
    private const int Cases = 10_000;

    private static readonly Gen<CountingStep[]> Histories =
        Gen.Select(Gen.Enum<CountingAction>(), Gen.Int[0, 63], Gen.Int[0, 63], (action, what, which) => new CountingStep(action, what, which))
            .Array[1, 40];

    [Fact]
    public void AnyHistory_EndsInTheBitsOfTheReferenceMeter() => Histories.Sample(
        steps =>
        {
            var history = new CountingHistory();
            foreach (var step in steps)
                history.Take(step);
            history.Finish();

            var expected = ReferenceMeter.Count(history.Log());
            foreach (var row in history.Rows())
            {
                var key = new ReferenceKey(CountingHistory.Tenant, row.Counter.Key.Metric, row.Counter.Key.Customer, row.Counter.Key.PeriodStart.ToUtc());
                if (expected.Remove(key, out var reference))
                    Assert.True(ReferenceMeter.Agrees(reference, row.Counter), $"{row.Counter} is not {reference}");
                else
                    Assert.True(row.Counter.Aggregates.IsEmpty, $"{row.Counter} is not in the log");
            }

            Assert.DoesNotContain(expected.Values, reference => reference.Count > 0 || !reference.Sum.IsZero);
            Assert.Empty(history.AuditFindings());
        },
        iter: Cases, threads: 1);
}

/// <summary>What may happen.</summary>
public enum CountingAction
{
    Ingest,
    IngestAgain,
    IngestBySession,
    ApproveLate,
    RevertLate,
    ApproveAdjustment,
    RevertAdjustment,
    ExcludeSession,
    ChangeAnchor,
    Repair,
    Fold,
    Recount,
    CountForLater,
    InstallWhatWasCounted,
    Restart,
    RestartWithoutState,
}

/// <summary>Something happens.</summary>
/// <param name="Action">What.</param>
/// <param name="What">Chooses a subject.</param>
/// <param name="Which">Chooses who does it, or when it is about.</param>
public readonly record struct CountingStep(CountingAction Action, int What, int Which);
