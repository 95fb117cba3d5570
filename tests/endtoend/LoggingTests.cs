using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using StripeMeter.Defaults.Telemetry;
using StripeMeter.Kits.Network;
using Xunit;

namespace StripeMeter.EndToEnd.Tests;

/// <summary>What is logged tells no secret and names no customer.</summary>
public sealed class LoggingTests
{
    [Theory]
    [InlineData("Invalid API Key provided: sk_test_51H.abc", "sk_test_51H.abc")]
    [InlineData("key rk_live_abcDEF123 was refused", "rk_live_abcDEF123")]
    [InlineData("sm_live_AbC-_9 is not known", "sm_live_AbC-_9")]
    [InlineData("secret whsec_MfKQ9r8GKYqr", "whsec_MfKQ9r8GKYqr")]
    [InlineData("mongodb://stripemeter:passw0rd@mongo:27017", "passw0rd")]
    [InlineData("amqp://guest:guest@rabbit:5672 does not answer", "guest:guest")]
    [InlineData("authorization: Bearer eyJhbGciOi.x.y", "eyJhbGciOi.x.y")]
    [InlineData("No such customer: 'cus_Q1w2E3'", "cus_Q1w2E3")]
    public void Redact_ASecret_IsGone(string text, string secret) =>
        Assert.DoesNotContain(secret, LogRedaction.Redact(text), StringComparison.Ordinal);

    [Theory]
    [InlineData("3 records could not be published; the catch-up will find them")]
    [InlineData("http://localhost:3000/v1/events?at=12:30")]
    [InlineData("mail a@b.example about discus_throwers")]
    public void Redact_PlainText_Stays(string text) => Assert.Equal(text, LogRedaction.Redact(text));

    /// <summary>Everything that any service logs at the lowest level, while Stripe cannot be reached and requests are wrong.</summary>
    [Fact]
    public async Task Logs_OfARunThatGoesWrong_NameNoKeyAndNoCustomer()
    {
        var data = Directory.CreateTempSubdirectory("stripemeter-test-").FullName;
        var rest = FreePort.Take();
        var logged = new ConcurrentQueue<string>();
        using var system = ServiceProcess.Start("StripeMeter.Local", ["--data", data], new Dictionary<string, string>
        {
            ["API_PORT"] = rest.ToString(CultureInfo.InvariantCulture), ["INGEST_PORT"] = "0", ["LOG_LEVEL"] = "trace", ["LOG_FORMAT"] = "json",
            ["STRIPE_SECRET_KEY"] = "sk_test_topsecretkey123", ["STRIPE_API_BASE"] = $"http://127.0.0.1:{FreePort.Take()}",
        });
        system.OutputDataReceived += (_, line) => logged.Enqueue(line.Data ?? "");
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{rest}") };
        http.DefaultRequestHeaders.Authorization = new("Bearer", "sm_live_topsecretkey456");
        await EmbeddedSystem.UntilAsync(() => ServiceProcess.IsReadyAsync(http, new Uri("/health/live", UriKind.Relative)), "the system runs");

        await EmbeddedSystem.UntilAsync(
            async () =>
            {
                await GoWrongAsync(http);
                return logged.Any(line => line.Contains("a service answered", StringComparison.Ordinal));
            },
            "a failure is logged");
        system.Kill(entireProcessTree: true);
        await system.WaitForExitAsync();
        Directory.Delete(data, recursive: true);

        var entries = logged.Where(line => line.StartsWith('{')).Select(line => JsonNode.Parse(line)!).ToList();
        Assert.Contains(entries, entry => entry["values"]?["Status"] is not null);
        foreach (var secret in (string[])["topsecretkey", "PersonalRef42", "person-42"])
            Assert.DoesNotContain(logged, line => line.Contains(secret, StringComparison.Ordinal));
    }

    private static async Task GoWrongAsync(HttpClient http)
    {
        var time = TimeProvider.System.GetUtcNow().ToString("O", CultureInfo.InvariantCulture);
        const string Customer = "cus_PersonalRef42";
        (string Path, string Body)[] posts =
        [
            ("/v1/events/ingest", $$"""{"events":[{"tenantId":"t","metric":"m","customerRef":"{{Customer}}","quantity":1,"ts":"{{time}}","meta": {"mail":"person-42@example.org"} }]}"""),
            ("/v1/events/ingest", $$"""{"events":[{"tenantId":"t","metric":"m","customerRef":"{{Customer}}","quantity":"x","ts":"{{time}}"}]}"""),
            ("/v1/mappings", """{"tenantId":"t","metric":"m","aggregation":"sum","stripeAccount":"default","priceId":"price_1"}"""),
            ("/v1/usage/projection", $$"""{"tenantId":"t","customerRef":"{{Customer}}"}"""),
        ];
        foreach (var (path, body) in posts)
        {
            using var content = new StringContent(body, Encoding.UTF8, "application/json");
            using var response = await http.PostAsync(new Uri(path, UriKind.Relative), content);
        }

        using var usage = await http.GetAsync(new Uri($"/v1/usage/current?tenantId=t&customerRef={Customer}", UriKind.Relative));
    }
}
