using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Wire;
using StripeMeter.EventFormats;
using StripeMeter.Gateway.Access;
using StripeMeter.Gateway.OpenApi;
using StripeMeter.Gateway.Requests;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Time;
using StripeMeter.V1;
using AnchorCalls = StripeMeter.V1.AnchorService.AnchorServiceClient;

namespace StripeMeter.Gateway.Anchoring;

/// <summary>Where customers' billing periods begin.</summary>
internal static class AnchorEndpoints
{
    private const string Path = "/v1/anchors";
    private const string Tag = "Anchors";
    private const string Actor = "api";
    private const string Day = "day";
    private const string Minute = "minute";
    private const string CycleAnchor = "billingCycleAnchor";
    private static readonly HashSet<string> Members = ["tenantId", "customerRef", "effectiveFrom", Day, Minute, CycleAnchor, "changeId"];

    public static void MapAnchors(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(Path, ListAsync)
            .Describe(
                Tag, "ListAnchors", "The billing anchors of a customer, in the order in which they were set", CommonParameters.Tenant,
                CommonParameters.RequiredCustomer)
            .Allows(AccessKind.Read);
        routes.MapPost(Path, ChangeAsync)
            .Describe(Tag, "ChangeAnchor", "Sets where a customer's billing periods begin, from a moment on")
            .Allows(AccessKind.Change)
            .Takes<AnchorRequest>().Refuses(StatusCodes.Status422UnprocessableEntity);
    }

    private static async Task<AnchorList> ListAsync(HttpContext context, AnchorCalls anchors)
    {
        var query = new QueryReader(context);
        var request = new ListAnchorsRequest
        {
            TenantId = query.Text(CommonParameters.Tenant), CustomerRef = query.Text(CommonParameters.RequiredCustomer),
        };
        query.Check();
        var listed = await anchors.ListAnchorsAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return new AnchorList([.. listed.Changes.Select(AnchorAnswer.Of)]);
    }

    private static async Task<AnchorChanged> ChangeAsync(HttpContext context, AnchorCalls anchors, GatewayOptions options)
    {
        using var body = await JsonBody.ReadAsync(context, options.BodyBytes, Members).ConfigureAwait(false);
        var request = new ChangeAnchorRequest
        {
            TenantId = body.Tenant(),
            CustomerRef = body.Text("customerRef", required: true) ?? "",
            EffectiveTime = ReadMoment(body, "effectiveFrom", required: true)?.ToTimestamp(),
            Anchor = ReadAnchor(body),
            ChangeId = ChangeIdOf(body, context),
            Actor = Actor,
        };
        body.Check();
        var changed = await anchors.ChangeAnchorAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return new AnchorChanged(AnchorAnswer.Of(changed.Change), changed.Already ? true : null);
    }

    private static string ChangeIdOf(JsonBody body, HttpContext context)
    {
        if (body.Text("changeId") is { Length: > 0 } named)
            return named;
        var key = RequestKeyMiddleware.KeyOf(context);
        return key.Length > 0 ? key : Guid.NewGuid().ToString();
    }

    private static BillingAnchor ReadAnchor(JsonBody body)
    {
        if (ReadMoment(body, CycleAnchor, required: false) is { } moment)
        {
            if (body.Has(Day) || body.Has(Minute))
                body.Add(CycleAnchor, "must not be given beside day and minute");
            var at = PeriodAnchor.At(moment);
            return new BillingAnchor { Day = at.Day, Minute = at.Minute };
        }

        if (!body.Has(Day) && !body.Has(CycleAnchor))
            body.Add(Day, "is required, unless billingCycleAnchor says where periods begin");
        return new BillingAnchor { Day = ReadNumber(body, Day, 1, 31) ?? 1, Minute = ReadNumber(body, Minute, 0, 1439) ?? 0 };
    }

    private static int? ReadNumber(JsonBody body, string name, int minimum, int maximum)
    {
        if (body.Decimal(name) is not { } text)
            return null;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= minimum && number <= maximum)
            return number;
        body.Add(name, $"must be a whole number from {minimum} to {maximum}");
        return null;
    }

    private static Instant? ReadMoment(JsonBody body, string name, bool required)
    {
        if (body.Text(name, required) is not { Length: > 0 } text)
            return null;
        if (TimeText.Reason(InstantText.Read(text, out var instant)) is not { } problem)
            return instant;
        body.Add(name, problem);
        return null;
    }
}
