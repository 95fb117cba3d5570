using System.Text.Json.Nodes;
using StripeMeter.Sqlite;
using StripeMeter.StripeDouble.Http;
using StripeMeter.StripeDouble.Meters;
using StripeMeter.StripeDouble.Products;
using StripeMeter.StripeDouble.Storage;

namespace StripeMeter.StripeDouble.Prices;

/// <summary><c>/v1/prices</c>: create, get, list. Tiers are shown when <c>expand[]</c> asks for them, as Stripe does.</summary>
internal sealed class PriceApi(ObjectStore prices, ObjectStore products)
{
    public const string Kind = "price";

    private const string Path = "/v1/prices";
    private const string Tiers = "tiers";
    private const string ListedTiers = "data.tiers";

    public IEnumerable<StripeRoute> Routes =>
    [
        new("POST", Path, Create),
        new("GET", Path, List),
        new("GET", $"{Path}/{{id}}", Get),
    ];

    private Operation Create(StripeCall call, SqliteSession session)
    {
        var product = ProductData(call);
        var price = PriceRequest.Read(call, (string?)product?["id"]);
        var showsTiers = call.Parameters.Expansion(Tiers).Count > 0;
        call.Parameters.RefuseUnknown();
        return new(writer =>
        {
            RefuseUnknownReferences(writer, price, isNewProduct: product is not null);
            if (product is not null)
                products.Add(writer, product);
            return Show(prices.Add(writer, price), showsTiers);
        });
    }

    private Operation Get(StripeCall call, SqliteSession session)
    {
        var showsTiers = call.Parameters.Expansion(Tiers).Count > 0;
        call.Parameters.RefuseUnknown();
        return new(reader => Show(prices.Get(reader, call.Id), showsTiers));
    }

    private Operation List(StripeCall call, SqliteSession session)
    {
        var page = Page.Read(call.Parameters);
        var filter = PriceFilter.Read(call.Parameters);
        var showsTiers = call.Parameters.Expansion(ListedTiers).Count > 0;
        call.Parameters.RefuseUnknown();
        return new(reader =>
        {
            var list = prices.List(reader, Path, page, filter.Matches);
            foreach (var price in list["data"]!.AsArray())
                Show(price!.AsObject(), showsTiers);
            return list;
        });
    }

    private void RefuseUnknownReferences(SqliteSession session, JsonObject price, bool isNewProduct)
    {
        if (!isNewProduct)
            products.Get(session, (string)price["product"]!, "product");
        if ((string?)price["recurring"]?["meter"] is { } meter && !MeterTable.Get(session, meter, "recurring[meter]").IsActive)
            throw StripeRefusal.Invalid("recurring[meter]", $"The meter {meter} is inactive.");
        if ((string?)price["lookup_key"] is { } key && prices.Any(session, other => (string?)other["lookup_key"] == key))
            throw StripeRefusal.Invalid("lookup_key", $"A price uses the lookup key {key} already.");
    }

    private static JsonObject? ProductData(StripeCall call)
    {
        if (call.Parameters.Map("product_data") is not { } data)
            return null;
        return call.Parameters.Text("product") is null
            ? ProductApi.Read(data, call.NowSeconds)
            : throw StripeRefusal.Invalid("product_data", "Only one of product and product_data can be given.");
    }

    private static JsonObject Show(JsonObject price, bool showsTiers)
    {
        if (!showsTiers)
            price.Remove(Tiers);
        return price;
    }
}
