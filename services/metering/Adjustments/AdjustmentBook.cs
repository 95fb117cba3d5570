using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Adjustments;

/// <summary>What became of asking for a transition.</summary>
/// <param name="State">As it stands now.</param>
/// <param name="Appended">What is new in the ledger; null if the transition was not taken, or had been before.</param>
public sealed record AdjustmentTransition(AdjustmentState State, AppendedControls? Appended);

/// <summary>
/// The adjustments of one tenant. Manual ones are documents; late events stand in the ledger and are read there, never
/// copied. Approving and reverting append control records: each stands once, whoever asks and however often.
/// </summary>
public sealed class AdjustmentBook(ILedger ledger, IDocuments documents, TimeProvider clock)
{
    private const string LatePrefix = "late_";

    private Instant Now => Instant.Of(clock.GetUtcNow());

    /// <summary>The id under which the event that stands under a key is found, if it is late.</summary>
    public static string IdOfLateEvent(string eventKey) => LatePrefix + Base64Url.EncodeToString(Encoding.UTF8.GetBytes(eventKey));

    /// <summary>
    /// Records a manual adjustment, pending. <paramref name="draft"/> has no id yet: it is made of the time and of
    /// <paramref name="unique"/>. Null if the same request was made with other content, whoever made it.
    /// </summary>
    public async Task<Adjustment?> CreateAsync(Adjustment draft, string unique, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(draft);
        var now = Now;
        var created = draft with { Id = FormattableString.Invariant($"{now.Ticks:D19}-{unique}"), Created = now };
        if (draft.RequestId.Length > 0)
        {
            // The request is kept first, with all its content: who repeats it after a crash completes it.
            var first = await ClaimAsync(created, cancellation).ConfigureAwait(false);
            if (first with { Id = created.Id, Created = created.Created, Actor = created.Actor } != created)
                return null;
            created = first;
        }

        await KeepAsync(created, cancellation).ConfigureAwait(false);
        return created;
    }

    /// <summary>What a request of this name created, also if creating it broke off, and what became of it; null if there was none.</summary>
    public async Task<AdjustmentState?> FindRequestedAsync(string requestId, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(requestId);
        if (await FindClaimAsync(requestId, cancellation).ConfigureAwait(false) is not { } requested)
            return null;
        await KeepAsync(requested, cancellation).ConfigureAwait(false);
        return (await StatesAsync([requested], cancellation).ConfigureAwait(false))[0];
    }

    /// <summary>An adjustment and what became of it; null if there is none of this id.</summary>
    public async Task<AdjustmentState?> FindAsync(string id, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(id);
        var adjustment = id.StartsWith(LatePrefix, StringComparison.Ordinal)
            ? await FindLateAsync(id, cancellation).ConfigureAwait(false)
            : await documents.GetAsync(DocumentKind.Adjustment, id, cancellation).ConfigureAwait(false) is { } stored
                ? AdjustmentJson.Read(stored.Body) : null;
        return adjustment is null ? null : (await StatesAsync([adjustment], cancellation).ConfigureAwait(false))[0];
    }

    /// <summary>Manual adjustments, then late events.</summary>
    public async Task<AdjustmentPage> ListAsync(AdjustmentQuery query, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(query);
        if (query.LateOnly || query.After?.LateEvent is not null)
            return await ListLateAsync(query, cancellation).ConfigureAwait(false);
        var found = await documents.ListAsync(
            new DocumentQuery(DocumentKind.Adjustment) { After = query.After?.ManualId, Descending = true, Limit = query.Limit },
            cancellation).ConfigureAwait(false);
        var kept = found.Select(document => AdjustmentJson.Read(document.Body)).Where(adjustment => Keeps(query, adjustment));
        var manual = OfStatus(await StatesAsync([.. kept], cancellation).ConfigureAwait(false), query);
        if (found.Count == query.Limit)
            return new AdjustmentPage(manual, new AdjustmentCursor(found[^1].Id, null));
        var late = await ListLateAsync(query with { Limit = Math.Max(1, query.Limit - manual.Count) }, cancellation).ConfigureAwait(false);
        return late with { Adjustments = [.. manual, .. late.Adjustments] };
    }

    /// <summary>Counts a pending adjustment. Nothing is done to one that was approved or reverted before.</summary>
    public Task<AdjustmentTransition> ApproveAsync(AdjustmentState state, string actor, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(state);
        return state.Status == AdjustmentStatus.Pending
            ? AppendAsync(state.Adjustment, state.Adjustment.ApprovalKind, "", actor, cancellation)
            : Task.FromResult(new AdjustmentTransition(state, null));
    }

    /// <summary>Takes an adjustment back for ever, also a pending one. Nothing is done to one that was reverted before.</summary>
    public Task<AdjustmentTransition> RevertAsync(
        AdjustmentState state, string actor, string note, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(state);
        var revert = state.Adjustment.ApprovalKind == RecordKind.LateEventApproved
            ? RecordKind.LateEventReverted : RecordKind.AdjustmentReverted;
        return state.Status != AdjustmentStatus.Reverted
            ? AppendAsync(state.Adjustment, revert, note, actor, cancellation)
            : Task.FromResult(new AdjustmentTransition(state, null));
    }

