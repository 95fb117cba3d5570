using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using StripeMeter.Access.Tests.Kit;
using Xunit;

namespace StripeMeter.Access.Tests.Guarding;

/// <summary>Every documented route, tried with another tenant's key, ids, query, body, header and token.</summary>
public sealed class RestIsolationTests(GuardedSystem system) : IClassFixture<GuardedSystem>
{
    /// <summary>Routes that everyone may call. What is here was thought about; what is not needs a key.</summary>
    private static readonly HashSet<string> Open = ["GET /health", "GET /health/live", "GET /health/ready", "GET /metrics", "POST /v1/webhooks/stripe"];

    /// <summary>Routes that name no tenant in the body, and belong to operators.</summary>
    private static readonly HashSet<string> ForOperators = ["POST /v1/admin/organisations"];

    [Fact]
    public async Task EveryRoute_WithoutAKey_IsUnauthenticated()
    {
        foreach (var (method, path) in await RoutesAsync())
        {
            var answer = await system.SendAsync(null, method, Filled(path), BodyOf(method, path, "acme"));
            Assert.True(answer.Code == 401, $"{method} {path} answered {answer.Code}: {answer.Text}");
            Assert.Equal("Missing API key", (string?)answer.Json["error"]);
            Assert.Equal("application/problem+json", answer.Headers["Content-Type"]);
            Assert.Equal("Bearer", answer.Headers["WWW-Authenticate"]);
        }
    }

    [Theory]
    [InlineData("sm_live_0123456789ab.wrong", "Invalid API key format")]
    [InlineData("sm_customer_e30.AAAA", "Invalid API key")]
    [InlineData("anything", "Invalid API key format")]
    public async Task EveryRoute_WithAWrongKey_IsUnauthenticated(string key, string error)
    {
        foreach (var (method, path) in await RoutesAsync())
        {
            var answer = await system.SendAsync(key, method, Filled(path), BodyOf(method, path, "acme"));
            Assert.True(answer.Code is 401 or 429, $"{method} {path} answered {answer.Code}: {answer.Text}");
            if (answer.Code == 401)
                Assert.Equal(error, (string?)answer.Json["error"]);
        }
    }

    [Fact]
    public async Task EveryRoute_AnotherTenantInTheQuery_IsForbidden()
    {
        foreach (var (method, path) in await RoutesAsync())
        {
            foreach (var query in (string[])["tenantId=beta", "tenantId=acme&tenantId=beta", "tenantId=beta&tenantId=acme"])
            {
                var answer = await system.SendAsync(system.Acme, method, $"{Filled(path)}?{query}", BodyOf(method, path, "acme"));
                Assert.True(answer.Code == 403, $"{method} {path}?{query} answered {answer.Code}: {answer.Text}");
            }
        }
    }

    [Fact]
    public async Task EveryRoute_AnotherTenantInTheBody_IsForbidden_WhateverTheQuerySays()
    {
        foreach (var (method, path) in (await RoutesAsync()).Where(route => route.Method == HttpMethod.Post || route.Method == HttpMethod.Put))
        {
            foreach (var query in (string[])["", "?tenantId=acme"])
            {
                var answer = await system.SendAsync(system.Acme, method, Filled(path) + query, BodyOf(method, path, "beta"));
                Assert.True(answer.Code == 403, $"{method} {path}{query} answered {answer.Code}: {answer.Text}");
            }
        }
    }

    [Fact]
    public async Task EveryRoute_AnotherTenantInAHeader_ChangesNothing()
    {
        await system.PostAsync(system.Beta, "/v1/events/ingest", GuardedSystem.Event("beta", "header", customer: "cus_of_beta"));
        await system.UntilCountedAsync(system.Beta);
        foreach (var (method, path) in (await RoutesAsync()).Where(route => route.Method == HttpMethod.Get))
        {
            foreach (var header in (string[])["x-tenant-id", "tenantId", "x-stripemeter-caller", "x-organisation-id", "x-user-id"])
            {
                var answer = await system.SendAsync(
                    system.Acme, method, Filled(path) + "?customerRef=cus_of_beta&metric=calls", null, (header, "beta"));
                Assert.DoesNotContain("\"beta\"", answer.Text, StringComparison.Ordinal);
                Assert.True(answer.Code < 500, $"{method} {path} answered {answer.Code}: {answer.Text}");
            }
        }
    }

