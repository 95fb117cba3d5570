using System.Net;
using Stripe;
using StripeMeter.StripeDouble.Tests.Kit;

namespace StripeMeter.StripeDouble.Tests;

public sealed class CustomerTests
{
    [Fact]
    public async Task Create_EveryParameter_IsShownByGet()
    {
        await using var stripe = await TestDouble.StartAsync();
        var created = await stripe.Client.V1.Customers.CreateAsync(new CustomerCreateOptions
        {
            Name = "Zoë & Söhne = 100 %", Email = "z+1@example.com", Description = "d", Phone = "1", Metadata = new() { ["customer_ref"] = "a[b]" },
        });
        var customer = await stripe.Client.V1.Customers.GetAsync(created.Id);
        Assert.Matches("^cus_[0-9A-Za-z]{14}$", customer.Id);
        Assert.Equal(("Zoë & Söhne = 100 %", "z+1@example.com", "d", "1"), (customer.Name, customer.Email, customer.Description, customer.Phone));
        Assert.Equal("a[b]", customer.Metadata["customer_ref"]);
        Assert.Equal((stripe.Now, false), (customer.Created, customer.Livemode));
    }

    [Fact]
    public async Task List_ByEmailAndPage_GivesEachOnceNewestFirst()
    {
        await using var stripe = await TestDouble.StartAsync();
        var ids = new List<string>();
        for (var number = 0; number < 23; number++)
            ids.Insert(0, (await stripe.Client.V1.Customers.CreateAsync(new CustomerCreateOptions { Email = $"{number % 2}@example.com" })).Id);
        var all = new List<string>();
        await foreach (var customer in stripe.Client.V1.Customers.ListAutoPagingAsync(new CustomerListOptions { Limit = 5 }))
            all.Add(customer.Id);
        Assert.Equal(ids, all);

        var some = new List<string>();
        await foreach (var customer in stripe.Client.V1.Customers.ListAutoPagingAsync(new CustomerListOptions { Limit = 5, Email = "1@example.com" }))
            some.Add(customer.Id);
        Assert.Equal(ids.Where((_, index) => (22 - index) % 2 == 1), some);
    }

    [Fact]
    public async Task Get_IdOfAnotherKind_IsNotFound()
    {
        await using var stripe = await TestDouble.StartAsync();
        var product = await stripe.Client.V1.Products.CreateAsync(new ProductCreateOptions { Name = "P" });
        await Refused.AsAsync(HttpStatusCode.NotFound, () => stripe.Client.V1.Customers.GetAsync(product.Id));
    }

    [Fact]
    public async Task Create_MetadataBeyondItsLimits_IsRefused()
    {
        await using var stripe = await TestDouble.StartAsync();
        var customers = stripe.Client.V1.Customers;
        foreach (var metadata in new Dictionary<string, string>[]
        {
            new() { [new string('k', 41)] = "v" },
            new() { ["k"] = new string('v', 501) },
            Enumerable.Range(0, 51).ToDictionary(static number => $"k{number}", static _ => "v"),
        })
        {
            await Refused.AsAsync(HttpStatusCode.BadRequest, () => customers.CreateAsync(new CustomerCreateOptions { Metadata = metadata }));
        }

        Assert.Empty(await customers.ListAsync());
    }
}
