using StripeMeter.V1;

namespace StripeMeter.Gateway.Adjustments;

/// <summary>Reasons and statuses as REST spells them.</summary>
internal static class AdjustmentWords
{
    public static readonly (string Word, AdjustmentStatus Value)[] Statuses =
    [
        ("pending", AdjustmentStatus.Pending), ("approved", AdjustmentStatus.Approved), ("reverted", AdjustmentStatus.Reverted),
    ];

    private static readonly (string Word, AdjustmentReason Value)[] Reasons =
    [
        ("backfill", AdjustmentReason.Backfill), ("correction", AdjustmentReason.Correction), ("promo", AdjustmentReason.Promo),
        ("credit", AdjustmentReason.Credit), ("manual", AdjustmentReason.Manual), ("late_event", AdjustmentReason.LateEvent),
    ];

    public static string Of(AdjustmentStatus status) => Statuses.First(pair => pair.Value == status).Word;

    public static string Of(AdjustmentReason reason) => Reasons.First(pair => pair.Value == reason).Word;

    /// <summary>Unspecified for a word that is none.</summary>
    public static AdjustmentReason Reason(string word) => Reasons.FirstOrDefault(pair => pair.Word == word).Value;
}
