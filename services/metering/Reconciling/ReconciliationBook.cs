using System.Globalization;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Reconciling;

/// <summary>A report and the revision it was read at.</summary>
public readonly record struct KeptReport(ReconciliationReport Report, long Revision);

/// <summary>The reports of one tenant: one present one per period of a customer on a meter, and what each said before.</summary>
public sealed class ReconciliationBook(IDocuments documents, ReconciliationRules rules)
{
    /// <summary>Tries against other writers of a report.</summary>
    public const int MaximumSaves = 20;

    /// <summary>The present report; null if the period was never compared.</summary>
    public async Task<KeptReport?> FindAsync(string reportId, CancellationToken cancellation) =>
        await documents.GetAsync(DocumentKind.ReconciliationReport, reportId, cancellation).ConfigureAwait(false) is { } stored
            ? new KeptReport(ReportJson.Read(stored.Body), stored.Revision)
            : null;

    /// <summary>Reports of periods that start in a range, by the start of the period.</summary>
    /// <param name="from">Inclusive.</param>
    /// <param name="to">Exclusive.</param>
    /// <param name="after">Starts behind this report; null: at the beginning.</param>
    /// <param name="limit">How many at most.</param>
    /// <param name="cancellation">Ends the read.</param>
    public async Task<IReadOnlyList<ReconciliationReport>> ListAsync(
        Instant from, Instant to, string? after, int limit, CancellationToken cancellation)
    {
        var query = new DocumentQuery(DocumentKind.ReconciliationReport) { After = after ?? ReportId.StartOf(from), Limit = limit };
        var found = await documents.ListAsync(query, cancellation).ConfigureAwait(false);
        var end = ReportId.StartOf(to);
        return [.. found.TakeWhile(stored => string.CompareOrdinal(stored.Id, end) < 0).Select(stored => ReportJson.Read(stored.Body))];
    }

    /// <summary>What a report said before, the newest first.</summary>
    public async Task<IReadOnlyList<ReconciliationReport>> HistoryAsync(string reportId, CancellationToken cancellation)
    {
        var query = new DocumentQuery(DocumentKind.ReconciliationHistory) { Prefix = reportId + "#", Descending = true, Limit = rules.KeptHistory };
        var found = await documents.ListAsync(query, cancellation).ConfigureAwait(false);
        return [.. found.Select(stored => ReportJson.Read(stored.Body))];
    }

    /// <summary>
    /// Puts a report in the place of the one that was read. What that one said goes to the history first, if the new one
    /// says something else. False if another writer was faster.
    /// </summary>
    public async Task<bool> SaveAsync(ReconciliationReport report, KeptReport? before, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(report);
        if (before is { Report: var earlier } && report.TellsOtherThan(earlier))
        {
            report = report with { Changes = earlier.Changes + 1 };
            var entry = new StoredDocument(HistoryId(report.Id, report.Changes), ReportJson.Write(earlier), 0);
            await documents.WriteAsync(DocumentKind.ReconciliationHistory, [entry], cancellation).ConfigureAwait(false);
            if (report.Changes > rules.KeptHistory)
                await documents.DeleteAsync(DocumentKind.ReconciliationHistory, HistoryId(report.Id, report.Changes - rules.KeptHistory), 1, cancellation).ConfigureAwait(false);
        }

        var document = new StoredDocument(report.Id, ReportJson.Write(report), before?.Revision ?? 0);
        var written = await documents.WriteAsync(DocumentKind.ReconciliationReport, [document], cancellation).ConfigureAwait(false);
        return written[0];
    }

    /// <summary>Enters that a suggestion has become an adjustment. False if the report has no such suggestion any more.</summary>
    public async Task<bool> EnterAppliedAsync(
        string reportId, AdjustmentSuggestion suggestion, string adjustmentId, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(suggestion);
        for (var save = 0; save < MaximumSaves; save++)
        {
            if (await FindAsync(reportId, cancellation).ConfigureAwait(false) is not { } kept)
                return false;
            if (kept.Report.Applied.Any(applied => applied.SuggestionId == suggestion.Id))
                return true;
            var report = kept.Report with
            {
                Suggestion = kept.Report.Suggestion?.Id == suggestion.Id ? null : kept.Report.Suggestion,
                Applied = [.. kept.Report.Applied, new AppliedSuggestion(suggestion.Id, adjustmentId, suggestion.Delta)],
            };
            if (await SaveAsync(report, kept, cancellation).ConfigureAwait(false))
                return true;
        }

        throw new StoreUnavailableException("Other writers were faster each time.");
    }

    private static string HistoryId(string reportId, int change) => string.Create(CultureInfo.InvariantCulture, $"{reportId}#{change:D10}");
}