    [Fact]
    public async Task EveryRoute_IdsOfAnotherTenant_AreNotFound()
    {
        var ids = await IdsOfBetaAsync();
        foreach (var (method, path) in (await RoutesAsync()).Where(route => route.Path.Contains('{', StringComparison.Ordinal)))
        {
            foreach (var id in ids)
            {
                var answer = await system.SendAsync(system.Acme, method, Filled(path, id), BodyOf(method, path, null));
                Assert.True(answer.Code is 400 or 404, $"{method} {path} of {id} answered {answer.Code}: {answer.Text}");
                Assert.DoesNotContain("\"tenantId\":\"beta\"", answer.Text, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public async Task EveryRoute_WithACustomersToken_IsForbiddenUnlessItIsThatCustomersUsage()
    {
        var token = await TokenAsync("cus_1");
        var allowed = new List<string>();
        foreach (var (method, path) in await RoutesAsync())
        {
            var answer = await system.SendAsync(token, method, $"{Filled(path)}?customerRef=cus_1&metric=calls", BodyOf(method, path, null));
            if (answer.Code == 403)
                continue;
            allowed.Add($"{method} {path}");
            var other = await system.SendAsync(token, method, $"{Filled(path)}?customerRef=cus_2&metric=calls", BodyOf(method, path, null));
            Assert.True(other.Code is 400 or 403, $"{method} {path} answered {other.Code}: {other.Text}");
        }

        Assert.Equal(["GET /v1/usage/current", "GET /v1/usage/history", "POST /v1/usage/projection"], allowed.Order());
    }

    [Fact]
    public async Task Token_OfACustomer_ReadsThatCustomersUsageAlone()
    {
        await system.PostAsync(system.Acme, "/v1/events/ingest", GuardedSystem.Event(null, "token", "5", "cus_token"));
        await system.UntilCountedAsync(system.Acme);
        var token = await TokenAsync("cus_token");

        var own = await system.GetAsync(token, "/v1/usage/current?customerRef=cus_token");
        Assert.Equal("5", own.Json["metrics"]![0]!["current"]!.ToJsonString());
        Assert.Equal(403, (await system.GetAsync(token, "/v1/usage/current?customerRef=cus_1")).Code);
        Assert.Equal(403, (await system.PostAsync(token, "/v1/usage/projection", new JsonObject { ["customerRef"] = "cus_1" })).Code);
        Assert.Equal(403, (await system.GetAsync(token, "/v1/usage/current?customerRef=cus_token&tenantId=beta")).Code);
    }

    [Fact]
    public async Task Ingest_WithoutATenant_IsTheKeysOwn()
    {
        var answer = await system.PostAsync(system.Acme, "/v1/events/ingest", GuardedSystem.Event(null, "own tenant"));

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        var events = (await system.GetAsync(system.Acme, "/v1/events?limit=100")).Json["events"]!.AsArray();
        Assert.Contains(events, entry => (string)entry!["id"]! == "own tenant" && (string)entry["tenantId"]! == "acme");
    }

    [Fact]
    public async Task Backfill_AFileWithoutATenant_IsTheKeysOwn()
    {
        using var file = new HttpRequestMessage(HttpMethod.Post, "/v1/events/backfill?metric=calls&reason=lost+week");
        file.Headers.Authorization = new AuthenticationHeaderValue("Bearer", system.Acme);
        file.Content = new StringContent("customerRef,quantity,ts,idempotencyKey\ncus_1,3,2026-01-24T00:00:00Z,own file\n");
        file.Content.Headers.ContentType = new MediaTypeHeaderValue("text/csv");

        using var answer = await system.Http.SendAsync(file);

        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.OK, text);
        var id = (string)JsonNode.Parse(text)!["operationId"]!;
        Assert.Equal(200, (await system.GetAsync(system.Acme, $"/v1/events/backfill/{id}")).Code);
        Assert.Equal(404, (await system.GetAsync(system.Beta, $"/v1/events/backfill/{id}")).Code);
    }

    [Fact]
    public async Task Ingest_OneEventOfAnotherTenant_RefusesTheRequest()
    {
        var body = GuardedSystem.Event("acme", "mixed 1");
        body["events"]!.AsArray().Add(GuardedSystem.Event("beta", "mixed 2")["events"]![0]!.DeepClone());

        var answer = await system.PostAsync(system.Acme, "/v1/events/ingest?anything=else", body);

        Assert.Equal(403, answer.Code);
        Assert.Equal("Mismatched tenantId in events", (string?)answer.Json["error"]);
        var events = (await system.GetAsync(system.Acme, "/v1/events?limit=100")).Json["events"]!.AsArray();
        Assert.DoesNotContain(events, entry => ((string)entry!["id"]!).StartsWith("mixed", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Ingest_ManyTenantsAtOnce_EachLandsWithItsOwn()
    {
        var sent = Enumerable.Range(0, 200).Select(number => system.PostAsync(
            number % 2 == 0 ? system.Acme : system.Beta, "/v1/events/ingest", GuardedSystem.Event(null, $"side by side {number}")));
        Assert.All(await Task.WhenAll(sent), answer => Assert.Equal(HttpStatusCode.OK, answer.Status));

        await AssertHasAsync(system.Acme, 0);
        await AssertHasAsync(system.Beta, 1);

        async Task AssertHasAsync(string key, int parity)
        {
            var numbers = new List<int>();
            string? cursor = null;
            do
            {
                var page = (await system.GetAsync(key, $"/v1/events?limit=100{(cursor is null ? "" : "&cursor=" + Uri.EscapeDataString(cursor))}")).Json;
                numbers.AddRange(page["events"]!.AsArray().Select(entry => (string)entry!["id"]!)
                    .Where(id => id.StartsWith("side by side ", StringComparison.Ordinal)).Select(id => int.Parse(id[13..], System.Globalization.CultureInfo.InvariantCulture)));
                cursor = (string?)page["nextCursor"];
            }
            while (cursor is not null);
            Assert.Equal(Enumerable.Range(0, 100).Select(number => (number * 2) + parity), numbers.Order());
        }
    }

    private async Task<string> TokenAsync(string customer)
    {
        var made = await system.PostAsync(system.Acme, "/v1/customer-tokens", new JsonObject { ["customerRef"] = customer });
        Assert.Equal(201, made.Code);
        return (string)made.Json["token"]!;
    }

    /// <summary>What beta has of every kind that has ids.</summary>
    private async Task<IReadOnlyList<string>> IdsOfBetaAsync()
    {
        var adjustment = await system.PostAsync(system.Beta, "/v1/adjustments", new JsonObject
        {
            ["metric"] = "calls", ["customerRef"] = "cus_1", ["periodStart"] = "2026-01-01", ["delta"] = "3", ["reason"] = "manual",
        });
        Assert.Equal(201, adjustment.Code);
        var key = (await system.GetAsync(system.Beta, "/v1/admin/api-keys")).Json["apiKeys"]![0]!;
        var scenario = await CreatedAsync("/v1/simulations/scenarios", JsonNode.Parse(
            """{"name":"of beta","inputs":{"customerId":"c","periodStart":"2026-01-01","periodEnd":"2026-01-31","usageItems":[{"metric":"calls","quantity":3,"price":{"currency":"usd","unit_amount":5}}]}}""")!);
        var scenarioId = (string)scenario["id"]!;
        var run = await CreatedAsync("/v1/simulations/runs", new JsonObject { ["scenarioId"] = scenarioId });
        var batch = await CreatedAsync("/v1/simulations/batch", new JsonObject { ["name"] = "of beta", ["scenarioIds"] = new JsonArray(scenarioId) });
        return [(string)adjustment.Json["id"]!, (string)key["id"]!, scenarioId, (string)run["runId"]!, (string)batch["batchId"]!];
    }

    private async Task<JsonNode> CreatedAsync(string path, JsonNode body)
    {
        var answer = await system.PostAsync(system.Beta, path, body);
        Assert.True(answer.Code is 201 or 202, answer.Text);
        return answer.Json;
    }

    private async Task<IReadOnlyList<(HttpMethod Method, string Path)>> RoutesAsync()
    {
        var paths = (await system.GetAsync(null, "/openapi/v1.json")).Json["paths"]!.AsObject();
        return
        [
            .. from path in paths
               from operation in path.Value!.AsObject()
               let method = operation.Key.ToUpperInvariant()
               where !Open.Contains($"{method} {path.Key}") && !ForOperators.Contains($"{method} {path.Key}")
               select (new HttpMethod(method), path.Key),
        ];
    }

    private static string Filled(string path, string id = "some-id") =>
        System.Text.RegularExpressions.Regex.Replace(path, @"\{[^}]*\}", Uri.EscapeDataString(id));

    private static JsonObject? BodyOf(HttpMethod method, string path, string? tenant)
    {
        if (method != HttpMethod.Post && method != HttpMethod.Put)
            return null;

        if (path == "/v1/events/ingest" || path.EndsWith("/events", StringComparison.Ordinal))
            return GuardedSystem.Event(tenant, "some-key");
        var body = new JsonObject();
        if (tenant is not null)
            body["tenantId"] = tenant;
        return body;
    }
}
