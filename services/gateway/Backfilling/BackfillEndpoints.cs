using Microsoft.AspNetCore.Http.HttpResults;
using StripeMeter.Defaults.Access;
using StripeMeter.EventFormats;
using StripeMeter.Gateway.Access;
using StripeMeter.Gateway.Errors;
using StripeMeter.Gateway.Events;
using StripeMeter.Gateway.OpenApi;
using StripeMeter.Gateway.Requests;
using StripeMeter.Metering.Identity;
using StripeMeter.V1;
using Backfills = StripeMeter.V1.BackfillService.BackfillServiceClient;

namespace StripeMeter.Gateway.Backfilling;

/// <summary>Events of the past: imports at once, sessions step by step, and taking either back.</summary>
internal static class BackfillEndpoints
{
    private const string Path = "/v1/events/backfill";
    private const string PathOfOne = Path + "/{operationId}";
    private const string Tag = "Backfill";
    private static readonly HashSet<string> Opening = ["tenantId", "metrics", "customerRefs", "periodStart", "periodEnd", "reason", "dryRun"];
    private static readonly HashSet<string> Step = ["tenantId", "note"];
    private static readonly IntegerParameter Limit = CommonParameters.Limit(100, 50);
    private static readonly IntegerParameter ProblemLimit = CommonParameters.Limit(1_000, 100);
    private static readonly IntegerParameter PreviewLimit = new("limit", "Waiting events looked at.", 1, 10_000) { Default = 1_000 };
    private static readonly IntegerParameter Offset = new("offset", "Backfills to pass over.", 0, 10_000);
    private static readonly ChoiceParameter<BackfillStatus> Status = new("status", "Only those that stand so.", BackfillWords.Statuses);

    public static void MapBackfills(this IEndpointRouteBuilder routes)
    {
        routes.MapPost(Path, BackfillImport.HandleAsync)
            .Describe(Tag, "ImportEvents", "Brings events of the past in: as JSON, or a CSV or JSON Lines file as the body", BackfillImport.Parameters)
            .Allows(AccessKind.Change, Scopes.EventsWrite)
            .Takes<BackfillBody>();
        routes.MapGet(Path, ListAsync).Describe(
            Tag, "ListBackfills", "The backfills of a tenant, newest first", CommonParameters.Tenant, Status, Limit, Offset,
            CommonParameters.Cursor)
            .Allows(AccessKind.Read, Scopes.EventsRead);
        routes.MapPost(Path + "/sessions", OpenAsync)
            .Describe(Tag, "OpenBackfillSession", "Opens a backfill that takes events until it is committed")
            .Allows(AccessKind.Change, Scopes.EventsWrite).Takes<SessionBody>();
        routes.MapGet(PathOfOne, GetAsync).Describe(Tag, "GetBackfill", "How a backfill stands", CommonParameters.Tenant)
            .Allows(AccessKind.Read, Scopes.EventsRead)
            .Refuses(StatusCodes.Status404NotFound);
        routes.MapPost(PathOfOne + "/events", StageAsync)
            .Describe(Tag, "StageEvents", "Has events wait in an open backfill, unseen", CommonParameters.Tenant)
            .Allows(AccessKind.Append, Scopes.EventsWrite)
            .Takes<IngestBody>().Produces<IngestResponse>().Refuses(StatusCodes.Status404NotFound).Refuses(StatusCodes.Status422UnprocessableEntity)
            .WithMetadata(new ErrorEnvelope(writer => IngestAnswer.WriteCounts(writer, 0, 0, 0)));
        routes.MapGet(PathOfOne + "/preview", PreviewAsync)
            .Describe(Tag, "PreviewBackfill", "What committing would change, by counter", CommonParameters.Tenant, PreviewLimit, CommonParameters.Cursor)
            .Allows(AccessKind.Read, Scopes.EventsRead)
            .Refuses(StatusCodes.Status404NotFound);
        routes.MapPost(PathOfOne + "/commit", CommitAsync).Describe(Tag, "CommitBackfill", "Decides that the events of a backfill count")
            .Allows(AccessKind.Change, Scopes.EventsWrite)
            .Takes<BackfillStep>().Refuses(StatusCodes.Status404NotFound).Refuses(StatusCodes.Status422UnprocessableEntity);
        routes.MapPost(PathOfOne + "/revert", RevertAsync)
            .Describe(Tag, "RevertBackfill", "Gives a backfill up, or takes it back after it was committed: none of its events counts")
            .Allows(AccessKind.Change, Scopes.EventsWrite)
            .Takes<BackfillStep>().Refuses(StatusCodes.Status404NotFound).Refuses(StatusCodes.Status422UnprocessableEntity);
        routes.MapGet(PathOfOne + "/problems", ProblemsAsync)
            .Describe(Tag, "ListBackfillProblems", "Rows that were refused, and events that clash with others", CommonParameters.Tenant, ProblemLimit, CommonParameters.Cursor)
            .Allows(AccessKind.Read, Scopes.EventsRead)
            .Refuses(StatusCodes.Status404NotFound);
        routes.MapGet(PathOfOne + "/duplicates", DuplicatesAsync)
            .Describe(Tag, "ListBackfillDuplicates", "Events that were in the ledger already, and where", CommonParameters.Tenant, ProblemLimit, CommonParameters.Cursor)
            .Allows(AccessKind.Read, Scopes.EventsRead)
            .Refuses(StatusCodes.Status404NotFound);
    }

