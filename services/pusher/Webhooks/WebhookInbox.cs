using System.Globalization;
using System.Text.Json;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Stores;

namespace StripeMeter.Pusher.Webhooks;

/// <summary>
/// Keeps Stripe's events: durable before Stripe is answered, each taken once. They belong to accounts and not to tenants, so
/// they stand in the directory of the installation.
/// </summary>
internal sealed class WebhookInbox(IMeterStore store, PusherOptions options)
{
    private const int EventsBetweenTrims = 1_000;
    private readonly IDocuments _documents = store.Directory;
    private int _taken;

    /// <summary>False if it was taken before. Durable when it returns.</summary>
    /// <exception cref="StoreUnavailableException">It may not have been kept; Stripe delivers it again.</exception>
    public async Task<bool> TakeAsync(StripeEvent taken, CancellationToken cancellation)
    {
        var id = IdOf(taken);
        if (await _documents.GetAsync(DocumentKind.StripeEvent, id, cancellation).ConfigureAwait(false) is not null)
            return false;
        // The work first: an event that is remembered without it would never be worked on.
        var document = new StoredDocument(id, JsonSerializer.Serialize(taken), 0);
        await _documents.WriteAsync(DocumentKind.StripeEventWork, [document], cancellation).ConfigureAwait(false);
        var written = await _documents.WriteAsync(DocumentKind.StripeEvent, [document with { Body = "{}" }], cancellation).ConfigureAwait(false);
        if (Interlocked.Increment(ref _taken) % EventsBetweenTrims == 0)
            await _documents.TrimAsync(DocumentKind.StripeEvent, options.RememberedStripeEvents, cancellation).ConfigureAwait(false);
        return written[0];
    }

    /// <summary>Events about which something is still to be done, the oldest first, behind one of them.</summary>
    public async Task<IReadOnlyList<StripeEvent>> WaitingAsync(StripeEvent? after, CancellationToken cancellation)
    {
        var query = new DocumentQuery(DocumentKind.StripeEventWork) { After = after is null ? null : IdOf(after), Limit = options.WorkPage };
        var found = await _documents.ListAsync(query, cancellation).ConfigureAwait(false);
        return [.. found.Select(document => JsonSerializer.Deserialize<StripeEvent>(document.Body)!)];
    }

    public Task DoneAsync(StripeEvent done, CancellationToken cancellation) =>
        _documents.DeleteAsync(DocumentKind.StripeEventWork, IdOf(done), limit: 1, cancellation);

    /// <summary>In the order of time; ends with a character that no id has, so that none begins with another.</summary>
    private static string IdOf(StripeEvent named) =>
        string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, named.CreatedSeconds):d12}/{named.Id}/");
}
