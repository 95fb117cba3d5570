using System.Text.Json.Nodes;
using StripeMeter.Sqlite;
using StripeMeter.StripeDouble.Http;
using StripeMeter.StripeDouble.Storage;

namespace StripeMeter.StripeDouble.Credits;

/// <summary>
/// <c>/v1/billing/credit_grants</c>: create, get, list; and <c>/v1/billing/credit_balance_summary</c> of one grant. No
/// invoice uses credits up here: what was granted is left until it expires.
/// </summary>
internal sealed class CreditApi(ObjectStore grants)
{
    public const string Kind = "billing.credit_grant";

    private const string Path = "/v1/billing/credit_grants";
    private const int DefaultPriority = 50;

    public IEnumerable<StripeRoute> Routes =>
    [
        new("POST", Path, Create),
        new("GET", Path, List),
        new("GET", $"{Path}/{{id}}", Get),
        new("GET", "/v1/billing/credit_balance_summary", Balance),
    ];

    private Operation Create(StripeCall call, SqliteSession session)
    {
        var parameters = call.Parameters;
        var amount = parameters.RequiredMap("amount");
        var grant = new JsonObject
        {
            ["id"] = Identifiers.Create("credgr_", 24),
            ["object"] = Kind,
            ["amount"] = ReadAmount(amount),
            ["applicability_config"] = ReadScope(parameters.RequiredMap("applicability_config").RequiredMap("scope")),
            ["category"] = parameters.Choice("category", "paid", "promotional") ?? "paid",
            ["created"] = call.NowSeconds,
            ["customer"] = parameters.RequiredText("customer"),
            ["effective_at"] = parameters.Integer("effective_at") ?? call.NowSeconds,
            ["expires_at"] = parameters.Integer("expires_at"),
            ["livemode"] = false,
            ["metadata"] = Metadata.Read(parameters),
            ["name"] = parameters.Text("name", 100),
            ["priority"] = ReadPriority(parameters),
            ["test_clock"] = null,
            ["updated"] = call.NowSeconds,
            ["voided_at"] = null,
        };
        parameters.Expansion();
        parameters.RefuseUnknown();
        return new(writer => grants.Add(writer, grant));
    }

    private Operation Get(StripeCall call, SqliteSession session)
    {
        call.Parameters.Expansion();
        call.Parameters.RefuseUnknown();
        return new(reader => grants.Get(reader, call.Id));
    }

    private Operation List(StripeCall call, SqliteSession session)
    {
        var page = Page.Read(call.Parameters);
        var customer = call.Parameters.Text("customer");
        call.Parameters.Expansion();
        call.Parameters.RefuseUnknown();
        return new(reader => grants.List(reader, Path, page, grant => customer is null || (string?)grant["customer"] == customer));
    }

    private Operation Balance(StripeCall call, SqliteSession session)
    {
        var customer = call.Parameters.RequiredText("customer");
        var filter = call.Parameters.RequiredMap("filter");
        filter.RequiredChoice("type", "credit_grant");
        var id = filter.RequiredText("credit_grant");
        call.Parameters.Expansion();
        call.Parameters.RefuseUnknown();
        return new(reader =>
        {
            var grant = grants.Get(reader, id, "filter[credit_grant]");
            return (string?)grant["customer"] == customer
                ? Summary(grant, call.NowSeconds)
                : throw StripeRefusal.NoSuch(Kind, id, "filter[credit_grant]");
        });
    }

    private static JsonObject Summary(JsonObject grant, long now)
    {
        var monetary = grant["amount"]!["monetary"]!.DeepClone();
        if ((long)grant["effective_at"]! > now || (long?)grant["expires_at"] <= now)
            monetary["value"] = 0;
        return new JsonObject
        {
            ["object"] = "billing.credit_balance_summary",
            ["balances"] = new JsonArray(new JsonObject { ["available_balance"] = Amount(monetary), ["ledger_balance"] = Amount(monetary.DeepClone()) }),
            ["customer"] = (string)grant["customer"]!,
            ["livemode"] = false,
        };
    }

    private static JsonObject ReadAmount(Parameters amount)
    {
        amount.RequiredChoice("type", "monetary");
        var monetary = amount.RequiredMap("monetary");
        var value = monetary.RequiredInteger("value");
        if (value <= 0)
            throw StripeRefusal.Invalid(monetary.Name("value"), "The value of a credit must be positive.", "parameter_invalid_integer");
        return Amount(new JsonObject { ["currency"] = monetary.RequiredText("currency").ToLowerInvariant(), ["value"] = value });
    }

    private static JsonObject ReadScope(Parameters scope)
    {
        var prices = scope.Maps("prices").Select(static price => new JsonObject { ["id"] = price.RequiredText("id") }).ToArray<JsonNode>();
        var type = scope.Choice("price_type", "metered");
        if (type is null == (prices.Length == 0))
            throw StripeRefusal.Invalid(scope.Name("price_type"), "Either price_type or prices must be given.");
        return new JsonObject
        {
            ["scope"] = type is null ? new JsonObject { ["prices"] = new JsonArray(prices) } : new JsonObject { ["price_type"] = type },
        };
    }

    private static long ReadPriority(Parameters parameters)
    {
        var priority = parameters.Integer("priority") ?? DefaultPriority;
        return priority is >= 0 and <= 100 ? priority : throw StripeRefusal.Invalid("priority", "priority must be 0 to 100.", "parameter_invalid_integer");
    }

    private static JsonObject Amount(JsonNode monetary) => new() { ["monetary"] = monetary, ["type"] = "monetary" };
}