    private static async Task<BackfillDuplicatePage> DuplicatesAsync(string operationId, HttpContext context, Backfills backfills)
    {
        var query = new QueryReader(context);
        var request = new ListBackfillDuplicatesRequest
        {
            TenantId = query.Text(CommonParameters.Tenant), BackfillId = operationId, PageSize = query.Read(ProblemLimit),
            PageToken = query.Text(CommonParameters.Cursor),
        };
        query.Check();
        var page = await backfills.ListBackfillDuplicatesAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return new BackfillDuplicatePage(
            [.. page.Duplicates.Select(BackfillWords.ToAnswer)], page.NextPageToken.OrNull());
    }

    private static async Task<Created<BackfillAnswer>> OpenAsync(HttpContext context, Backfills backfills, GatewayOptions options)
    {
        using var body = await JsonBody.ReadAsync(context, options.BodyBytes, Opening).ConfigureAwait(false);
        var request = new OpenBackfillRequest
        {
            TenantId = body.Text("tenantId", required: true) ?? "",
            Kind = BackfillKind.Session,
            Reason = body.Text("reason", required: true) ?? "",
            DryRun = body.Flag("dryRun") ?? false,
            Actor = BackfillImport.Actor,
            RequestKey = RequestKeyMiddleware.KeyOf(context),
        };
        request.Metrics.AddRange(body.Texts("metrics"));
        request.CustomerRefs.AddRange(body.Texts("customerRefs"));
        BackfillPeriod.Set(request, body.Text("periodStart"), body.Text("periodEnd"), body.Add, isDayAlone: false);
        body.Check();
        var opened = await backfills.OpenBackfillAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return TypedResults.Created($"{Path}/{opened.Backfill.Id}", BackfillWords.ToAnswer(opened.Backfill));
    }

    private static async Task<BackfillAnswer> GetAsync(string operationId, HttpContext context, Backfills backfills)
    {
        var query = new QueryReader(context);
        var request = new GetBackfillRequest { TenantId = query.Text(CommonParameters.Tenant), BackfillId = operationId };
        query.Check();
        var found = await backfills.GetBackfillAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return BackfillWords.ToAnswer(found.Backfill);
    }

    private static async Task<BackfillPage> ListAsync(HttpContext context, Backfills backfills)
    {
        var query = new QueryReader(context);
        var request = new ListBackfillsRequest
        {
            TenantId = query.Text(CommonParameters.Tenant), Status = query.Read(Status), PageSize = query.Read(Limit), Offset = query.Read(Offset),
            PageToken = query.Text(CommonParameters.Cursor),
        };
        query.Check();
        var page = await backfills.ListBackfillsAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return new BackfillPage([.. page.Backfills.Select(BackfillWords.ToAnswer)], page.TotalCount, page.NextPageToken.OrNull());
    }

