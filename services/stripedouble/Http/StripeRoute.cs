using System.Text.Json.Nodes;
using StripeMeter.Sqlite;

namespace StripeMeter.StripeDouble.Http;

/// <summary>What a request asks for, once its parameters are known to be good.</summary>
/// <param name="Execute">
/// Does it and makes the answer. May run twice, the first time in a transaction that is rolled back. Refuses, by
/// <see cref="StripeRefusal"/>, only before it has written.
/// </param>
/// <param name="Exclusive">What no two requests may work on at the same time; nothing when null.</param>
/// <param name="MeterEvents">Meter events it brings, where it brings any.</param>
internal sealed record Operation(Func<SqliteSession, JsonObject> Execute, string? Exclusive = null, int MeterEvents = 1);

/// <summary>Checks the parameters of a call. Its refusals are never stored under an idempotency key.</summary>
internal delegate Operation Endpoint(StripeCall call, SqliteSession session);

/// <param name="Method">The HTTP method.</param>
/// <param name="Pattern">The path; one segment may be <c>{id}</c>.</param>
/// <param name="Endpoint">What answers.</param>
/// <param name="TakesUsage">Takes usage: the injected faults are for such requests.</param>
internal sealed record StripeRoute(string Method, string Pattern, Endpoint Endpoint, bool TakesUsage = false)
{
    private readonly string[] _segments = Pattern.Split('/');

    public bool Matches(string method, ReadOnlySpan<string> segments, out string id)
    {
        id = "";
        if (method != Method || segments.Length != _segments.Length)
            return false;
        for (var index = 0; index < segments.Length; index++)
        {
            if (_segments[index] == "{id}" && segments[index].Length > 0)
                id = segments[index];
            else if (_segments[index] != segments[index])
                return false;
        }

        return true;
    }
}
