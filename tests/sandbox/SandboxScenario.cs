using System.Globalization;
using Stripe;
using Stripe.Billing;
using StripeMeter.Local;

namespace StripeMeter.Sandbox;

/// <summary>
/// The whole way from events to an agreeing Stripe, on a real test account or a double: usage with a duplicate, a correction
/// below what was pushed, another writer to the meter, and what is done about it. It leaves a customer, a product and a
/// deactivated meter behind, each named after the run.
/// </summary>
/// <param name="key">A test key.</param>
/// <param name="address">Address of Stripe's API, or of a double.</param>
/// <param name="output">Told of every step.</param>
public sealed class SandboxScenario(string key, Uri address, TextWriter output)
{
    /// <summary>How long Stripe's summaries may take to show something; it promises no bound.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(15);

    private const string Tenant = "sandbox";
    private const string Metric = "sandbox_calls";

    private readonly StripeClient _stripe = new(new StripeClientOptions { ApiKey = key, ApiBase = address.ToString().TrimEnd('/') });

    /// <exception cref="ScenarioFailedException">A step did not come out as it should.</exception>
    public async Task RunAsync(CancellationToken cancellation)
    {
        var name = "sandbox_" + Guid.CreateVersion7().ToString("N");
        var (meter, customer) = await PrepareAsync(name, cancellation);
        try
        {
            var folder = Directory.CreateTempSubdirectory("stripemeter-sandbox-");
            try
            {
                await MeterAsync(folder.FullName, meter, customer, cancellation);
            }
            finally
            {
                folder.Delete(recursive: true);
            }
        }
        finally
        {
            await _stripe.V1.Billing.Meters.DeactivateAsync(meter.Id, cancellationToken: CancellationToken.None);
        }

        await output.WriteLineAsync("All steps came out as they should.");
    }

    private async Task<(Meter Meter, Customer Customer)> PrepareAsync(string name, CancellationToken cancellation)
    {
        var meter = await _stripe.V1.Billing.Meters.CreateAsync(
            new MeterCreateOptions { DisplayName = name, EventName = name, DefaultAggregation = new MeterDefaultAggregationOptions { Formula = "sum" } },
            cancellationToken: cancellation);
        var customer = await _stripe.V1.Customers.CreateAsync(new CustomerCreateOptions { Name = name }, cancellationToken: cancellation);
        var price = await _stripe.V1.Prices.CreateAsync(
            new PriceCreateOptions
            {
                Currency = "usd", UnitAmountDecimal = 0.2m, ProductData = new PriceProductDataOptions { Name = name },
                Recurring = new PriceRecurringOptions { Interval = "month", UsageType = "metered", Meter = meter.Id },
            },
            cancellationToken: cancellation);
        await _stripe.V1.Subscriptions.CreateAsync(
            new SubscriptionCreateOptions { Customer = customer.Id, Items = [new SubscriptionItemOptions { Price = price.Id }] }, cancellationToken: cancellation);
        await output.WriteLineAsync($"Made the meter {meter.Id}, the price {price.Id} and a subscription of {customer.Id} at {address.Host}.");
        return (meter, customer);
    }

