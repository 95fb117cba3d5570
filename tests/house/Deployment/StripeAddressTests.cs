using Microsoft.Extensions.Configuration;
using StripeMeter.Defaults.Billing;
using StripeMeter.Defaults.Configuration;
using StripeMeter.House.Tests.Kit;

namespace StripeMeter.House.Tests.Deployment;

/// <summary>Who is told, for each file that starts services together with a double of Stripe.</summary>
public sealed class StripeAddressTests
{
    private const string Key = "STRIPE_SECRET_KEY";
    private static readonly Uri Stripe = new("https://api.stripe.com");

    public static TheoryData<string> Files => ["dapr.yaml", "tye.yaml", "docker-compose.yml"];

    [Theory, MemberData(nameof(Files))]
    public void Address_WithoutAKey_IsTheDoubles(string file)
    {
        Assert.Equal(12111, Read(file, key: "").ApiBase.Port);
    }

    [Theory, MemberData(nameof(Files))]
    public void Address_WithAKey_IsStripes(string file)
    {
        Assert.Equal(Stripe, Read(file, key: "sk_test_1").ApiBase);
    }

    [Fact]
    public void Key_OfTheShell_ReachesTheContainers()
    {
        Assert.Equal($"${{{Key}:-}}", EnvironmentOfPusher("docker-compose.yml").Single(entry => entry.Key == Key).Value);
    }

    [Fact]
    public void Address_GivenByHand_Wins()
    {
        var options = new StripeOptions { DoubleBase = new Uri("http://localhost:12111"), ApiBase = new Uri("http://localhost:1") };

        Assert.Equal(1, options.ApiBase.Port);
    }

    private static StripeOptions Read(string file, string key)
    {
        var settings = EnvironmentOfPusher(file).ToDictionary(entry => entry.Key, entry => (string?)entry.Value);
        settings[Key] = key;
        return SettingsReader.Read<StripeOptions>(new ConfigurationBuilder().AddInMemoryCollection(settings).Build());
    }

    private static IEnumerable<KeyValuePair<string, string>> EnvironmentOfPusher(string file)
    {
        var content = Yaml.Load(file);
        return file switch
        {
            "dapr.yaml" => content["common"]["env"].Members,
            "docker-compose.yml" => content["services"]["pusher"]["environment"].Members,
            _ => content["services"].Items.Single(service => service["name"].Text == "pusher")["env"].Items
                .Select(entry => KeyValuePair.Create(entry["name"].Text!, entry["value"].Text!)),
        };
    }
}
