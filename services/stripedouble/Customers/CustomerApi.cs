using System.Text.Json.Nodes;
using StripeMeter.Sqlite;
using StripeMeter.StripeDouble.Http;
using StripeMeter.StripeDouble.Storage;

namespace StripeMeter.StripeDouble.Customers;

/// <summary><c>/v1/customers</c>: create, get, list.</summary>
internal sealed class CustomerApi(ObjectStore customers)
{
    public const string Kind = "customer";

    private const string Path = "/v1/customers";

    public IEnumerable<StripeRoute> Routes =>
    [
        new("POST", Path, Create),
        new("GET", Path, List),
        new("GET", $"{Path}/{{id}}", Get),
    ];

    private Operation Create(StripeCall call, SqliteSession session)
    {
        var parameters = call.Parameters;
        var customer = new JsonObject
        {
            ["id"] = Identifiers.Create("cus_", 14),
            ["object"] = Kind,
            ["address"] = null,
            ["balance"] = 0,
            ["created"] = call.NowSeconds,
            ["currency"] = null,
            ["default_source"] = null,
            ["delinquent"] = false,
            ["description"] = parameters.Text("description"),
            ["discount"] = null,
            ["email"] = parameters.Text("email", 512),
            ["livemode"] = false,
            ["metadata"] = Metadata.Read(parameters),
            ["name"] = parameters.Text("name", 256),
            ["phone"] = parameters.Text("phone"),
            ["preferred_locales"] = new JsonArray(),
            ["shipping"] = null,
            ["tax_exempt"] = "none",
            ["test_clock"] = null,
        };
        parameters.Expansion();
        parameters.RefuseUnknown();
        return new(writer => customers.Add(writer, customer));
    }

    private Operation Get(StripeCall call, SqliteSession session)
    {
        call.Parameters.Expansion();
        call.Parameters.RefuseUnknown();
        return new(reader => customers.Get(reader, call.Id));
    }

    private Operation List(StripeCall call, SqliteSession session)
    {
        var page = Page.Read(call.Parameters);
        var email = call.Parameters.Text("email", 512);
        call.Parameters.Expansion();
        call.Parameters.RefuseUnknown();
        return new(reader => customers.List(reader, Path, page, customer => email is null || (string?)customer["email"] == email));
    }
}