    private async Task MeterAsync(string folder, Meter meter, Customer customer, CancellationToken cancellation)
    {
        var options = new LocalOptions
        {
            DataDirectory = folder, ApiPort = 0, IngestPort = 0, StripeSecretKey = key, StripeApiBase = address,
        };
        var settings = new Dictionary<string, string?>
        {
            ["LOG_LEVEL"] = "Error", ["STRIPE_API_BASE"] = address.ToString(), ["STRIPE_WRITER_INTERVAL_MS"] = "500",
        };
        await using var system = await LocalSystem.StartAsync(options, settings, cancellation);
        using var rest = new SandboxRest(system.Rest);
        await rest.PostAsync("/v1/mappings", new { tenantId = Tenant, metric = Metric, aggregation = "sum", stripeAccount = "default", meterId = meter.Id }, cancellation);

        var now = TimeProvider.System.GetUtcNow();
        await rest.PostAsync("/v1/events/ingest", new
        {
            events = new[] { Event("a", "100", now, customer), Event("b", "250.5", now, customer), Event("a", "100", now, customer) },
        }, cancellation);
        await ShowsAsync(meter, customer, 350.5m, "100 and 250.5, and 100 again under the same key", cancellation);

        await CorrectAsync(rest, customer, now, cancellation);
        await ShowsAsync(meter, customer, 320.5m, "a correction of -30, below what was pushed", cancellation);

        await CompareAsync(rest, cancellation);
        var pushes = await rest.GetAsync($"/v1/pushes?tenantId={Tenant}&idempotencyKey=b", cancellation);
        var identifier = (string?)pushes["pushes"]?[0]?["intent"]?["identifier"] ?? throw new ScenarioFailedException("No push tells of the event b.");
        await output.WriteLineAsync($"The event b was told under the identifier {identifier}.");
    }

    private static async Task CorrectAsync(SandboxRest rest, Customer customer, DateTimeOffset now, CancellationToken cancellation)
    {
        var created = await rest.PostAsync("/v1/adjustments", new
        {
            tenantId = Tenant, metric = Metric, customerRef = customer.Id, periodStart = now.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), delta = -30,
            reason = "correction", requestId = "sandbox",
        }, cancellation);
        await rest.PostAsync($"/v1/adjustments/{(string)created["id"]!}/approve", new { tenantId = Tenant }, cancellation);
    }

    private async Task CompareAsync(SandboxRest rest, CancellationToken cancellation)
    {
        var started = await rest.PostAsync("/v1/reconciliation/run", new { tenantId = Tenant, full = true }, cancellation);
        var run = await rest.UntilAsync(
            $"/v1/reconciliation/runs/{(string)started["jobId"]!}?tenantId={Tenant}", answer => (string?)answer["state"] is "completed" or "failed", Patience, cancellation);
        if ((string?)run["state"] != "completed" || (int)run["ok"]! != 1)
            throw new ScenarioFailedException($"The comparison did not agree: {run.ToJsonString()}");
        await output.WriteLineAsync("The reconciler agrees: Stripe has what the ledger counts.");
    }

    /// <summary>Waits until Stripe's summaries show a total, exactly.</summary>
    private async Task ShowsAsync(Meter meter, Customer customer, decimal total, string what, CancellationToken cancellation)
    {
        var month = TimeProvider.System.GetUtcNow().UtcDateTime;
        var start = new DateTime(month.Year, month.Month, 1, 0, 0, 0, DateTimeKind.Utc);
        var list = new MeterEventSummaryListOptions { Customer = customer.Id, StartTime = start, EndTime = start.AddMonths(1) };
        var began = TimeProvider.System.GetTimestamp();
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        decimal shown;
        while ((shown = (await _stripe.V1.Billing.Meters.EventSummaries.ListAsync(meter.Id, list, cancellationToken: cancellation)).Sum(summary => summary.AggregatedValue)) != total)
        {
            if (TimeProvider.System.GetElapsedTime(began) > Patience)
                throw new ScenarioFailedException($"After {what} Stripe shows {shown}, not {total}.");
            await timer.WaitForNextTickAsync(cancellation);
        }

        var took = TimeProvider.System.GetElapsedTime(began).TotalSeconds.ToString("0", CultureInfo.InvariantCulture);
        await output.WriteLineAsync($"Stripe shows {total.ToString(CultureInfo.InvariantCulture)} after {what}; its summaries took {took} s.");
    }

    private static object Event(string name, string quantity, DateTimeOffset at, Customer customer) =>
        new { tenantId = Tenant, metric = Metric, customerRef = customer.Id, quantity, ts = at, idempotencyKey = name };
}
