using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Configuration;
using StripeMeter.Gateway;
using StripeMeter.Ingest;
using Xunit;

namespace StripeMeter.Access.Tests.Guarding;

/// <summary>A service authenticates, or is told not to. There is nothing in between.</summary>
public sealed class StartTests
{
    private const string Secret = "a secret of thirty-two characters";

    [Theory]
    [InlineData("", "", "API_KEY_SALT")]
    [InlineData("short", "token", "API_KEY_SALT")]
    [InlineData(Secret, "", "APP_API_TOKEN")]
    public void Start_HalfConfigured_IsRefusedAndSaysWhy(string salt, string token, string named)
    {
        var settings = new Dictionary<string, string?>
        {
            ["APP_PORT"] = "0", ["PROBE_PORT"] = "0", ["API_PORT"] = "0", ["API_KEY_SALT"] = salt, ["APP_API_TOKEN"] = token, ["BYPASS_AUTH"] = "0",
        };

        Assert.StartsWith(named, Assert.Throws<InvalidSettingException>(() => GatewayApp.Build([], settings)).Message, StringComparison.Ordinal);
        Assert.StartsWith(named, Assert.Throws<InvalidSettingException>(() => IngestApp.Build([], settings)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bypass_ByDefault_IsOff() => Assert.False(new AccessOptions().BypassesAuthentication);

    [Theory]
    [InlineData("API_TRUSTED_PROXIES", "everyone")]
    [InlineData("API_TLS_CERTIFICATE", "/nowhere.pem")]
    public async Task Start_ASettingThatCannotBe_IsRefusedAndNamed(string name, string value)
    {
        var settings = new Dictionary<string, string?> { ["API_PORT"] = "0", ["APP_PORT"] = "0", ["BYPASS_AUTH"] = "1", [name] = value };

        var refusal = await Assert.ThrowsAsync<InvalidSettingException>(async () =>
        {
            await using var gateway = GatewayApp.Build([], settings);
            await gateway.StartAsync();
        });

        Assert.Contains(value, refusal.Message, StringComparison.Ordinal);
    }
}
