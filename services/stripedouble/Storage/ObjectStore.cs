using System.Text.Json.Nodes;
using StripeMeter.Sqlite;
using StripeMeter.StripeDouble.Http;

namespace StripeMeter.StripeDouble.Storage;

/// <summary>The objects of one kind that are kept as the API shows them.</summary>
/// <param name="kind">The value of <c>object</c>, as <c>customer</c>.</param>
internal sealed class ObjectStore(string kind)
{
    private const string Downwards = "SELECT body FROM objects WHERE kind = ?1 AND number < ?2 ORDER BY number DESC";
    private const string Upwards = "SELECT body FROM objects WHERE kind = ?1 AND number > ?2 ORDER BY number";

    public JsonObject Get(SqliteSession session, string id, string? parameter = null) =>
        Find(session, id) ?? throw StripeRefusal.NoSuch(kind, id, parameter);

    public bool Has(SqliteSession session, string id) => Find(session, id) is not null;

    public bool Any(SqliteSession session, Func<JsonObject, bool> matches) =>
        Rows(session, Downwards, long.MaxValue).Any(matches);

    /// <summary>Stores an object and returns it as it will be read.</summary>
    public JsonObject Add(SqliteSession session, JsonObject body)
    {
        var text = body.ToJsonString(StripeJson.Options);
        using var insert = session.Prepare("INSERT INTO objects (kind, id, body) VALUES (?1, ?2, ?3)");
        insert.Bind(1, kind).Bind(2, (string)body["id"]!).Bind(3, text).Run();
        return Parse(text);
    }

    /// <summary>Stores an object in the place of the one with its id.</summary>
    public void Replace(SqliteSession session, JsonObject body)
    {
        using var update = session.Prepare("UPDATE objects SET body = ?3 WHERE id = ?2 AND kind = ?1");
        update.Bind(1, kind).Bind(2, (string)body["id"]!).Bind(3, body.ToJsonString(StripeJson.Options)).Run();
    }

    /// <summary>Every object of the kind, oldest first.</summary>
    public IEnumerable<JsonObject> All(SqliteSession session) => Rows(session, Upwards, 0);

    /// <summary>A page of those that <paramref name="matches"/> accepts, newest first.</summary>
    public JsonObject List(SqliteSession session, string url, Page page, Func<JsonObject, bool> matches) => page.List(url, new PagedRows(
        id => Position(session, id, page),
        position => Rows(session, Downwards, position).Where(matches),
        position => Rows(session, Upwards, position).Where(matches)));

    private JsonObject? Find(SqliteSession session, string id)
    {
        using var query = session.Prepare("SELECT body FROM objects WHERE id = ?1 AND kind = ?2");
        query.Bind(1, id).Bind(2, kind);
        return query.Step() ? Parse(query.Text(0)) : null;
    }

    private long Position(SqliteSession session, string id, Page page)
    {
        using var query = session.Prepare("SELECT number FROM objects WHERE id = ?1 AND kind = ?2");
        query.Bind(1, id).Bind(2, kind);
        return query.Step() ? query.Number(0) : throw StripeRefusal.NoSuch(kind, id, page.CursorName);
    }

    private IEnumerable<JsonObject> Rows(SqliteSession session, string sql, long position)
    {
        using var query = session.Prepare(sql);
        query.Bind(1, kind).Bind(2, position);
        while (query.Step())
            yield return Parse(query.Text(0));
    }

    private static JsonObject Parse(string body) => JsonNode.Parse(body)!.AsObject();
}
