using System.Text.Json.Nodes;
using StripeMeter.Sqlite;
using StripeMeter.StripeDouble.Storage;

namespace StripeMeter.StripeDouble.Accounts;

/// <summary>
/// An account, which has a data file of its own. Its id is unlike any of Stripe's, so that nobody mistakes the one for the
/// other. The file of the keys' own account lists those that are connected to it behind itself.
/// </summary>
internal sealed record Account(string Id, long Created)
{
    private const string IdPrefix = "acct_double";

    public static Account Create(long nowSeconds) => new(Identifiers.Create(IdPrefix, 16), nowSeconds);

    /// <summary>The account of the file; made when it has none yet.</summary>
    public static Account GetOrCreate(SqliteSession session, long nowSeconds)
    {
        if (All(session) is [var first, ..])
            return first;
        var account = Create(nowSeconds);
        account.Add(session);
        return account;
    }

    /// <summary>The account of the file, then those that are connected to it.</summary>
    public static IReadOnlyList<Account> All(SqliteSession session)
    {
        using var query = session.Prepare("SELECT id, created FROM account ORDER BY rowid");
        var accounts = new List<Account>();
        while (query.Step())
            accounts.Add(new Account(query.Text(0), query.Number(1)));
        return accounts;
    }

    public void Add(SqliteSession session)
    {
        using var insert = session.Prepare("INSERT INTO account (id, created) VALUES (?1, ?2)");
        insert.Bind(1, Id).Bind(2, Created).Run();
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
