using System.Text.Json.Nodes;
using StripeMeter.Access.Tests.Kit;
using StripeMeter.Kits.Waiting;
using Xunit;

namespace StripeMeter.Access.Tests.Guarding;

/// <summary>Keys from their making to their end, over REST; and the log of it.</summary>
public sealed class AdministrationTests(GuardedSystem system) : IClassFixture<GuardedSystem>
{
    private const string Keys = "/v1/admin/api-keys";

    [Fact]
    public async Task Key_FromMakingToRevocation_WorksAndEndsWithinSeconds()
    {
        var made = await system.PostAsync(system.Acme, Keys, new JsonObject { ["name"] = "life", ["scopes"] = new JsonArray("events:read") });
        Assert.Equal(201, made.Code);
        var (key, id) = ((string)made.Json["apiKey"]!, (string)made.Json["key"]!["id"]!);
        Assert.StartsWith(id + ".", key, StringComparison.Ordinal);
        Assert.Equal(200, (await system.GetAsync(key, "/v1/events")).Code);
        var denied = await system.GetAsync(key, "/v1/mappings");
        Assert.Equal(403, denied.Code);
        Assert.Equal("Require one of: project:read,mappings:read", (string?)denied.Json["error"]);

        var revoked = await system.PostAsync(system.Acme, $"{Keys}/{id}/revoke", new JsonObject());

        Assert.Equal(200, revoked.Code);
        Assert.False((bool)revoked.Json["key"]!["active"]!);
        await Patience.UntilAsync(async () => (await system.GetAsync(key, "/v1/events")).Code == 401);
    }

    [Fact]
    public async Task Key_WhenRotated_ServesBesideTheNewOneForTheOverlap()
    {
        var made = await system.PostAsync(system.Acme, Keys, new JsonObject { ["name"] = "turning", ["scopes"] = new JsonArray("events:read") });
        var (old, id) = ((string)made.Json["apiKey"]!, (string)made.Json["key"]!["id"]!);

        var rotated = await system.PostAsync(system.Acme, $"{Keys}/{id}/rotate", new JsonObject { ["overlapSeconds"] = 3600 });

        Assert.Equal(200, rotated.Code);
        var fresh = (string)rotated.Json["apiKey"]!;
        Assert.Equal(["events:read"], rotated.Json["key"]!["scopes"]!.AsArray().Select(scope => (string)scope!));
        Assert.Equal(200, (await system.GetAsync(old, "/v1/events")).Code);
        Assert.Equal(200, (await system.GetAsync(fresh, "/v1/events")).Code);
        Assert.Equal(422, (await system.PostAsync(system.Acme, $"{Keys}/{id}/rotate", new JsonObject())).Code);

        var freshId = (string)rotated.Json["key"]!["id"]!;
        Assert.Equal(200, (await system.PostAsync(system.Acme, $"{Keys}/{freshId}/rotate", new JsonObject { ["overlapSeconds"] = 0 })).Code);
        await Patience.UntilAsync(async () => (await system.GetAsync(fresh, "/v1/events")).Code == 401);
    }

    [Fact]
    public async Task Key_ThatEnds_WhenRotated_GivesWayToOneThatEndsAfterAsLong()
    {
        var end = TimeProvider.System.GetUtcNow().AddHours(2);
        var made = await system.PostAsync(system.Acme, Keys, new JsonObject { ["name"] = "ending", ["expiresAt"] = end.ToString("O") });

        var rotated = await system.PostAsync(system.Acme, $"{Keys}/{(string)made.Json["key"]!["id"]!}/rotate", new JsonObject());

        Assert.Equal(LifeOf(made), LifeOf(rotated));
    }

    [Fact]
    public async Task Key_ThatEndsWithTime_WhenRotated_GivesWayToOneThatDoesToo()
    {
        var made = await system.PostAsync(system.Acme, Keys, new JsonObject { ["name"] = "everlasting", ["expiresAt"] = "9999-12-31T23:59:59.9999999Z" });

        var rotated = await system.PostAsync(system.Acme, $"{Keys}/{(string)made.Json["key"]!["id"]!}/rotate", new JsonObject());

        Assert.Equal(200, rotated.Code);
        Assert.Equal("9999-12-31T23:59:59.9999999Z", (string?)rotated.Json["key"]!["expiresAt"]);
        Assert.Equal(200, (await system.GetAsync((string)rotated.Json["apiKey"]!, "/v1/events")).Code);
    }

