using System.IO.Compression;
using System.Text;
using Grpc.Core;
using Microsoft.AspNetCore.Http.Features;
using StripeMeter.EventFiles;
using StripeMeter.Gateway.Access;
using StripeMeter.Gateway.Errors;
using StripeMeter.Gateway.Events;
using StripeMeter.Gateway.Requests;
using StripeMeter.V1;
using Backfills = StripeMeter.V1.BackfillService.BackfillServiceClient;

namespace StripeMeter.Gateway.Backfilling;

/// <summary>
/// <c>POST /v1/events/backfill</c>: events within a JSON body, or a file as the body itself, which is read as it comes. All that
/// can be read waits durably before the answer; then it is committed. If the file breaks off, none of it counts.
/// </summary>
internal static class BackfillImport
{
    public const string Actor = "api";
    private const string Gzip = "gzip";
    private const int MaximumDepth = 128;
    private static readonly HashSet<string> Members =
        ["tenantId", "metric", "customerRef", "periodStart", "periodEnd", "reason", "events", "csvData", "sourceUrl", "dryRun"];

    private static readonly DayParameter From = new("periodStart", "Of a file: only events from this day or moment on.");
    private static readonly DayParameter To = new("periodEnd", "Of a file: only events up to this day, inclusive, or moment.");
    private static readonly FlagParameter DryRun = new("dryRun", "Of a file: append nothing; say what would be.");
    private static readonly TextParameter Tenant = new("tenantId", "Of a file: the tenant. Required there; a caller with a key may leave it out.", 128)
    {
        WhenAbsent = static () => CallerTenant.Own,
    };

    private static readonly TextParameter Reason = new("reason", "Of a file: why, for people. Required there.", 500);

    public static readonly QueryParameter[] Parameters =
        [Tenant, CommonParameters.Metric, CommonParameters.Customer, From, To, Reason, DryRun];

    public static Task<BackfillBegun> HandleAsync(HttpContext context, Backfills backfills, GatewayOptions options) =>
        FormatOf(context.Request) is { } format
            ? ImportFileAsync(context, format, backfills, options)
            : ImportBodyAsync(context, backfills, options);

    private static async Task<BackfillBegun> ImportFileAsync(
        HttpContext context, EventFileFormat format, Backfills backfills, GatewayOptions options)
    {
        var query = new QueryReader(context);
        var request = new OpenBackfillRequest
        {
            TenantId = query.Text(Tenant with { Required = true }),
            Kind = BackfillKind.Import,
            Reason = query.Text(Reason with { Required = true }),
            DryRun = query.Read(DryRun) ?? false,
            Actor = Actor,
            RequestKey = RequestKeyMiddleware.KeyOf(context),
            SourceType = format == EventFileFormat.Csv ? "csv" : "jsonl",
        };
        Restrict(request, query.Text(CommonParameters.Metric), query.Text(CommonParameters.Customer));
        BackfillPeriod.Set(request, context.Request.Query[From.Name], context.Request.Query[To.Name], query.Add, isDayAlone: false);
        query.Check();

        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = options.BackfillFileMebibytes * 1024L * 1024L;
        var sent = new HashedContent(context.Request.Body);
        await using var _ = sent.ConfigureAwait(false);
        Stream content = IsGzip(context.Request) ? new GZipStream(sent, CompressionMode.Decompress, leaveOpen: true) : sent;
        await using var __ = content.ConfigureAwait(false);
        return await ImportAsync(
            request, backfills, sent,
            feeder => feeder.FeedAsync(
                EventFile.ReadAsync(content, format, DefaultsOf(request), context.RequestAborted), options.MaximumBackfillFileRows),
            context.RequestAborted).ConfigureAwait(false);
    }

    private static async Task<BackfillBegun> ImportBodyAsync(HttpContext context, Backfills backfills, GatewayOptions options)
    {
        using var body = await JsonBody.ReadAsync(context, options.BackfillBodyBytes, Members, MaximumDepth).ConfigureAwait(false);
        var request = new OpenBackfillRequest
        {
            TenantId = body.Text("tenantId", required: true) ?? "",
            Kind = BackfillKind.Import,
            Reason = body.Text("reason", required: true) ?? "",
            DryRun = body.Flag("dryRun") ?? false,
            Actor = Actor,
            RequestKey = RequestKeyMiddleware.KeyOf(context),
        };
        Restrict(request, body.Text("metric", required: true) ?? "", body.Text("customerRef") ?? "");
        BackfillPeriod.Set(request, body.Text("periodStart", required: true), body.Text("periodEnd"), body.Add, isDayAlone: true);
        var events = body.Array("events");
        var csv = body.Text("csvData");
        if (body.Text("sourceUrl") is { Length: > 0 })
            body.Add("sourceUrl", "is not supported: send the file itself, as text/csv or application/x-ndjson, or its text as csvData");
        else if (events is null && string.IsNullOrEmpty(csv))
            body.Add("events", "is required, unless csvData holds the events");
        body.Check();
        if (Math.Max(events?.Length ?? 0, csv?.Length ?? 0) > options.MaximumDirectBackfillCharacters)
            throw new ProblemException(Problem.TooLarge(options.MaximumDirectBackfillCharacters) with { Title = "Payload Too Large" });

        request.SourceType = events is null ? "csv" : "json";
        using var text = new MemoryStream(Encoding.UTF8.GetBytes(events ?? csv!));
        var content = new HashedContent(text);
        await using var _ = content.ConfigureAwait(false);
        if (events is null)
        {
            return await ImportAsync(
                request, backfills, content,
                feeder => feeder.FeedAsync(
                    EventFile.ReadAsync(content, EventFileFormat.Csv, DefaultsOf(request), context.RequestAborted), long.MaxValue),
                context.RequestAborted).ConfigureAwait(false);
        }

        var read = EventJson.Read(Encoding.UTF8.GetBytes($$"""{"events":{{events}}}"""), options.MaximumBackfillEvents);
        foreach (var (usage, _) in read)
            Complete(usage, request);
        return await ImportAsync(request, backfills, content, feeder => feeder.FeedAsync(read), context.RequestAborted).ConfigureAwait(false);
    }

