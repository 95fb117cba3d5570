using StripeMeter.Sqlite;
using StripeMeter.StripeDouble.Http;

namespace StripeMeter.StripeDouble.Accounts;

/// <summary><c>/v1/account</c>: the account that the key belongs to.</summary>
internal sealed class AccountApi(Account account)
{
    public IEnumerable<StripeRoute> Routes => [new("GET", "/v1/account", Get), new("GET", "/v1/accounts/{id}", Get)];

    private Operation Get(StripeCall call, SqliteSession session)
    {
        call.Parameters.Expansion();
        call.Parameters.RefuseUnknown();
        return call.Id.Length == 0 || call.Id == account.Id
            ? new(_ => account.ToJson())
            : throw StripeRefusal.NoSuch("account", call.Id);
    }
}
