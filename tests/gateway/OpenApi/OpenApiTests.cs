using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using StripeMeter.Gateway.Events;
using StripeMeter.Gateway.Mappings;
using StripeMeter.Gateway.OpenApi;
using StripeMeter.Gateway.Tests.Kit;
using StripeMeter.Kits.Files;
using StripeMeter.Kits.OpenApi;
using Xunit;

namespace StripeMeter.Gateway.Tests.OpenApi;

public sealed class OpenApiTests(RunningGateway gateway) : IClassFixture<RunningGateway>
{
    [Fact]
    public async Task Document_NamesEveryRouteAndNoOther()
    {
        var document = await DocumentAsync();

        var documented = document.GetProperty("paths").EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject().Select(method => $"{method.Name.ToUpperInvariant()} {path.Name}"));
        Assert.Equal(MappedRoutes(), documented.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Document_EveryOperationHasASummaryAndAName()
    {
        var document = await DocumentAsync();

        Assert.StartsWith("3.1", document.GetProperty("openapi").GetString(), StringComparison.Ordinal);
        var names = new List<string?>();
        foreach (var operation in document.GetProperty("paths").EnumerateObject().SelectMany(path => path.Value.EnumerateObject()))
        {
            names.Add(operation.Value.GetProperty("operationId").GetString());
            Assert.False(string.IsNullOrEmpty(operation.Value.GetProperty("summary").GetString()));
        }

        Assert.Equal(names.Count, names.Distinct().Count());
    }

    [Fact]
    public async Task Document_References_AllResolve()
    {
        var document = await DocumentAsync();
        var schemas = document.GetProperty("components").GetProperty("schemas").EnumerateObject().Select(schema => schema.Name).ToHashSet();

        Assert.All(References(document).Where(reference => reference.StartsWith("#/components/schemas/", StringComparison.Ordinal)), reference => Assert.Contains(reference["#/components/schemas/".Length..], schemas));
        Assert.Superset(TypesWithExamples().Select(type => type.Name).ToHashSet(), schemas);
    }

    [Fact]
    public void Examples_OfAnswers_AreExactlyTheirTypes()
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.Web)
        {
            UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
            RespectRequiredConstructorParameters = false,
            RespectNullableAnnotations = true,
        };
        foreach (var type in TypesWithExamples().Where(type => type != typeof(IngestBody) && type != typeof(UsageCloudEvent)))
            Assert.NotNull(JsonSerializer.Deserialize(Examples.Of(type)!, type, options));
    }

    [Fact]
    public async Task Document_IsTheOneCheckedIn()
    {
        var served = (await gateway.GetAsync("/openapi/v1.json")).Text;
        var kept = await File.ReadAllTextAsync(Repository.PathOf("docs/openapi.json"), TestContext.Current.CancellationToken);

        Assert.True(
            served.TrimEnd() == kept.TrimEnd(),
            "docs/openapi.json is not what the gateway serves. With `dotnet run --project services/local` in another terminal: "
            + "curl -w '\\n' http://localhost:3000/openapi/v1.json > docs/openapi.json");
    }

    [Fact]
    public async Task Document_EveryBody_HasExamplesThatKeepItsSchema()
    {
        var document = new ApiDocument((await gateway.GetAsync("/openapi/v1.json")).Text);
        var problems = new List<string>();
        foreach (var operation in document.Operations)
        {
            var answers = operation.Description["responses"]!.AsObject().Select(response => document.Resolve(response.Value)!["content"]);
            foreach (var (type, media) in answers.Append(operation.Description["requestBody"]?["content"]).SelectMany(content => content?.AsObject() ?? []))
            {
                var examples = document.Examples(media!).ToList();
                if (examples.Count == 0)
                    problems.Add($"{operation} has no example of its {type}.");
                problems.AddRange(examples.SelectMany(example => document.Breaks(example, media!["schema"], $"{operation} {type}: $")));
            }
        }

        Assert.True(problems.Count == 0, string.Join('\n', problems.Distinct()));
    }

    [Fact]
    public async Task Document_EveryOperationOfTenants_SaysWhatAllowsIt()
    {
        var document = new ApiDocument((await gateway.GetAsync("/openapi/v1.json")).Text);

        foreach (var operation in document.Operations)
        {
            var ways = operation.Description["security"]?.AsArray().SelectMany(way => way!.AsObject()) ?? [];
            Assert.Equal(operation.Path.StartsWith("/v1/", StringComparison.Ordinal), ways.Any());
            Assert.All(ways, way => Assert.True(way.Key is "customerToken" or "stripeSignature" || way.Value!.AsArray().Count == 1));
        }
    }

    [Fact]
    public async Task Examples_OfBodies_AreAccepted()
    {
        gateway.Backend.Reset();

        var ingested = await gateway.PostAsync("/v1/events/ingest", Examples.Of(typeof(IngestBody))!);
        var mapped = await gateway.PostAsync("/v1/mappings", Examples.Of(typeof(MappingRequest))!);

        var cloudEvent = await gateway.SendAsync(
            HttpMethod.Post, "/v1/events/ingest", System.Text.Encoding.UTF8.GetBytes(Examples.Of(typeof(UsageCloudEvent))!),
            "application/cloudevents+json");

        Assert.Equal(1, ingested.Json.GetProperty("accepted").GetInt32());
        Assert.Equal(1, cloudEvent.Json.GetProperty("accepted").GetInt32());
        Assert.Equal(StatusCodes.Status201Created, (int)mapped.Status);
    }

    [Fact]
    public async Task Docs_Page_NeedsNothingFromElsewhere()
    {
        var page = await gateway.GetAsync("/docs/");
        var script = await gateway.GetAsync("/docs/scalar.js");
        var start = await gateway.GetAsync("/docs/scalar.aspnetcore.js");

        Assert.Contains("scalar.js", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("http", page.Text.Replace("http-equiv", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Equal(StatusCodes.Status200OK, (int)script.Status);
        Assert.True(script.Text.Length > 100_000);
        Assert.DoesNotContain("https://", start.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DocsJson_LeadsToTheDocument() =>
        Assert.Equal((await gateway.GetAsync("/openapi/v1.json")).Text, (await gateway.GetAsync("/docs/json")).Text);

    private async Task<JsonElement> DocumentAsync() => (await gateway.GetAsync("/openapi/v1.json")).Json;

    private IEnumerable<string> MappedRoutes() =>
        gateway.App.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(route => route.RoutePattern.RawText is { } text && !text.StartsWith("/docs", StringComparison.Ordinal)
                && !text.StartsWith("/openapi", StringComparison.Ordinal) && !text.StartsWith("/grpc.", StringComparison.Ordinal))
            .SelectMany(route => (route.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["GET"])
                .Select(method => $"{method} {route.RoutePattern.RawText}"))
            .Distinct()
            .Order(StringComparer.Ordinal);

    private static IEnumerable<Type> TypesWithExamples() => typeof(Examples).Assembly.GetExportedTypes().Where(type => Examples.Of(type) is not null);

    private static IEnumerable<string> References(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(member =>
            member.Name == "$ref" ? [member.Value.GetString()!] : References(member.Value)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(References),
        _ => [],
    };
}
