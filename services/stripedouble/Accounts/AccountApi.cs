using StripeMeter.Sqlite;
using StripeMeter.StripeDouble.Http;

namespace StripeMeter.StripeDouble.Accounts;

/// <summary><c>/v1/account</c> and <c>/v1/accounts</c>: the account that is called, and those connected to it.</summary>
internal sealed class AccountApi(Account account, StripeDoubleOptions options)
{
    private const string Path = "/v1/accounts";

    public IEnumerable<StripeRoute> Routes =>
        [new("GET", "/v1/account", Get), new("GET", $"{Path}/{{id}}", Get), new("POST", Path, Create)];

    private Operation Get(StripeCall call, SqliteSession session)
    {
        call.Parameters.Expansion();
        call.Parameters.RefuseUnknown();
        if (call.Id.Length == 0 || call.Id == account.Id)
            return new(_ => account.ToJson());
        return new(reader => Account.All(reader).FirstOrDefault(known => known.Id == call.Id)?.ToJson()
            ?? throw StripeRefusal.NoSuch("account", call.Id));
    }

    /// <summary>Connects an account. What it is used for is of no matter here, so of its parameters only the kind is taken.</summary>
    private Operation Create(StripeCall call, SqliteSession session)
    {
        call.Parameters.Choice("type", "custom", "express", "standard");
        call.Parameters.Text("country", 2);
        call.Parameters.Text("email", 512);
        call.Parameters.Expansion();
        call.Parameters.RefuseUnknown();
        return new(writer =>
        {
            if (Account.All(writer).Count > options.MaximumConnectedAccounts)
                throw StripeRefusal.Invalid("type", $"The double connects at most {options.MaximumConnectedAccounts} accounts.");
            var connected = Account.Create(call.NowSeconds);
            connected.Add(writer);
            return connected.ToJson();
        });
    }
}
