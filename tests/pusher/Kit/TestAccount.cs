using Stripe;
using Stripe.Billing;
using StripeMeter.StripeDouble;

namespace StripeMeter.Pusher.Tests.Kit;

/// <summary>A second Stripe double: the test account that shadow usage goes to.</summary>
internal sealed class TestAccount : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("stripemeter-shadow-").FullName;
    private readonly HttpClient _http = new();

    public StripeDoubleHost Double { get; private set; } = null!;

    public StripeClient Stripe { get; private set; } = null!;

    /// <summary>What a pusher must be told to reach it.</summary>
    public (string Name, string Value)[] Settings =>
        [("STRIPE_TEST_SECRET_KEY", "sk_test_shadow"), ("STRIPE_TEST_API_BASE", Double.BaseAddress.ToString())];

    public static async Task<TestAccount> StartAsync()
    {
        var account = new TestAccount();
        account.Double = await StripeDoubleHost.StartAsync(new StripeDoubleOptions { DataFile = Path.Combine(account._folder, "stripe.db"), Port = 0, TimeProvider = PusherUnderTest.Clock });
        account.Stripe = new StripeClient(new StripeClientOptions
        {
            ApiKey = "sk_test_shadow", ApiBase = account.Double.BaseAddress.ToString().TrimEnd('/'), HttpClient = new SystemNetHttpClient(account._http),
        });
        return account;
    }

    public Task<Meter> CreateMeterAsync(string eventName) => Stripe.V1.Billing.Meters.CreateAsync(new MeterCreateOptions
    {
        DisplayName = eventName, EventName = eventName, DefaultAggregation = new MeterDefaultAggregationOptions { Formula = "sum" },
    });

    /// <summary>What it was told of each customer, in the order of receipt.</summary>
    public IEnumerable<(string Customer, string Value)> Told => Double.ReadEvents().Select(taken => (taken.Customer, taken.Value));

    public async ValueTask DisposeAsync()
    {
        await Double.DisposeAsync();
        _http.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
