using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Xunit;

namespace StripeMeter.EndToEnd.Tests.Fuzzing;

/// <summary>
/// Every operation of the OpenAPI document, asked with what its schemas allow and with what they do not: it answers 2xx, or
/// 4xx with a problem document, and what it answers 4xx changes nothing. The operations are read from the document, so a
/// new one is asked too. <c>STRIPEMETER_FUZZ_REQUESTS</c> says how many requests, <c>STRIPEMETER_FUZZ_SEED</c> which.
/// </summary>
public sealed class ApiFuzzTests(ApiFuzzTests.Fixture fixture) : IClassFixture<ApiFuzzTests.Fixture>
{
    private const int Requests = 100_000;
    private const int Parallelism = 8;
    private const int RequestsBetweenLooks = 25;
    private const int LooksPerOperation = 4;
    private const int Retries = 20;
    private readonly EmbeddedSystem _system = fixture.System;
    private readonly ConcurrentDictionary<(string Operation, int Status), string> _wrong = [];
    private readonly int _seed = Setting("STRIPEMETER_FUZZ_SEED", 20260131);

    [Fact]
    public async Task Operations_AskedWithAnything_Answer2xxOr4xxWithAProblem()
    {
        var operations = ApiOperation.All(await _system.GetAsync("/openapi/v1.json"));
        var share = (Setting("STRIPEMETER_FUZZ_REQUESTS", Requests) + operations.Count - 1) / operations.Count;
        await Parallel.ForEachAsync(
            operations.Index(), new ParallelOptions { MaxDegreeOfParallelism = Parallelism }, async (item, _) =>
            {
                var maker = MakerOf(item.Item, "fuzz", _seed + item.Index);
                for (var number = 0; number < share; number++)
                    await AskAsync(item.Item, maker, broken: number % 2 == 1, number);
            });
        Assert.True(_wrong.IsEmpty, string.Join("\n\n", _wrong.Values));
    }

    [Fact]
    public async Task Operations_ThatAnswer4xx_ChangeNothing()
    {
        var operations = ApiOperation.All(await _system.GetAsync("/openapi/v1.json"));
        foreach (var (index, operation) in operations.Index().Where(item => item.Item.Changes))
        {
            for (var look = 0; look < LooksPerOperation; look++)
            {
                var tenant = $"fuzz-{index}-{look}";
                var maker = MakerOf(operation, tenant, _seed + (index * LooksPerOperation) + look);
                var before = await TenantView.ReadAsync(_system, operations, tenant);
                var refused = true;
                for (var number = 0; number < RequestsBetweenLooks; number++)
                    refused &= await AskAsync(operation, maker, broken: true, number) >= HttpStatusCode.BadRequest;
                if (refused)
                    Assert.Equal(before, await TenantView.ReadAsync(_system, operations, tenant));
            }
        }

        Assert.True(_wrong.IsEmpty, string.Join("\n\n", _wrong.Values));
    }

    private static RequestMaker MakerOf(ApiOperation operation, string tenant, int seed) =>
        new(operation, tenant, TimeProvider.System.GetUtcNow(), new Random(seed));

    private async Task<HttpStatusCode> AskAsync(ApiOperation operation, RequestMaker maker, bool broken, int number)
    {
        using var made = maker.Make(broken);
        var body = made.Content is null ? null : await made.Content.ReadAsByteArrayAsync();
        for (var attempt = 0; ; attempt++)
        {
            using var request = Copy(made, body);
            using var response = await _system.Rest.SendAsync(request);

            // Overload is no fault of the request: it is sent again, as a client would.
            if (response.StatusCode == HttpStatusCode.ServiceUnavailable && response.Headers.RetryAfter is not null && attempt < Retries)
                continue;
            var text = await response.Content.ReadAsStringAsync();
            if (!IsRight(response, text))
            {
                var sent = body is null ? "" : Encoding.UTF8.GetString(body);
                _wrong[(operation.Name, (int)response.StatusCode)] = FormattableString.Invariant(
                    $"{operation.Name}, seed {_seed}, request {number}: {request.Method} {request.RequestUri}\n{sent}\nanswered {(int)response.StatusCode} {text}");
            }

            return response.StatusCode;
        }
    }

    private static HttpRequestMessage Copy(HttpRequestMessage made, byte[]? body)
    {
        var request = new HttpRequestMessage(made.Method, made.RequestUri);
        foreach (var (name, values) in made.Headers)
            request.Headers.TryAddWithoutValidation(name, values);
        if (body is null)
            return request;
        request.Content = new ByteArrayContent(body);
        foreach (var (name, values) in made.Content!.Headers.NonValidated)
            request.Content.Headers.TryAddWithoutValidation(name, values);
        return request;
    }

    private static bool IsRight(HttpResponseMessage response, string text)
    {
        var status = (int)response.StatusCode;
        if (status is >= 200 and < 300)
            return true;

        // An address longer than the server reads at all: it answers before there is a request.
        if (response.StatusCode == HttpStatusCode.RequestUriTooLong)
            return text.Length == 0;
        if (status is < 400 or >= 500 || response.Content.Headers.ContentType?.MediaType != "application/problem+json")
            return false;
        using var problem = JsonDocument.Parse(text);
        return problem.RootElement.GetProperty("status").GetInt32() == status
            && problem.RootElement.GetProperty("title").GetString() is { Length: > 0 }
            && problem.RootElement.GetProperty("detail").GetString() is { Length: > 0 };
    }

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : otherwise;

    /// <summary>A system for all of it.</summary>
    public sealed class Fixture : IAsyncLifetime
    {
        public EmbeddedSystem System { get; private set; } = null!;

        public async ValueTask InitializeAsync() => System = await EmbeddedSystem.StartAsync(settings: new() { ["LOG_LEVEL"] = "Critical" });

        public ValueTask DisposeAsync() => System.DisposeAsync();
    }
}
