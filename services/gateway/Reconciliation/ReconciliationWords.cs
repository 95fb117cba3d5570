using StripeMeter.V1;

namespace StripeMeter.Gateway.Reconciliation;

/// <summary>Statuses and reasons as REST spells them.</summary>
internal static class ReconciliationWords
{
    public static readonly (string Word, ReconciliationStatus Value)[] Statuses =
    [
        ("ok", ReconciliationStatus.Ok), ("investigate", ReconciliationStatus.Investigate), ("resolved", ReconciliationStatus.Resolved),
    ];

    private static readonly (string Word, DriftReason Value)[] Reasons =
    [
        ("summaries_lag", DriftReason.SummariesLag), ("looked_for", DriftReason.LookedFor), ("foreign_writer", DriftReason.ForeignWriter),
        ("unbilled", DriftReason.Unbilled), ("told_again", DriftReason.ToldAgain), ("unexplained", DriftReason.Unexplained),
    ];

    public static string Of(ReconciliationStatus status) => Statuses.First(pair => pair.Value == status).Word;

    /// <summary>Null where nothing differs.</summary>
    public static string? Of(DriftReason reason) => Reasons.FirstOrDefault(pair => pair.Value == reason).Word;

    /// <summary>What stands where older clients have a subscription item.</summary>
    public static string ItemOf(ReconciliationReport report) => $"{report.MeterId}/{report.StripeCustomer}";

    /// <summary>A decimal without its sign.</summary>
    public static string Magnitude(string number) => number.TrimStart('-');
}
