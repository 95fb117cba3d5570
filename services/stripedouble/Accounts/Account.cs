using System.Text.Json.Nodes;
using StripeMeter.Sqlite;
using StripeMeter.StripeDouble.Storage;

namespace StripeMeter.StripeDouble.Accounts;

/// <summary>The one account of a data file. Its id is unlike any of Stripe's, so that nobody mistakes the one for the other.</summary>
internal sealed record Account(string Id, long Created)
{
    private const string IdPrefix = "acct_double";

    /// <summary>The account of the file; made when it has none yet.</summary>
    public static Account GetOrCreate(SqliteSession session, long nowSeconds)
    {
        using var query = session.Prepare("SELECT id, created FROM account");
        if (query.Step())
            return new Account(query.Text(0), query.Number(1));
        var account = new Account(Identifiers.Create(IdPrefix, 16), nowSeconds);
        using var insert = session.Prepare("INSERT INTO account (id, created) VALUES (?1, ?2)");
        insert.Bind(1, account.Id).Bind(2, account.Created).Run();
        return account;
    }

    public JsonObject ToJson() => new()
    {
        ["id"] = Id,
        ["object"] = "account",
        ["business_type"] = null,
        ["charges_enabled"] = false,
        ["country"] = "US",
        ["created"] = Created,
        ["default_currency"] = "usd",
        ["details_submitted"] = false,
        ["email"] = null,
        ["livemode"] = false,
        ["metadata"] = new JsonObject(),
        ["payouts_enabled"] = false,
        ["type"] = "standard",
    };
}
