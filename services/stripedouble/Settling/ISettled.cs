using StripeMeter.Sqlite;

namespace StripeMeter.StripeDouble.Settling;

/// <summary>What happens to an account as time goes by, without a request.</summary>
internal interface ISettled
{
    /// <summary>Whether something is due.</summary>
    bool IsDue(SqliteSession session, DateTimeOffset now);

    /// <summary>Does what is due.</summary>
    void Settle(SqliteSession session, DateTimeOffset now);
}