    /// <summary>What became of adjustments, by the two records that tell it.</summary>
    public async Task<IReadOnlyList<AdjustmentState>> StatesAsync(
        IReadOnlyList<Adjustment> adjustments, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(adjustments);
        var keys = adjustments.SelectMany(adjustment => (RecordKey[])[ApprovalOf(adjustment), RevertOf(adjustment)]).ToArray();
        var found = await ledger.FindAsync(keys, cancellation).ConfigureAwait(false);
        return [.. adjustments.Select(adjustment => new AdjustmentState(
            adjustment, found.GetValueOrDefault(ApprovalOf(adjustment)), found.GetValueOrDefault(RevertOf(adjustment))))];
    }

    /// <summary>A late event of the ledger as the adjustment that it is.</summary>
    public static Adjustment OfLateEvent(LedgerRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        var usage = record.Event ?? throw new ArgumentException("Only events come late.", nameof(record));
        return new Adjustment
        {
            Id = IdOfLateEvent(record.Key), Metric = usage.Metric, Customer = usage.Customer, At = usage.Timestamp,
            Delta = usage.Quantity, Reason = AdjustmentReason.LateEvent, Actor = "event", Created = record.Received, EventKey = record.Key,
        };
    }

    private async Task<AdjustmentTransition> AppendAsync(
        Adjustment adjustment, RecordKind kind, string note, string actor, CancellationToken cancellation)
    {
        var body = new ControlBody
        {
            Subject = adjustment.Subject, Metric = adjustment.Metric, Customer = adjustment.Customer, At = adjustment.At,
            Quantity = adjustment.Delta, Actor = actor, Note = note,
        };
        var key = kind == adjustment.ApprovalKind ? ApprovalOf(adjustment) : RevertOf(adjustment);
        var appended = await new ControlAppender(ledger).AppendAsync(
            [LedgerRecord.OfControl(key.Key, kind, body, Now)], cancellation).ConfigureAwait(false);
        var states = await StatesAsync([adjustment], cancellation).ConfigureAwait(false);
        return new AdjustmentTransition(states[0], appended.Outcomes[0].Appended ? appended : null);
    }

    private async Task KeepAsync(Adjustment created, CancellationToken cancellation) => await documents.WriteAsync(
        DocumentKind.Adjustment, [new StoredDocument(created.Id, AdjustmentJson.Write(created), 0)], cancellation).ConfigureAwait(false);

    private async Task<Adjustment> ClaimAsync(Adjustment created, CancellationToken cancellation)
    {
        var written = await documents.WriteAsync(
            DocumentKind.AdjustmentRequest, [new StoredDocument(ClaimOf(created.RequestId), AdjustmentJson.Write(created), 0)], cancellation)
            .ConfigureAwait(false);
        return written[0]
            ? created
            : await FindClaimAsync(created.RequestId, cancellation).ConfigureAwait(false)
                ?? throw new StoreUnavailableException("The request that came first cannot be read yet.");
    }

    private async Task<Adjustment?> FindClaimAsync(string requestId, CancellationToken cancellation) =>
        await documents.GetAsync(DocumentKind.AdjustmentRequest, ClaimOf(requestId), cancellation).ConfigureAwait(false) is { } claim
            ? AdjustmentJson.Read(claim.Body) : null;

    private static string ClaimOf(string requestId) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(requestId)));

    private async Task<Adjustment?> FindLateAsync(string id, CancellationToken cancellation)
    {
        var encoded = id.AsSpan(LatePrefix.Length);
        if (!Base64Url.IsValid(encoded))
            return null;
        var key = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(encoded));
        var found = await ledger.FindAsync([new RecordKey(KeySpace.Client, key)], cancellation).ConfigureAwait(false);
        return found.Values.FirstOrDefault() is { Record: { Late: true } record } ? OfLateEvent(record) : null;
    }

    private async Task<AdjustmentPage> ListLateAsync(AdjustmentQuery query, CancellationToken cancellation)
    {
        var events = new EventQuery
        {
            Metric = query.Metric, Customer = query.Customer, From = query.From, To = query.To, Late = true,
            After = query.After?.LateEvent, Limit = query.Limit,
        };
        var found = await ledger.QueryAsync(events, cancellation).ConfigureAwait(false);
        var states = await StatesAsync([.. found.Select(entry => OfLateEvent(entry.Record))], cancellation).ConfigureAwait(false);
        return new AdjustmentPage(
            OfStatus(states, query),
            found.Count < query.Limit ? null : new AdjustmentCursor(null, EventCursor.Of(found[^1], events.Order)));
    }

    private static List<AdjustmentState> OfStatus(IReadOnlyList<AdjustmentState> states, AdjustmentQuery query) =>
        [.. states.Where(state => query.Status is null || state.Status == query.Status)];

    private static bool Keeps(AdjustmentQuery query, Adjustment adjustment) =>
        (query.Metric is null || query.Metric == adjustment.Metric)
        && (query.Customer is null || query.Customer == adjustment.Customer)
        && adjustment.At >= query.From && adjustment.At <= query.To;

    private static RecordKey ApprovalOf(Adjustment adjustment) =>
        new(KeySpace.Control, ControlRecords.ApprovalKey(adjustment.ApprovalKind, adjustment.Subject));

    private static RecordKey RevertOf(Adjustment adjustment) =>
        new(KeySpace.Control, ControlRecords.RevertKey(adjustment.ApprovalKind, adjustment.Subject));
}
