using System.Text.Json.Nodes;
using StripeMeter.Sqlite;
using StripeMeter.StripeDouble.Http;
using StripeMeter.StripeDouble.Meters;
using StripeMeter.StripeDouble.Notices;
using StripeMeter.StripeDouble.Products;
using StripeMeter.StripeDouble.Subscriptions;

namespace StripeMeter.StripeDouble.Prices;

/// <summary><c>/v1/prices</c>: create, get, list, update what is no amount. Tiers are shown when <c>expand[]</c> asks for them, as Stripe does.</summary>
internal sealed class PriceApi(BillingObjects objects, NoticeBoard board)
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
        new("POST", $"{Path}/{{id}}", Update),
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
                objects.Products.Add(writer, product);
            var stored = objects.Prices.Add(writer, price);
            Tell(writer, "price.created", stored, call.Now);
            return Show(stored, showsTiers);
        });
    }

    private Operation Update(StripeCall call, SqliteSession session)
    {
        var active = call.Parameters.Boolean("active");
        var nickname = call.Parameters.Text("nickname");
        var metadata = call.Parameters.Map("metadata") is null ? null : Metadata.Read(call.Parameters);
        var showsTiers = call.Parameters.Expansion(Tiers).Count > 0;
        call.Parameters.RefuseUnknown();
        return new(writer =>
        {
            var price = objects.Prices.Get(writer, call.Id);
            var before = price.DeepClone().AsObject();
            price["active"] = active ?? (bool)price["active"]!;
            price["nickname"] = nickname ?? (string?)price["nickname"];
            if (metadata is not null)
                price["metadata"] = metadata;
            objects.Prices.Replace(writer, price);
            Tell(writer, "price.updated", price, call.Now, before);
            return Show(price, showsTiers);
        });
    }

    private void Tell(SqliteSession session, string type, JsonObject price, DateTimeOffset now, JsonObject? before = null) =>
        board.Snapshot(session, type, Show(price.DeepClone().AsObject(), showsTiers: false), now, before is null ? null : Show(before, showsTiers: false));

    private Operation Get(StripeCall call, SqliteSession session)
    {
        var showsTiers = call.Parameters.Expansion(Tiers).Count > 0;
        call.Parameters.RefuseUnknown();
        return new(reader => Show(objects.Prices.Get(reader, call.Id), showsTiers));
    }

    private Operation List(StripeCall call, SqliteSession session)
    {
        var page = Page.Read(call.Parameters);
        var filter = PriceFilter.Read(call.Parameters);
        var showsTiers = call.Parameters.Expansion(ListedTiers).Count > 0;
        call.Parameters.RefuseUnknown();
        return new(reader =>
        {
            var list = objects.Prices.List(reader, Path, page, filter.Matches);
            foreach (var price in list["data"]!.AsArray())
                Show(price!.AsObject(), showsTiers);
            return list;
        });
    }

    private void RefuseUnknownReferences(SqliteSession session, JsonObject price, bool isNewProduct)
    {
        if (!isNewProduct)
            objects.Products.Get(session, (string)price["product"]!, "product");
        if ((string?)price["recurring"]?["meter"] is { } meter && !MeterTable.Get(session, meter, "recurring[meter]").IsActive)
            throw StripeRefusal.Invalid("recurring[meter]", $"The meter {meter} is inactive.");
        if ((string?)price["lookup_key"] is { } key && objects.Prices.Any(session, other => (string?)other["lookup_key"] == key))
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