    private static TimeSpan LifeOf(RestAnswer made)
    {
        var key = made.Json["key"]!;
        return (DateTimeOffset)key["expiresAt"]! - (DateTimeOffset)key["createdAt"]!;
    }

    [Fact]
    public async Task Key_ThatIsMade_HasNoScopeItsMakerHasNot()
    {
        var writer = (string)(await system.PostAsync(
            system.Acme, Keys, new JsonObject { ["name"] = "writer", ["scopes"] = new JsonArray("project:write") })).Json["apiKey"]!;

        Assert.Equal(403, (await system.PostAsync(writer, Keys, new JsonObject { ["name"] = "1", ["scopes"] = new JsonArray("project:read") })).Code);
        Assert.Equal(403, (await system.PostAsync(writer, Keys, new JsonObject { ["name"] = "2", ["scopes"] = new JsonArray("operator:write") })).Code);
        Assert.Equal(403, (await system.PostAsync(writer, Keys, new JsonObject { ["name"] = "3" })).Code);
        Assert.Equal(201, (await system.PostAsync(writer, Keys, new JsonObject { ["name"] = "4", ["scopes"] = new JsonArray("events:write") })).Code);
        Assert.Equal(403, (await system.PostAsync(system.Operator, Keys, new JsonObject { ["name"] = "5" })).Code);
    }

    /// <summary>Suggestions become approved adjustments without a second pair of eyes, so the scope of the project is not enough.</summary>
    [Fact]
    public async Task Suggestions_AreAppliedByThoseWhoMayReconcileAlone()
    {
        var body = new JsonObject { ["adjustmentIds"] = new JsonArray("unknown"), ["reason"] = "a test" };
        var reconciler = await system.MakeKeyAsync("acme", "--name", "applies", "--scope", "reconciliation:write");

        var refused = await system.PostAsync(system.Acme, "/v1/reconciliation/adjustments", body.DeepClone());
        var answer = await system.PostAsync(reconciler, "/v1/reconciliation/adjustments", body);

        Assert.Equal((403, "Require one of: reconciliation:write"), (refused.Code, (string)refused.Json["error"]!));
        Assert.Equal(200, answer.Code);
        Assert.Equal(202, (await system.PostAsync(system.Acme, "/v1/reconciliation/run", new JsonObject())).Code);
    }

    [Theory]
    [InlineData("""{"scopes":["events:destroy"]}""", 400, "scopes")]
    [InlineData("""{"projectId":"nowhere"}""", 400, "projectId")]
    [InlineData("""{"expiresAt":"2020-01-01T00:00:00Z"}""", 400, "expiresAt")]
    [InlineData("""{"expiresAt":"soon"}""", 400, "expiresAt")]
    [InlineData("""{"scope":"events:read"}""", 400, "scope")]
    public async Task Key_WrongField_IsNamed(string body, int status, string field)
    {
        var answer = await system.PostAsync(system.Acme, Keys, JsonNode.Parse(body)!);

        Assert.Equal(status, answer.Code);
        Assert.Equal(field, (string?)answer.Json["errors"]![0]!["field"]);
    }

