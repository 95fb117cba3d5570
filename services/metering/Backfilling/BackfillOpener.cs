using System.Text.Json;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Stores;

namespace StripeMeter.Metering.Backfilling;

/// <summary>What became of asking for a backfill.</summary>
/// <param name="Backfill">The one that was opened, now or before; null if the request has the name of another.</param>
/// <param name="Already">It had been opened before.</param>
public readonly record struct BackfillOpening(Backfill? Backfill, bool Already);

/// <summary>
/// Opens a backfill once for each request that its caller names. Asked again with the same content it is the same backfill. Only an
/// upload that was not committed is begun anew: its file comes again from the start, and what waits of the first attempt is given up.
/// </summary>
public sealed class BackfillOpener(ITenantStore tenant, TimeProvider clock)
{
    private const int MaximumTries = 20;
    private const string Superseded = "Its upload broke off, and was begun anew by the same request.";
    private readonly BackfillBook _book = new(tenant, clock);

    /// <param name="draft">With the id that it gets if it is new.</param>
    /// <param name="requestKey">The name of the request; empty if it has none.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    public async Task<BackfillOpening> OpenAsync(Backfill draft, string requestKey, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(draft);
        ArgumentNullException.ThrowIfNull(requestKey);
        if (requestKey.Length == 0)
            return new BackfillOpening(await _book.OpenAsync(draft, cancellation).ConfigureAwait(false), false);
        for (var attempt = 0; attempt < MaximumTries; attempt++)
        {
            // The request is kept first: who repeats it after a crash completes it.
            var stored = await tenant.Documents.GetAsync(DocumentKind.BackfillRequest, requestKey, cancellation).ConfigureAwait(false);
            if (stored is { } known && Request.Of(known) is var first)
            {
                if (first.Content != ContentOf(draft))
                    return new BackfillOpening(null, false);
                var standing = await _book.FindAsync(first.Backfill, cancellation).ConfigureAwait(false);
                if (standing is null)
                    return new BackfillOpening(await OpenOrFindAsync(draft with { Id = first.Backfill }, cancellation).ConfigureAwait(false), false);
                if (!IsUnfinishedUpload(standing))
                    return new BackfillOpening(standing, true);
                var givenUp = await _book.RevertAsync(standing.Id, draft.Actor, "", Superseded, cancellation).ConfigureAwait(false);
                if (givenUp.Refusal is not null)
                    continue;
            }

            var request = new Request(draft.Id, ContentOf(draft)).ToDocument(requestKey, stored?.Revision ?? 0);
            if ((await tenant.Documents.WriteAsync(DocumentKind.BackfillRequest, [request], cancellation).ConfigureAwait(false))[0])
                return new BackfillOpening(await OpenOrFindAsync(draft, cancellation).ConfigureAwait(false), false);
        }

        throw new StoreUnavailableException("The same request is made too often at once.");
    }

    private async Task<Backfill> OpenOrFindAsync(Backfill draft, CancellationToken cancellation)
    {
        var opened = await _book.OpenAsync(draft, cancellation).ConfigureAwait(false);
        return await _book.FindAsync(draft.Id, cancellation).ConfigureAwait(false) ?? opened;
    }

    /// <summary>Nothing of it was ever to be counted, so it can be begun anew.</summary>
    private static bool IsUnfinishedUpload(Backfill backfill) => backfill is { Kind: BackfillKind.Import, CommitDecided: null };

    /// <summary>What must be the same in a request that is made again; not who makes it.</summary>
    private static string ContentOf(Backfill draft) => JsonSerializer.Serialize(
        new { draft.Kind, draft.Scope, draft.Reason, draft.Source, draft.DryRun });

    private sealed record Request(string Backfill, string Content)
    {
        public StoredDocument ToDocument(string key, long revision) => new(key, JsonSerializer.Serialize(this), revision);

        public static Request Of(StoredDocument stored) => JsonSerializer.Deserialize<Request>(stored.Body)!;
    }
}