    private static async Task StageAsync(string operationId, HttpContext context, Backfills backfills, GatewayOptions options)
    {
        var query = new QueryReader(context);
        var request = new StageEventsRequest { TenantId = query.Text(CommonParameters.Tenant), BackfillId = operationId };
        query.Check();
        var events = await ReadAsync(context, options).ConfigureAwait(false);
        var results = await ReadEvents.DecideAsync(events, async readable =>
        {
            request.Events.AddRange(readable);
            return (await backfills.StageEventsAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false)).Results;
        }).ConfigureAwait(false);
        await new IngestAnswer(results).SendAsync(context).ConfigureAwait(false);
    }

    private static async Task<List<ReadEvent>> ReadAsync(HttpContext context, GatewayOptions options)
    {
        using var body = await RequestBody.ReadAsync(context, options.IngestBodyBytes).ConfigureAwait(false);
        return EventJson.Read(body.Utf8, options.MaximumBatchEvents);
    }

    private static async Task<BackfillPreview> PreviewAsync(string operationId, HttpContext context, Backfills backfills)
    {
        var query = new QueryReader(context);
        var request = new PreviewBackfillRequest
        {
            TenantId = query.Text(CommonParameters.Tenant), BackfillId = operationId, PageSize = query.Read(PreviewLimit),
            PageToken = query.Text(CommonParameters.Cursor),
        };
        query.Check();
        var page = await backfills.PreviewBackfillAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return new BackfillPreview(
            [.. page.Changes.Select(BackfillWords.ToAnswer)], page.AcceptedCount, page.DuplicateCount, page.ConflictCount,
            page.RevertedDuplicateCount, page.NextPageToken.OrNull());
    }

    private static async Task<BackfillDecided> CommitAsync(string operationId, HttpContext context, Backfills backfills, GatewayOptions options)
    {
        var (tenant, _) = await ReadStepAsync(context, options).ConfigureAwait(false);
        var decision = await backfills.CommitBackfillAsync(
            new CommitBackfillRequest { TenantId = tenant, BackfillId = operationId }, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return Answer(decision.Backfill, decision.Already, "The events count from now on; they are being appended.");
    }

    private static async Task<BackfillDecided> RevertAsync(string operationId, HttpContext context, Backfills backfills, GatewayOptions options)
    {
        var (tenant, note) = await ReadStepAsync(context, options).ConfigureAwait(false);
        var request = new RevertBackfillRequest { TenantId = tenant, BackfillId = operationId, Actor = BackfillImport.Actor, Note = note };
        var decision = await backfills.RevertBackfillAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return Answer(decision.Backfill, decision.Already, decision.Backfill.CommitTime is null
            ? "None of the events was counted, and none will be."
            : "None of the events counts any more. The keys of those that were appended stay used: sent again, they answer duplicate and do not count.");
    }

    private static async Task<BackfillProblemPage> ProblemsAsync(string operationId, HttpContext context, Backfills backfills)
    {
        var query = new QueryReader(context);
        var request = new ListBackfillProblemsRequest
        {
            TenantId = query.Text(CommonParameters.Tenant), BackfillId = operationId, PageSize = query.Read(ProblemLimit),
            PageToken = query.Text(CommonParameters.Cursor),
        };
        query.Check();
        var page = await backfills.ListBackfillProblemsAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return new BackfillProblemPage(
            [.. page.Problems.Select(BackfillWords.ToAnswer)], page.NextPageToken.OrNull());
    }

    private static async Task<(string Tenant, string Note)> ReadStepAsync(HttpContext context, GatewayOptions options)
    {
        using var body = await JsonBody.ReadAsync(context, options.BodyBytes, Step).ConfigureAwait(false);
        var step = (body.Text("tenantId", required: true) ?? "", body.Text("note") ?? "");
        body.Check();
        return step;
    }

    private static BackfillDecided Answer(Backfill backfill, bool already, string message) => new(
        true, backfill.Id, BackfillWords.Of(backfill.Status), already ? true : null, message);
}