    [Fact]
    public async Task Keys_WhenListed_ShowNeitherKeyNorHash()
    {
        var list = await system.GetAsync(system.Acme, Keys);

        Assert.Equal(200, list.Code);
        Assert.DoesNotContain("hash", list.Text, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(system.Acme, list.Text, StringComparison.Ordinal);
        Assert.All(list.Json["apiKeys"]!.AsArray(), key => Assert.DoesNotContain('.', (string)key!["id"]!));
    }

    [Fact]
    public async Task Organisation_FromAnOperator_ComesWithAKeyThatReachesNothingElse()
    {
        var made = await system.PostAsync(system.Operator, "/v1/admin/organisations", new JsonObject { ["id"] = "gamma", ["name"] = "Gamma Inc" });
        Assert.Equal(201, made.Code);
        var key = (string)made.Json["apiKey"]!;

        Assert.Equal(200, (await system.GetAsync(key, "/v1/events?tenantId=gamma")).Code);
        Assert.Equal(403, (await system.GetAsync(key, "/v1/events?tenantId=acme")).Code);
        Assert.Equal(["gamma"], await OrganisationsAsync(key));
        Assert.Equal(["acme", "beta", "gamma", "operations"], (await OrganisationsAsync(system.Operator)).Order());
        Assert.Equal(403, (await system.GetAsync(system.Operator, "/v1/events?tenantId=gamma")).Code);
        Assert.Equal(409, (await system.PostAsync(system.Operator, "/v1/admin/organisations", new JsonObject { ["id"] = "gamma" })).Code);
        Assert.Equal(403, (await system.PostAsync(system.Acme, "/v1/admin/organisations", new JsonObject { ["id"] = "delta" })).Code);
    }

    [Fact]
    public async Task Project_OfAnOrganisation_IsNamedByItsKeys()
    {
        Assert.Equal(201, (await system.PostAsync(system.Acme, "/v1/admin/projects", new JsonObject { ["id"] = "shop", ["name"] = "The shop" })).Code);
        Assert.Equal(409, (await system.PostAsync(system.Acme, "/v1/admin/projects", new JsonObject { ["id"] = "shop" })).Code);
        Assert.Equal(400, (await system.PostAsync(system.Acme, "/v1/admin/projects", new JsonObject { ["id"] = "The Shop" })).Code);
        Assert.Equal("shop", (string?)(await system.GetAsync(system.Acme, "/v1/admin/projects")).Json["projects"]![0]!["id"]);
        Assert.Empty((await system.GetAsync(system.Beta, "/v1/admin/projects")).Json["projects"]!.AsArray());

        var key = await system.PostAsync(system.Acme, Keys, new JsonObject { ["name"] = "of the shop", ["projectId"] = "shop" });

        Assert.Equal("shop", (string?)key.Json["key"]!["projectId"]);
    }

    [Fact]
    public async Task Change_OfAnyKind_StandsInTheAuditLogWithoutSecrets()
    {
        var made = await system.SendAsync(
            system.Beta, HttpMethod.Post, Keys, new JsonObject { ["name"] = "audited" }, ("x-request-id", "the-request"));
        var (secret, id) = ((string)made.Json["apiKey"]!, (string)made.Json["key"]!["id"]!);
        await system.PostAsync(system.Beta, $"{Keys}/{id}/revoke", new JsonObject());

        var log = await system.GetAsync(system.Beta, "/v1/audit-log?limit=4");
        var (revoked, revoking, created, creating) = (log.Json["entries"]![0]!, log.Json["entries"]![1]!, log.Json["entries"]![2]!, log.Json["entries"]![3]!);

        Assert.Equal(("IdentityService.RevokeKey", "done"), ((string)revoked["action"]!, (string)revoked["stage"]!));
        Assert.Equal((long)revoking["sequence"]!, (long)revoked["begun"]!);
        Assert.True((bool)revoking["before"]!["usable"]!);
        Assert.Null(revoked["after"]!["key"]!["usable"]);
        Assert.Equal(("IdentityService.CreateKey", "begun"), ((string)creating["action"]!, (string)creating["stage"]!));
        Assert.Equal("the-request", (string?)creating["requestId"]);
        Assert.Equal("audited", (string?)creating["asked"]!["name"]);
        Assert.Equal("api:" + system.Beta[..system.Beta.IndexOf('.', StringComparison.Ordinal)], (string?)created["actor"]);
        Assert.DoesNotContain(secret, log.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(secret[^20..], log.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("audited", (await system.GetAsync(system.Acme, "/v1/audit-log?limit=1000")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AuditLog_WhenVerified_IsUnbrokenAndHoldsTheHeadOfBefore()
    {
        var first = await system.CommandAsync("audit-log", "verify", "--api-key", system.Acme, "-o", "json");
        Assert.Equal(0, first.Code);
        var head = (string)JsonNode.Parse(first.Out)!["head"]!;
        await system.PostAsync(system.Acme, Keys, new JsonObject { ["name"] = "one more entry" });

        Assert.Equal(0, (await system.CommandAsync("audit-log", "verify", "--api-key", system.Acme, "--head", head)).Code);
        Assert.Equal(1, (await system.CommandAsync("audit-log", "verify", "--api-key", system.Acme, "--head", new string('1', 64))).Code);
    }

    private async Task<IEnumerable<string>> OrganisationsAsync(string key) =>
        (await system.GetAsync(key, "/v1/admin/organisations")).Json["organisations"]!.AsArray().Select(found => (string)found!["id"]!);
}
