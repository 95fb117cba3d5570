using StripeMeter.EventFormats;
using StripeMeter.Gateway.Access;
using StripeMeter.Gateway.Errors;
using StripeMeter.Gateway.Requests;

namespace StripeMeter.Gateway.Events;

/// <summary><c>POST /v1/events/ingest</c>.</summary>
internal static class IngestEndpoint
{
    private const string KeyHeader = RequestKeyMiddleware.Header;

    public static readonly HeaderParameter KeyHeaderParameter = new(
        KeyHeader, "Event i without a key of its own gets the key `<this>:<i>`. At most 240 characters.", 240);

    public static async Task HandleAsync(
        HttpContext context, IngestAdmission admission, IngestDispatcher dispatcher, GatewayOptions options, GatewayInstruments instruments,
        TimeProvider clock)
    {
        var started = clock.GetTimestamp();
        admission.Foresee(context.Request.ContentLength);
        var format = FormatOf(context, options);
        using var body = await RequestBody.ReadOfAnyTypeAsync(context, options.IngestBodyBytes).ConfigureAwait(false);
        using var served = admission.Enter(body.Memory.Length);
        var events = Read(context, format, body, options);
        var results = await ReadEvents.DecideAsync(events, dispatcher.IngestAsync).ConfigureAwait(false);
        instruments.Ingested(clock.GetElapsedTime(started));
        await new IngestAnswer(results).SendAsync(context).ConfigureAwait(false);
    }

    private static IngestFormat FormatOf(HttpContext context, GatewayOptions options) =>
        context.Request.Headers[KeyHeader].ToString().Length > options.MaximumRequestKeyLength
            ? throw new ProblemException(Problem.Invalid(KeyHeader, $"must have at most {options.MaximumRequestKeyLength} characters"))
            : IngestFormats.Of(context.Request);

    private static List<ReadEvent> Read(HttpContext context, IngestFormat format, in RequestBody body, GatewayOptions options)
    {
        var requestKey = context.Request.Headers[KeyHeader].ToString();
        var events = format switch
        {
            IngestFormat.Json => EventJson.Read(body.Utf8, options.MaximumBatchEvents),
            IngestFormat.CloudEventBatch => CloudEventBody.ReadBatch(body.Memory, options.MaximumBatchEvents),
            IngestFormat.CloudEvent => CloudEventBody.ReadOne(body.Memory),
            _ => CloudEventBody.ReadBinary(context.Request, body.Memory),
        };
        HoldToCaller(events);
        for (var index = 0; index < events.Count; index++)
            events[index] = Complete(events[index], index, requestKey, options);
        return events;
    }

    /// <summary>Every event is the caller's, whatever else the request says; one that names no tenant is too.</summary>
    private static void HoldToCaller(List<ReadEvent> events)
    {
        var own = CallerTenant.Own;
        foreach (var read in events)
        {
            if (read.Event.TenantId.Length == 0 && own is not null)
                read.Event.TenantId = own;
            else if (read.Event.TenantId != own && !CallerTenant.MayName(read.Event.TenantId))
                throw new ProblemException(Problem.Forbidden("Mismatched tenantId in events"));
        }
    }

    private static ReadEvent Complete(ReadEvent read, int index, string requestKey, GatewayOptions options)
    {
        if (read.Event.IdempotencyKey.Length == 0 && requestKey.Length > 0)
            read.Event.IdempotencyKey = FormattableString.Invariant($"{requestKey}:{index}");
        return options.StrictTenantId && read.Error is null && !Guid.TryParseExact(read.Event.TenantId, "D", out _)
            ? read with { Error = new Metering.Events.FieldError(EventFields.Tenant, "must be a UUID") }
            : read;
    }
}
