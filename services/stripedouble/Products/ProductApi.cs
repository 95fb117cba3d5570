using System.Text.Json.Nodes;
using StripeMeter.Sqlite;
using StripeMeter.StripeDouble.Http;
using StripeMeter.StripeDouble.Storage;

namespace StripeMeter.StripeDouble.Products;

/// <summary><c>/v1/products</c>: create, get, list; what prices need of them.</summary>
internal sealed class ProductApi(ObjectStore products)
{
    public const string Kind = "product";

    private const string Path = "/v1/products";

    public IEnumerable<StripeRoute> Routes =>
    [
        new("POST", Path, Create),
        new("GET", Path, List),
        new("GET", $"{Path}/{{id}}", Get),
    ];

    /// <summary>Reads the parameters of a product, which stand in a request of its own or within that of a price.</summary>
    public static JsonObject Read(Parameters parameters, long nowSeconds) => new()
    {
        ["id"] = parameters.Text("id", 200) ?? Identifiers.Create("prod_", 14),
        ["object"] = Kind,
        ["active"] = parameters.Boolean("active") ?? true,
        ["created"] = nowSeconds,
        ["default_price"] = null,
        ["description"] = parameters.Text("description"),
        ["images"] = new JsonArray(),
        ["livemode"] = false,
        ["marketing_features"] = new JsonArray(),
        ["metadata"] = Metadata.Read(parameters),
        ["name"] = parameters.RequiredText("name", 250),
        ["package_dimensions"] = null,
        ["shippable"] = null,
        ["statement_descriptor"] = parameters.Text("statement_descriptor", 22),
        ["tax_code"] = null,
        ["unit_label"] = parameters.Text("unit_label", 12),
        ["updated"] = nowSeconds,
        ["url"] = null,
    };

    private Operation Create(StripeCall call, SqliteSession session)
    {
        var product = Read(call.Parameters, call.NowSeconds);
        call.Parameters.Expansion();
        call.Parameters.RefuseUnknown();
        return new(writer => products.Has(writer, (string)product["id"]!)
            ? throw StripeRefusal.Invalid("id", $"Product already exists: {product["id"]}", "resource_already_exists")
            : products.Add(writer, product));
    }

    private Operation Get(StripeCall call, SqliteSession session)
    {
        call.Parameters.Expansion();
        call.Parameters.RefuseUnknown();
        return new(reader => products.Get(reader, call.Id));
    }

    private Operation List(StripeCall call, SqliteSession session)
    {
        var page = Page.Read(call.Parameters);
        var isActive = call.Parameters.Boolean("active");
        call.Parameters.Expansion();
        call.Parameters.RefuseUnknown();
        return new(reader => products.List(reader, Path, page, product => isActive is null || (bool)product["active"]! == isActive));
    }
}
