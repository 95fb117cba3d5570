using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Wire;
using StripeMeter.Gateway.Access;
using StripeMeter.Gateway.OpenApi;
using StripeMeter.Gateway.Requests;
using StripeMeter.Metering.Identity;
using StripeMeter.V1;
using SimulationCalls = StripeMeter.V1.SimulationService.SimulationServiceClient;

namespace StripeMeter.Gateway.Simulations;

/// <summary>
/// <c>POST /v1/simulations/compare</c>: a line of JSON for the start, one for each customer, one for the summary. Whatever goes
/// wrong before the first line is a problem document; an answer without its summary broke off.
/// </summary>
internal static class CompareEndpoint
{
    private const string ContentType = "application/jsonl";
    private const string UsageName = "usage";
    private const string AtName = "at";
    private const string SummaryOnlyName = "summaryOnly";
    private static readonly HashSet<string> Known = ["tenantId", "before", "after", AtName, UsageName, SummaryOnlyName];

    public static void MapComparison(this IEndpointRouteBuilder routes) =>
        routes.MapPost("/v1/simulations/compare", HandleAsync)
            .Describe("Simulations", "ComparePrices", "What recorded usage costs by one price list, and by another: JSON Lines, customer by customer")
            .Allows(AccessKind.Read, Scopes.SimulationRead)
            .Takes<CompareRequest>()
            .Produces<ComparisonLine>(StatusCodes.Status200OK, ContentType)
            .Refuses(StatusCodes.Status422UnprocessableEntity);

    private static async Task HandleAsync(HttpContext context, SimulationCalls simulations, GatewayOptions options)
    {
        using var body = await JsonBody.ReadAsync(context, options.BodyBytes, Known).ConfigureAwait(false);
        using var call = simulations.ComparePrices(Read(body), cancellationToken: context.RequestAborted);
        var response = context.Response;
        while (await call.ResponseStream.MoveNext(context.RequestAborted).ConfigureAwait(false))
        {
            if (!response.HasStarted)
                response.ContentType = ContentType;
            foreach (var line in LinesOf(call.ResponseStream.Current))
                Write(response.BodyWriter, line);
            await response.BodyWriter.FlushAsync(context.RequestAborted).ConfigureAwait(false);
        }
    }

    private static void Write(PipeWriter output, ComparisonLine line)
    {
        using (var writer = new Utf8JsonWriter(output, Json.WriterOptions))
            JsonSerializer.Serialize(writer, line, SerializerOptions);
        output.Write("\n"u8);
    }

    private static JsonSerializerOptions SerializerOptions { get; } = CreateOptions();

    private static JsonSerializerOptions CreateOptions()
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.Web);
        Json.Configure(options);
        return options;
    }

    private static ComparePricesRequest Read(JsonBody body)
    {
        var request = new ComparePricesRequest
        {
            TenantId = body.Text("tenantId", required: true) ?? "",
            BeforeJson = body.Object("before")?.GetRawText() ?? "",
            AfterJson = body.Object("after")?.GetRawText() ?? "",
            SummaryOnly = body.Flag(SummaryOnlyName) ?? false,
        };
        if (body.Text(AtName) is { } at)
        {
            if (DayText.TryRead(at, out var instant))
                request.AtTime = instant.ToTimestamp();
            else
                body.Add(AtName, DayText.Reason);
        }

        if (body.Object("after") is null)
            body.Add("after", "is required");
        foreach (var (index, item) in body.Items(UsageName).Index())
            request.Usage.Add(ReadUsage(body, $"{UsageName}[{index}]", item));
        body.Check();
        return request;
    }

    private static RecordedUsage ReadUsage(JsonBody body, string path, JsonElement item)
    {
        var read = new RecordedUsage();
        if (item.ValueKind != JsonValueKind.Object)
        {
            body.Add(path, "must be an object");
            return read;
        }

        foreach (var member in item.EnumerateObject())
        {
            var name = JsonBody.Name(member);
            if (name == "customer" && member.Value.ValueKind == JsonValueKind.String && JsonBody.Text(member.Value) is { } customer)
                read.CustomerRef = customer;
            else if (name == UsageName && member.Value.ValueKind == JsonValueKind.Object)
                ReadQuantities(body, path, member.Value, read);
            else
                body.Add($"{path}.{name}", name is "customer" or UsageName ? "has the wrong type" : "is not known");
        }

        if (read.CustomerRef.Length == 0)
            body.Add($"{path}.customer", "is required");
        return read;
    }

    private static void ReadQuantities(JsonBody body, string path, JsonElement usage, RecordedUsage read)
    {
        foreach (var member in usage.EnumerateObject())
        {
            var metric = JsonBody.Name(member);
            var text = member.Value.ValueKind switch
            {
                JsonValueKind.Number => member.Value.GetRawText(),
                JsonValueKind.String => JsonBody.Text(member.Value),
                _ => null,
            };
            if (text is null || !read.Quantities.TryAdd(metric, text))
                body.Add($"{path}.{UsageName}.{metric}", text is null ? "must be a number" : "is there twice");
        }
    }

    private static IEnumerable<ComparisonLine> LinesOf(ComparePricesResponse part) => part.PartCase switch
    {
        ComparePricesResponse.PartOneofCase.Start => [new ComparisonLine(Start: new ComparisonStartAnswer(part.Start.Currency, part.Start.Metrics))],
        ComparePricesResponse.PartOneofCase.Changes => part.Changes.Changes.Select(change => new ComparisonLine(Change: ToAnswer(change))),
        ComparePricesResponse.PartOneofCase.Summary => [new ComparisonLine(Summary: ToAnswer(part.Summary))],
        _ => [],
    };

    private static ChangeAnswer ToAnswer(CustomerChange change) => new(change.CustomerRef, change.Before, change.After, change.Difference);

    private static SummaryAnswer ToAnswer(ComparisonSummary summary) => new(
        summary.Customers, summary.TotalBefore, summary.TotalAfter, summary.Winners, summary.Losers, summary.Unchanged, summary.NewlyCharged,
        [.. summary.Distribution.Select(part => new ClassAnswer(part.HasUpToPercent ? part.UpToPercent : null, part.Customers))],
        [.. summary.TopWinners.Select(ToAnswer)], [.. summary.TopLosers.Select(ToAnswer)]);
}
