using Grpc.Core;
using Microsoft.AspNetCore.Http.HttpResults;
using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Wire;
using StripeMeter.Gateway.Access;
using StripeMeter.Gateway.Errors;
using StripeMeter.Gateway.OpenApi;
using StripeMeter.Gateway.Requests;
using StripeMeter.V1;
using AdjustmentCalls = StripeMeter.V1.AdjustmentService.AdjustmentServiceClient;

namespace StripeMeter.Gateway.Adjustments;

/// <summary>Corrections and late events: create, list, approve, revert.</summary>
internal static class AdjustmentEndpoints
{
    private const string Path = "/v1/adjustments";
    private const string PathOfOne = Path + "/{id}";
    private const string Tag = "Adjustments";
    private const string Actor = "api";
    private static readonly HashSet<string> Created = ["tenantId", "metric", "customerRef", "periodStart", "delta", "reason", "requestId", "note"];
    private static readonly HashSet<string> Step = ["tenantId", "note"];
    private static readonly DayParameter From = new("periodStart", "Only of periods from this day or moment on.");
    private static readonly DayParameter To = new("periodEnd", "Only of periods up to this day or moment.");
    private static readonly IntegerParameter Limit = CommonParameters.Limit(1_000, 100);

    private static readonly ChoiceParameter<AdjustmentStatus> Status =
        new("status", "Only those that have come so far.", AdjustmentWords.Statuses);

    public static void MapAdjustments(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(Path, ListAsync).Describe(
            Tag, "ListAdjustments", "Corrections, and events that came late: manual ones first, newest first",
            CommonParameters.Tenant, CommonParameters.Metric, CommonParameters.Customer, From, To, Status, Limit, CommonParameters.Cursor)
            .Allows(AccessKind.Read);
        routes.MapPost(Path, CreateAsync).Describe(Tag, "CreateAdjustment", "Records a correction, to be approved")
            .Allows(AccessKind.Change)
            .Takes<AdjustmentRequest>().Refuses(StatusCodes.Status409Conflict);
        routes.MapGet(PathOfOne, GetAsync).Describe(Tag, "GetAdjustment", "One correction or late event", CommonParameters.Tenant)
            .Allows(AccessKind.Read)
            .Refuses(StatusCodes.Status404NotFound);
        routes.MapPost(PathOfOne + "/approve", ApproveAsync)
            .Describe(Tag, "ApproveAdjustment", "Counts a pending correction or late event")
            .Allows(AccessKind.Change)
            .Takes<AdjustmentStep>().Refuses(StatusCodes.Status404NotFound);
        routes.MapPost(PathOfOne + "/revert", RevertAsync)
            .Describe(Tag, "RevertAdjustment", "Takes an approved correction or late event back: its net effect is zero")
            .Allows(AccessKind.Change)
            .Takes<AdjustmentStep>().Refuses(StatusCodes.Status404NotFound);
    }

    private static async Task<AdjustmentPage> ListAsync(HttpContext context, AdjustmentCalls adjustments)
    {
        var query = new QueryReader(context);
        var request = new ListAdjustmentsRequest
        {
            TenantId = query.Text(CommonParameters.Tenant),
            Metric = query.Text(CommonParameters.Metric),
            CustomerRef = query.Text(CommonParameters.Customer),
            StartTime = query.Read(From)?.ToTimestamp(),
            EndTime = query.Read(To)?.ToTimestamp(),
            Status = query.Read(Status),
            PageSize = query.Read(Limit),
            PageToken = query.Text(CommonParameters.Cursor),
        };
        query.Check();
        var page = await adjustments.ListAdjustmentsAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return new AdjustmentPage(
            [.. page.Adjustments.Select(AdjustmentAnswer.Of)], page.NextPageToken.OrNull());
    }

    private static async Task<Created<AdjustmentDone>> CreateAsync(
        HttpContext context, AdjustmentCalls adjustments, GatewayOptions options)
    {
        using var body = await JsonBody.ReadAsync(context, options.BodyBytes, Created).ConfigureAwait(false);
        var request = new CreateAdjustmentRequest
        {
            TenantId = body.Tenant(),
            Metric = body.Text("metric", required: true) ?? "",
            CustomerRef = body.Text("customerRef", required: true) ?? "",
            Delta = body.Decimal("delta", required: true) ?? "",
            Reason = AdjustmentWords.Reason(body.Text("reason", required: true) ?? ""),
            Actor = Actor,
            RequestId = body.Text("requestId") ?? RequestKeyMiddleware.KeyOf(context),
            Note = body.Text("note") ?? "",
        };
        if (body.Text("periodStart", required: true) is { } start)
        {
            if (DayText.TryRead(start, out var instant))
                request.PeriodTime = instant.ToTimestamp();
            else
                body.Add("periodStart", DayText.Reason);
        }

        body.Check();
        var created = await adjustments.CreateAdjustmentAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return TypedResults.Created($"{Path}/{Uri.EscapeDataString(created.Id)}", new AdjustmentDone(true, created.Id, null));
    }

    private static async Task<AdjustmentAnswer> GetAsync(string id, HttpContext context, AdjustmentCalls adjustments)
    {
        var query = new QueryReader(context);
        var request = new GetAdjustmentRequest { TenantId = query.Text(CommonParameters.Tenant), Id = id };
        query.Check();
        return AdjustmentAnswer.Of(
            await adjustments.GetAdjustmentAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false));
    }

    private static Task<AdjustmentDone> ApproveAsync(
        string id, HttpContext context, AdjustmentCalls adjustments, GatewayOptions options) => StepAsync(
        context, options, (tenant, _) => adjustments.ApproveAdjustmentAsync(
            new ApproveAdjustmentRequest { TenantId = tenant, Id = id, Actor = Actor }, cancellationToken: context.RequestAborted));

    private static Task<AdjustmentDone> RevertAsync(
        string id, HttpContext context, AdjustmentCalls adjustments, GatewayOptions options) => StepAsync(
        context, options, (tenant, note) => adjustments.RevertAdjustmentAsync(
            new RevertAdjustmentRequest { TenantId = tenant, Id = id, Actor = Actor, Note = note },
            cancellationToken: context.RequestAborted));

    private static async Task<AdjustmentDone> StepAsync(
        HttpContext context, GatewayOptions options, Func<string, string, AsyncUnaryCall<AdjustmentTransition>> step)
    {
        using var body = await JsonBody.ReadAsync(context, options.BodyBytes, Step).ConfigureAwait(false);
        var (tenant, note) = (body.Tenant(), body.Text("note") ?? "");
        body.Check();
        try
        {
            var transition = await step(tenant, note).ConfigureAwait(false);
            return new AdjustmentDone(true, transition.Adjustment.Id, transition.Already ? true : null);
        }
        catch (RpcException refusal) when (refusal.StatusCode == StatusCode.FailedPrecondition)
        {
            // Clients know this as a 400 whose error says why.
            throw new ProblemException(Problem.OfStatus(StatusCodes.Status400BadRequest, refusal.Status.Detail, refusal.Status.Detail));
        }
    }
}