    /// <summary>
    /// Opens, fills and commits. What breaks off on the way is given up, so that nothing of it ever counts. A request whose key
    /// has committed a file must come with the same file.
    /// </summary>
    private static async Task<BackfillBegun> ImportAsync(
        OpenBackfillRequest request, Backfills backfills, HashedContent content, Func<BackfillFeeder, Task> feed, CancellationToken cancellation)
    {
        var opening = await backfills.OpenBackfillAsync(request, cancellationToken: cancellation).ConfigureAwait(false);
        var opened = opening.Backfill;
        if (opening.Already)
        {
            return await content.DigestAsync(cancellation).ConfigureAwait(false) == opened.ContentDigest
                ? new BackfillBegun(opened.Id, BackfillWords.Of(opened.Status), "The same file came before; nothing was changed.")
                : throw new ProblemException(Problem.Unprocessable("The Idempotency-Key was used with another file."));
        }

        var feeder = new BackfillFeeder(backfills, request.TenantId, opened.Id, cancellation);
        string digest;
        try
        {
            await feed(feeder).ConfigureAwait(false);
            digest = await content.DigestAsync(cancellation).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            await GiveUpAsync(backfills, opened, failure).ConfigureAwait(false);
            if (failure is EventFileException or InvalidDataException)
                throw new ProblemException(Problem.Unreadable($"cannot be read to its end, so nothing of it counts: {failure.Message} Backfill {opened.Id}"));
            throw;
        }

        await backfills.CommitBackfillAsync(
            new CommitBackfillRequest { TenantId = request.TenantId, BackfillId = opened.Id, RowCount = feeder.Rows, ContentDigest = digest },
            cancellationToken: cancellation).ConfigureAwait(false);
        return new BackfillBegun(
            opened.Id, "pending", request.DryRun ? "The events are being looked at; none is appended." : "The events are stored and are being appended.");
    }

    private static async Task GiveUpAsync(Backfills backfills, Backfill opened, Exception failure)
    {
        var problem = failure switch
        {
            EventFileException or InvalidDataException => failure.Message,
            RpcException { StatusCode: StatusCode.FailedPrecondition } refusal => refusal.Status.Detail,
            _ => "The upload broke off.",
        };
        try
        {
            await backfills.RevertBackfillAsync(
                new RevertBackfillRequest { TenantId = opened.TenantId, BackfillId = opened.Id, Actor = Actor, Problem = problem }).ConfigureAwait(false);
        }
        catch (RpcException)
        {
            // It stays pending, and can be given up by its id.
        }
    }

    private static void Restrict(OpenBackfillRequest request, string metric, string customer)
    {
        if (metric.Length > 0)
            request.Metrics.Add(metric);
        if (customer.Length > 0)
            request.CustomerRefs.Add(customer);
    }

    private static EventFileDefaults DefaultsOf(OpenBackfillRequest request) => new()
    {
        Tenant = request.TenantId, OnlyTenant = true, Metric = request.Metrics.FirstOrDefault(), Customer = request.CustomerRefs.FirstOrDefault(),
    };

    private static void Complete(UsageEvent usage, OpenBackfillRequest request)
    {
        if (usage.TenantId.Length == 0)
            usage.TenantId = request.TenantId;
        if (usage.Metric.Length == 0)
            usage.Metric = request.Metrics[0];
        if (usage.CustomerRef.Length == 0 && request.CustomerRefs.Count > 0)
            usage.CustomerRef = request.CustomerRefs[0];
        if (usage.Source == EventSource.Unspecified)
            usage.Source = EventSource.Import;
    }

    private static EventFileFormat? FormatOf(HttpRequest request)
    {
        var type = request.ContentType?.Split(';')[0].Trim().ToLowerInvariant();
        return type switch
        {
            "text/csv" => EventFileFormat.Csv,
            "application/x-ndjson" or "application/jsonl" or "application/x-jsonlines" => EventFileFormat.JsonLines,
            _ => null,
        };
    }

    private static bool IsGzip(HttpRequest request) => request.Headers.ContentEncoding.ToString() switch
    {
        "" or "identity" => false,
        Gzip => true,
        var other => throw new ProblemException(Problem.OfStatus(
            StatusCodes.Status415UnsupportedMediaType, "The content encoding is not supported", $"Content-Encoding must be gzip or absent, not {other}.")),
    };
}
