using System.Text.Json.Nodes;

namespace StripeMeter.Gateway.Events;

/// <summary>Usage events to be stored.</summary>
/// <remarks>Documents what <see cref="EventJson"/> reads.</remarks>
/// <param name="Events">1 to 1,000 events.</param>
public sealed record IngestBody(IReadOnlyList<IngestEvent> Events);

/// <summary>One usage fact.</summary>
/// <param name="TenantId">The tenant: 1 to 128 printable characters.</param>
/// <param name="Metric">What is counted: 1 to 100 characters.</param>
/// <param name="CustomerRef">The customer, as the tenant names it: 1 to 255 characters.</param>
/// <param name="Quantity">How much.</param>
/// <param name="Ts">When it happened: RFC 3339 with a zone, in steps of 100 ns, at most an hour ahead of the server.</param>
/// <param name="ResourceId">Part of the customer's usage, such as a project: at most 255 characters.</param>
/// <param name="Meta">Anything else: at most 4,096 bytes.</param>
/// <param name="IdempotencyKey">Names the event within its tenant, at most 255 characters. Derived from the event when absent.</param>
/// <param name="Source">sdk, http (the default), etl, import or system.</param>
public sealed record IngestEvent(
    string TenantId, string Metric, string CustomerRef, SentQuantity Quantity, string Ts, string? ResourceId, JsonObject? Meta,
    string? IdempotencyKey, string? Source);

/// <summary>A CloudEvent 1.0 around an event. In binary mode its attributes are headers <c>ce-…</c> and the data is the body.</summary>
/// <remarks>Documents what <see cref="EventFormats.CloudEventReader"/> reads.</remarks>
/// <param name="Specversion">1.0.</param>
/// <param name="Id">With <c>source</c> the idempotency key, where the data gives none.</param>
/// <param name="Source">A URI reference that names the producer.</param>
/// <param name="Type">The metric, where the data gives none.</param>
/// <param name="Subject">The customer, where the data gives none.</param>
/// <param name="Time">When it happened, where the data does not say.</param>
/// <param name="Tenantid">The tenant, where the data gives none.</param>
/// <param name="Data">The event; what the attributes give may be left out.</param>
public sealed record UsageCloudEvent(
    string Specversion, string Id, string Source, string Type, string? Subject, string? Time, string? Tenantid, CloudEventData Data);

/// <summary>An event within a CloudEvent.</summary>
/// <param name="Quantity">How much.</param>
/// <param name="TenantId">The tenant.</param>
/// <param name="Metric">What is counted.</param>
/// <param name="CustomerRef">The customer, as the tenant names it.</param>
/// <param name="Ts">When it happened.</param>
/// <param name="ResourceId">Part of the customer's usage, such as a project.</param>
/// <param name="Meta">Anything else.</param>
/// <param name="IdempotencyKey">Names the event within its tenant.</param>
/// <param name="Source">sdk, http (the default), etl, import or system.</param>
public sealed record CloudEventData(
    SentQuantity Quantity, string? TenantId, string? Metric, string? CustomerRef, string? Ts, string? ResourceId, JsonObject? Meta,
    string? IdempotencyKey, string? Source);

/// <summary>A JSON number, or the same decimal as a string: above 0, at most 15 integer digits and 12 decimals.</summary>
public readonly record struct SentQuantity;

/// <summary>What became of the events.</summary>
/// <remarks>Documents what <see cref="IngestAnswer"/> writes.</remarks>
/// <param name="Accepted">Events stored now.</param>
/// <param name="Duplicates">Events that were stored already.</param>
/// <param name="Conflicts">Events refused because another one stands under their key.</param>
/// <param name="RequestId">Name of the request.</param>
/// <param name="Results">One entry per event, in the order of the request.</param>
/// <param name="Errors">The events that break a rule.</param>
public sealed record IngestResponse(
    int Accepted, int Duplicates, int Conflicts, string RequestId, IReadOnlyList<EventResult> Results,
    IReadOnlyList<EventError>? Errors);

/// <summary>What became of an event.</summary>
/// <param name="Index">Its index in the request.</param>
/// <param name="IdempotencyKey">The key it stands under: as sent, or as derived.</param>
/// <param name="Status">accepted, duplicate, conflict or error.</param>
/// <param name="Late">Received after its lateness window: held for approval, not counted.</param>
/// <param name="Error">What is wrong, as a sentence.</param>
/// <param name="Field">The field that is wrong.</param>
/// <param name="Reason">Why.</param>
/// <param name="Differences">Of a conflict: in what it differs from the event that stands.</param>
public sealed record EventResult(
    int Index, string IdempotencyKey, string Status, bool? Late, string? Error, string? Field, string? Reason,
    IReadOnlyList<DifferenceAnswer>? Differences);

/// <summary>A field in which two events under one key differ.</summary>
/// <param name="Field">The field.</param>
/// <param name="Sent">Its value in the event that was refused; long ones are cut.</param>
/// <param name="Standing">Its value in the event that stands.</param>
public sealed record DifferenceAnswer(string Field, string Sent, string Standing);

/// <summary>A rule that an event breaks.</summary>
/// <param name="Index">Index of the event in the request.</param>
/// <param name="Error">What is wrong, as a sentence.</param>
/// <param name="Field">The field that is wrong.</param>
/// <param name="Reason">Why.</param>
public sealed record EventError(int Index, string Error, string Field, string Reason);
