using StripeMeter.Metering.Documents;
using StripeMeter.Sqlite;

namespace StripeMeter.Storage.Sqlite;

/// <summary>The documents of one tenant in SQLite, or those of the installation.</summary>
/// <param name="file">The file.</param>
/// <param name="owner">The tenant; empty, which is no tenant's name, for the installation.</param>
internal sealed class SqliteDocuments(StoreFile file, string owner) : IDocuments
{
    public const string Schema =
        """
        CREATE TABLE IF NOT EXISTS documents (
            kind INTEGER NOT NULL, tenant TEXT NOT NULL, id TEXT NOT NULL, revision INTEGER NOT NULL, body TEXT NOT NULL,
            PRIMARY KEY (kind, tenant, id)) WITHOUT ROWID;
        """;

    // Behind every text that begins with a prefix: U+10FFFF is no character, and sorts last.
    private const string Last = "\U0010FFFF";

    public Task<StoredDocument?> GetAsync(DocumentKind kind, string id, CancellationToken cancellation) =>
        file.ReadAsync<StoredDocument?>(
            session =>
            {
                using var query = session.Prepare("SELECT id, body, revision FROM documents WHERE kind = ?1 AND tenant = ?2 AND id = ?3");
                return query.Bind(1, (long)kind).Bind(2, owner).Bind(3, id).Step() ? DocumentIn(query) : null;
            },
            cancellation);

    public Task<IReadOnlyList<StoredDocument>> ListAsync(DocumentQuery query, CancellationToken cancellation) =>
        file.ReadAsync<IReadOnlyList<StoredDocument>>(
            session =>
            {
                using var statement = session.Prepare(
                    $"""
                    SELECT id, body, revision FROM documents WHERE kind = ?1 AND tenant = ?2 AND {RangeOf(query)}
                    ORDER BY id {(query.Descending ? "DESC" : "ASC")} LIMIT {(query.After is null ? "?5" : "?6")}
                    """);
                BindPrefix(statement, query.Kind, query.Prefix);
                if (query.After is not null)
                    statement.Bind(5, query.After);
                statement.Bind(query.After is null ? 5 : 6, query.Limit);
                var documents = new List<StoredDocument>();
                while (statement.Step())
                    documents.Add(DocumentIn(statement));
                return documents;
            },
            cancellation);

    public Task<long> CountAsync(DocumentKind kind, string prefix, CancellationToken cancellation) => file.ReadAsync(
        session =>
        {
            using var query = session.Prepare(
                "SELECT count(*) FROM documents WHERE kind = ?1 AND tenant = ?2 AND id >= ?3 AND id < ?4");
            BindPrefix(query, kind, prefix).Step();
            return query.Number(0);
        },
        cancellation);

    public Task<IReadOnlyList<bool>> WriteAsync(
        DocumentKind kind, IReadOnlyList<StoredDocument> documents, CancellationToken cancellation) =>
        file.WriteAsync<IReadOnlyList<bool>>(
            session => [.. documents.Select(document => Write(session, kind, document))], cancellation);

    public Task<int> DeleteAsync(DocumentKind kind, string prefix, int limit, CancellationToken cancellation) => file.WriteAsync(
        session =>
        {
            using var delete = session.Prepare(
                """
                DELETE FROM documents WHERE kind = ?1 AND tenant = ?2 AND id IN (
                    SELECT id FROM documents WHERE kind = ?1 AND tenant = ?2 AND id >= ?3 AND id < ?4 ORDER BY id LIMIT ?5)
                """);
            BindPrefix(delete, kind, prefix).Bind(5, limit).Run();
            return session.Changes;
        },
        cancellation);

    public Task TrimAsync(DocumentKind kind, int keep, CancellationToken cancellation) => file.WriteAsync(
        session =>
        {
            using var delete = session.Prepare(
                """
                DELETE FROM documents WHERE kind = ?1 AND tenant = ?2 AND id <= (
                    SELECT id FROM documents WHERE kind = ?1 AND tenant = ?2 ORDER BY id DESC LIMIT 1 OFFSET ?3)
                """);
            delete.Bind(1, (long)kind).Bind(2, owner).Bind(3, (long)keep).Run();
        },
        cancellation);

    /// <summary>
    /// One bound on each side: of two, SQLite seeks the first and reads past everything up to the other, so that each page
    /// would cost more than the one before.
    /// </summary>
    private static string RangeOf(DocumentQuery query)
    {
        if (query.After is not { } after)
            return "id >= ?3 AND id < ?4";
        var isWithin = after.StartsWith(query.Prefix, StringComparison.Ordinal);
        return query.Descending
            ? isWithin ? "id >= ?3 AND id < ?5" : "id >= ?3 AND id < ?4 AND id < ?5"
            : isWithin ? "id > ?5 AND id < ?4" : "id >= ?3 AND id < ?4 AND id > ?5";
    }

    private bool Write(SqliteSession session, DocumentKind kind, StoredDocument document)
    {
        using var write = session.Prepare(document.Revision == 0
            ? "INSERT INTO documents (kind, tenant, id, revision, body) VALUES (?1, ?2, ?3, ?4 + 1, ?5) ON CONFLICT DO NOTHING"
            : "UPDATE documents SET revision = ?4 + 1, body = ?5 WHERE kind = ?1 AND tenant = ?2 AND id = ?3 AND revision = ?4");
        write.Bind(1, (long)kind).Bind(2, owner).Bind(3, document.Id).Bind(4, document.Revision).Bind(5, document.Body).Run();
        return session.Changes == 1;
    }

    private SqliteStatement BindPrefix(SqliteStatement statement, DocumentKind kind, string prefix) =>
        statement.Bind(1, (long)kind).Bind(2, owner).Bind(3, prefix).Bind(4, prefix + Last);

    private static StoredDocument DocumentIn(in SqliteStatement row) => new(row.Text(0), row.Text(1), row.Number(2));
}
