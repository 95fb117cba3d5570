using System.Buffers.Text;
using System.Globalization;
using System.Text;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Reconciling;

/// <summary>Ids of reports: ordered by the start of their period, so that those of a month lie together.</summary>
public static class ReportId
{
    private const string SuggestionPrefix = "recon_";

    public static string Of(in DeltaKey key, Instant periodStart) => string.Join(
        '/', StartOf(periodStart), key.Account, key.Livemode ? "live" : "test", key.MeterId, key.StripeCustomer);

    /// <summary>How ids of periods begin that start at this instant.</summary>
    public static string StartOf(Instant periodStart) => periodStart.Ticks.ToString("D19", CultureInfo.InvariantCulture);

    /// <summary>Names a suggestion of a report.</summary>
    /// <param name="reportId">The report.</param>
    /// <param name="number">Counts the suggestions of the report.</param>
    public static string OfSuggestion(string reportId, int number) =>
        SuggestionPrefix + Base64Url.EncodeToString(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{number}/{reportId}")));

    /// <summary>The report that a suggestion is of; null if the text names none.</summary>
    public static string? OfReport(string suggestionId)
    {
        ArgumentNullException.ThrowIfNull(suggestionId);
        var encoded = suggestionId.AsSpan(Math.Min(SuggestionPrefix.Length, suggestionId.Length));
        if (!suggestionId.StartsWith(SuggestionPrefix, StringComparison.Ordinal) || !Base64Url.IsValid(encoded))
            return null;
        var text = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(encoded));
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? null : text[(slash + 1)..];
    }
}
