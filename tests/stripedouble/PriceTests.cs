using System.Net;
using Stripe;
using StripeMeter.StripeDouble.Tests.Kit;

namespace StripeMeter.StripeDouble.Tests;

public sealed class PriceTests
{
    [Fact]
    public async Task Create_MeteredPrice_IsShownByGet()
    {
        await using var stripe = await TestDouble.StartAsync();
        var (meter, product) = (await stripe.CreateMeterAsync(), await CreateProductAsync(stripe));
        var created = await stripe.Client.V1.Prices.CreateAsync(Metered(meter.Id, product.Id));
        var price = await stripe.Client.V1.Prices.GetAsync(created.Id);
        Assert.StartsWith("price_", price.Id, StringComparison.Ordinal);
        Assert.Equal(("usd", product.Id, "Tokens", "per_unit", "recurring"), (price.Currency, price.ProductId, price.Nickname, price.BillingScheme, price.Type));
        Assert.Equal(("month", 1, meter.Id, "metered"), (price.Recurring.Interval, price.Recurring.IntervalCount, price.Recurring.Meter, price.Recurring.UsageType));
        Assert.Equal((0.000000000001m, null), (price.UnitAmountDecimal, price.UnitAmount));
        Assert.Contains("\"unit_amount_decimal\":\"0.000000000001\"", price.StripeResponse.Content, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Create_UnitAmount_IsShownAsBoth()
    {
        await using var stripe = await TestDouble.StartAsync();
        var product = await CreateProductAsync(stripe);
        var whole = await stripe.Client.V1.Prices.CreateAsync(new PriceCreateOptions { Currency = "EUR", Product = product.Id, UnitAmount = 700 });
        Assert.Equal((700, 700m, "eur", "one_time"), (whole.UnitAmount, whole.UnitAmountDecimal, whole.Currency, whole.Type));
        var text = await stripe.Client.V1.Prices.CreateAsync(new PriceCreateOptions { Currency = "eur", Product = product.Id, UnitAmountDecimal = 12.00m });
        Assert.Equal((12, 12m), (text.UnitAmount, text.UnitAmountDecimal));
    }

    [Fact]
    public async Task Create_Tiers_AreKeptAsGivenAndShownWhenAskedFor()
    {
        await using var stripe = await TestDouble.StartAsync();
        var (meter, product) = (await stripe.CreateMeterAsync(), await CreateProductAsync(stripe));
        var options = Metered(meter.Id, product.Id);
        options.UnitAmountDecimal = null;
        options.BillingScheme = "tiered";
        options.TiersMode = "graduated";
        options.Tiers =
        [
            new PriceTierOptions { UpTo = 1_000, UnitAmount = 0, FlatAmount = 900 },
            new PriceTierOptions { UpTo = PriceTierUpTo.Inf, UnitAmountDecimal = 3.6m },
        ];
        options.Expand = ["tiers"];
        var created = await stripe.Client.V1.Prices.CreateAsync(options);
        Assert.Equal([(1_000, 0, 0m, 900), (null, null, 3.6m, null)], created.Tiers.Select(Summary));

        Assert.Null((await stripe.Client.V1.Prices.GetAsync(created.Id)).Tiers);
        var price = await stripe.Client.V1.Prices.GetAsync(created.Id, new PriceGetOptions { Expand = ["tiers"] });
        Assert.Equal(created.Tiers.Select(Summary), price.Tiers.Select(Summary));
        var listed = (await stripe.Client.V1.Prices.ListAsync(new PriceListOptions { Expand = ["data.tiers"] })).Single();
        Assert.Equal(created.Tiers.Select(Summary), listed.Tiers.Select(Summary));
        Assert.Equal(("tiered", "graduated"), (listed.BillingScheme, listed.TiersMode));

        static (long?, long?, decimal?, long?) Summary(PriceTier tier) => (tier.UpTo, tier.UnitAmount, tier.UnitAmountDecimal, tier.FlatAmount);
    }

    [Fact]
    public async Task Create_ProductDataAndTransform_AreKept()
    {
        await using var stripe = await TestDouble.StartAsync();
        var price = await stripe.Client.V1.Prices.CreateAsync(new PriceCreateOptions
        {
            Currency = "usd",
            UnitAmount = 2_500,
            ProductData = new PriceProductDataOptions { Name = "Seats" },
            TransformQuantity = new PriceTransformQuantityOptions { DivideBy = 5, Round = "up" },
        });
        Assert.Equal("Seats", (await stripe.Client.V1.Products.GetAsync(price.ProductId)).Name);
        Assert.Equal((5, "up"), (price.TransformQuantity.DivideBy, price.TransformQuantity.Round));
    }

    [Fact]
    public async Task List_ByFilter_ShowsOnlyThose()
    {
        await using var stripe = await TestDouble.StartAsync();
        var (tokens, calls) = (await stripe.CreateMeterAsync(), await stripe.CreateMeterAsync("calls"));
        var product = await CreateProductAsync(stripe);
        var first = await stripe.Client.V1.Prices.CreateAsync(Metered(tokens.Id, product.Id));
        var second = await stripe.Client.V1.Prices.CreateAsync(Metered(calls.Id, product.Id, "a-key"));
        var once = await stripe.Client.V1.Prices.CreateAsync(new PriceCreateOptions { Currency = "eur", UnitAmount = 1, Product = product.Id, Active = false });

        await ExpectAsync([once.Id, second.Id, first.Id], new PriceListOptions { Product = product.Id });
        await ExpectAsync([first.Id], new PriceListOptions { Recurring = new PriceRecurringListOptions { Meter = tokens.Id } });
        await ExpectAsync([second.Id, first.Id], new PriceListOptions { Recurring = new PriceRecurringListOptions { UsageType = "metered" } });
        await ExpectAsync([once.Id], new PriceListOptions { Currency = "eur" });
        await ExpectAsync([once.Id], new PriceListOptions { Active = false });
        await ExpectAsync([once.Id], new PriceListOptions { Type = "one_time" });
        await ExpectAsync([second.Id], new PriceListOptions { LookupKeys = ["a-key", "b-key"] });

        async Task ExpectAsync(string[] ids, PriceListOptions options) =>
            Assert.Equal(ids, (await stripe.Client.V1.Prices.ListAsync(options)).Select(static price => price.Id));
    }

    [Theory]
    [InlineData("unit_amount=1&product=PRODUCT", "currency")]
    [InlineData("currency=dollar&unit_amount=1&product=PRODUCT", "currency")]
    [InlineData("currency=usd&product=PRODUCT", "unit_amount")]
    [InlineData("currency=usd&unit_amount=-1&product=PRODUCT", "unit_amount")]
    [InlineData("currency=usd&unit_amount=1.5&product=PRODUCT", "unit_amount")]
    [InlineData("currency=usd&unit_amount=1&unit_amount_decimal=1&product=PRODUCT", "unit_amount")]
    [InlineData("currency=usd&unit_amount_decimal=0.0000000000001&product=PRODUCT", "unit_amount_decimal")]
    [InlineData("currency=usd&unit_amount=1", "product")]
    [InlineData("currency=usd&unit_amount=1&product=prod_none", "product")]
    [InlineData("currency=usd&unit_amount=1&product=PRODUCT&product_data[name]=x", "product_data")]
    [InlineData("currency=usd&unit_amount=1&product_data[active]=true", "product_data[name]")]
    [InlineData("currency=usd&unit_amount=1&product=PRODUCT&recurring[usage_type]=metered&recurring[interval]=month", "recurring[meter]")]
    [InlineData("currency=usd&unit_amount=1&product=PRODUCT&recurring[meter]=METER&recurring[interval]=month", "recurring[meter]")]
    [InlineData("currency=usd&unit_amount=1&product=PRODUCT&recurring[meter]=mtr_none&recurring[usage_type]=metered&recurring[interval]=month", "recurring[meter]")]
    [InlineData("currency=usd&unit_amount=1&product=PRODUCT&recurring[meter]=METER&recurring[usage_type]=metered", "recurring[interval]")]
    [InlineData("currency=usd&unit_amount=1&product=PRODUCT&recurring[interval]=hour", "recurring[interval]")]
    [InlineData("currency=usd&product=PRODUCT&billing_scheme=tiered&tiers_mode=volume", "tiers")]
    [InlineData("currency=usd&product=PRODUCT&billing_scheme=tiered&tiers[0][up_to]=inf&tiers[0][unit_amount]=1", "tiers_mode")]
    [InlineData("currency=usd&product=PRODUCT&billing_scheme=tiered&tiers_mode=volume&tiers[0][up_to]=5&tiers[0][unit_amount]=1", "tiers[0][up_to]")]
    [InlineData("currency=usd&product=PRODUCT&billing_scheme=tiered&tiers_mode=volume&tiers[0][up_to]=5&tiers[0][unit_amount]=1&tiers[1][up_to]=5&tiers[1][unit_amount]=1&tiers[2][up_to]=inf&tiers[2][unit_amount]=1", "tiers[1][up_to]")]
    [InlineData("currency=usd&product=PRODUCT&billing_scheme=tiered&tiers_mode=volume&tiers[0][up_to]=inf", "tiers[0][unit_amount]")]
    [InlineData("currency=usd&product=PRODUCT&unit_amount=1&tiers[0][up_to]=inf&tiers[0][unit_amount]=1", "tiers")]
    [InlineData("currency=usd&product=PRODUCT&unit_amount=1&tiers[0][up_to]=inf&tiers[x][unit_amount]=1", "tiers[x]")]
    [InlineData("currency=usd&product=PRODUCT&unit_amount=1&transform_quantity[divide_by]=0&transform_quantity[round]=up", "transform_quantity[divide_by]")]
    [InlineData("currency=usd&product=PRODUCT&unit_amount=1&expand[]=product", "expand")]
    [InlineData("currency=usd&product=PRODUCT&unit_amount=1&recurring[interval]=month&recurring[colour]=red", "recurring[colour]")]
    public async Task Create_ParameterThatBreaksARule_IsNamedAndNothingIsKept(string form, string parameter)
    {
        await using var stripe = await TestDouble.StartAsync();
        var (meter, product) = (await stripe.CreateMeterAsync(), await CreateProductAsync(stripe));
        form = form.Replace("PRODUCT", product.Id, StringComparison.Ordinal).Replace("METER", meter.Id, StringComparison.Ordinal);
        var reply = await stripe.SendRawAsync(HttpMethod.Post, "/v1/prices", form);
        Assert.Equal((400, parameter), (reply.Status, reply.Parameter));
        Assert.Empty(await stripe.Client.V1.Prices.ListAsync());
        Assert.Single(await stripe.Client.V1.Products.ListAsync());
    }

    [Fact]
    public async Task Create_InactiveMeterOrUsedLookupKey_IsRefused()
    {
        await using var stripe = await TestDouble.StartAsync();
        var (meter, product) = (await stripe.CreateMeterAsync(), await CreateProductAsync(stripe));
        await stripe.Client.V1.Prices.CreateAsync(Metered(meter.Id, product.Id, "a-key"));
        await Refused.AsAsync(HttpStatusCode.BadRequest, () => stripe.Client.V1.Prices.CreateAsync(Metered(meter.Id, product.Id, "a-key")));
        await stripe.Client.V1.Billing.Meters.DeactivateAsync(meter.Id);
        await Refused.AsAsync(HttpStatusCode.BadRequest, () => stripe.Client.V1.Prices.CreateAsync(Metered(meter.Id, product.Id)));
    }

    [Fact]
    public async Task Products_OwnId_IsKeptOnce()
    {
        await using var stripe = await TestDouble.StartAsync();
        await stripe.Client.V1.Products.CreateAsync(new ProductCreateOptions { Id = "mine", Name = "P", UnitLabel = "token" });
        Assert.Equal(("P", "token"), ((await stripe.Client.V1.Products.GetAsync("mine")).Name, (await stripe.Client.V1.Products.GetAsync("mine")).UnitLabel));
        var refusal = await Refused.AsAsync(HttpStatusCode.BadRequest, () => stripe.Client.V1.Products.CreateAsync(new ProductCreateOptions { Id = "mine", Name = "Q" }));
        Assert.Equal("resource_already_exists", refusal.StripeError.Code);
    }

    private static Task<Product> CreateProductAsync(TestDouble stripe) =>
        stripe.Client.V1.Products.CreateAsync(new ProductCreateOptions { Name = "Tokens" });

    private static PriceCreateOptions Metered(string meter, string product, string? lookupKey = null) => new()
    {
        Currency = "usd",
        Product = product,
        Nickname = "Tokens",
        UnitAmountDecimal = 0.000000000001m,
        LookupKey = lookupKey,
        Recurring = new PriceRecurringOptions { Interval = "month", Meter = meter, UsageType = "metered" },
    };
}
