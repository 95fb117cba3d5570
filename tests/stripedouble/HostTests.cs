using System.Net;
using Stripe;
using StripeMeter.StripeDouble.Tests.Kit;

namespace StripeMeter.StripeDouble.Tests;

public sealed class HostTests
{
    [Fact]
    public async Task Restart_KeepsEverything()
    {
        await using var stripe = await TestDouble.StartAsync();
        var meter = await stripe.CreateMeterAsync();
        var customer = await stripe.Client.V1.Customers.CreateAsync(new CustomerCreateOptions { Name = "A" });
        var price = await stripe.Client.V1.Prices.CreateAsync(new PriceCreateOptions { Currency = "usd", UnitAmount = 1, ProductData = new PriceProductDataOptions { Name = "P" } });
        await stripe.SendAsync("0.1", "id1", customer: customer.Id, key: "k1");

        await stripe.RestartAsync();

        Assert.Equal(meter.EventName, (await stripe.Client.V1.Billing.Meters.GetAsync(meter.Id)).EventName);
        Assert.Equal("A", (await stripe.Client.V1.Customers.GetAsync(customer.Id)).Name);
        Assert.Equal(1, (await stripe.Client.V1.Prices.GetAsync(price.Id)).UnitAmount);
        var replay = await stripe.SendAsync("0.1", "id1", customer: customer.Id, key: "k1");
        Assert.Equal("true", replay.StripeResponse.Headers.GetValues("Idempotent-Replayed").Single());
        await Refused.AsAsync(HttpStatusCode.BadRequest, () => stripe.SendAsync("0.1", "id1", customer: customer.Id));
        await stripe.SendAsync("0.2", "id2", customer: customer.Id);
        Assert.Equal(0.3m, await stripe.TotalAsync(meter, customer.Id));
    }

    [Fact]
    public async Task Start_PortInUse_SaysSo()
    {
        await using var stripe = await TestDouble.StartAsync();
        var port = stripe.Host.BaseAddress.Port;
        var problem = await Assert.ThrowsAnyAsync<IOException>(() => TestDouble.StartAsync(options => options with { Port = port }));
        Assert.Contains($"{port}", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_FileThatCannotBeOpened_IsNamed()
    {
        using var folder = new TemporaryFolder();
        var problem = await Assert.ThrowsAsync<IOException>(() => TestDouble.StartAsync(options => options with { DataFile = folder.Path }));
        Assert.StartsWith(folder.Path, problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_OptionThatMakesNoSense_IsNamed()
    {
        foreach (var (name, change) in new (string, Func<StripeDoubleOptions, StripeDoubleOptions>)[]
        {
            ("DataFile", static options => options with { DataFile = " " }),
            ("Port", static options => options with { Port = 65_536 }),
            ("IdentifierWindow", static options => options with { IdentifierWindow = TimeSpan.FromTicks(-1) }),
            ("MaximumConnections", static options => options with { MaximumConnections = 0 }),
            ("RememberedRequests", static options => options with { RememberedRequests = 0 }),
        })
        {
            var problem = await Assert.ThrowsAsync<ArgumentException>(() => TestDouble.StartAsync(change));
            Assert.StartsWith(name, problem.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Process_KilledUnderLoad_KeepsEveryEventItAnswered()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "double.db");
        var answered = 0;
        string meter;
        await using (var process = await DoubleProcess.StartAsync(file))
        {
            meter = (await process.CreateMeterAsync()).Id;
            await Parallel.ForEachAsync(Enumerable.Range(0, 400), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (number, _) =>
            {
                try
                {
                    await process.SendAsync($"cus_{number % 40}", $"id{number}");
                    if (Interlocked.Increment(ref answered) == 200)
                        process.Kill();
                }
                catch (Exception problem) when (problem is HttpRequestException or StripeException)
                {
                    // Killed, or the same customer at the same time: not answered 200, so it may have landed or not.
                }
            });
        }

        await using var again = await DoubleProcess.StartAsync(file);
        var total = 0m;
        for (var customer = 0; customer < 40; customer++)
            total += await again.TotalAsync(meter, $"cus_{customer}");
        Assert.InRange(total, answered, 400);
        Assert.InRange(answered, 200, 399);
    }

    [Theory]
    [InlineData("--port", "many")]
    [InlineData("--port", "65536")]
    [InlineData("--colour", "red")]
    [InlineData("--data", null)]
    public async Task Process_ArgumentThatMakesNoSense_ExitsWithAMessage(string name, string? value)
    {
        var (code, message) = await DoubleProcess.RunToEndAsync(value is null ? [name] : [name, value]);
        Assert.Equal(1, code);
        Assert.Contains(name == "--port" && value == "65536" ? "Port" : name, message, StringComparison.Ordinal);
    }
}
