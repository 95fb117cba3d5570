using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Tenants;
using Xunit;

namespace StripeMeter.Kits.Storage;

/// <summary><see cref="IDocuments"/>: writing by revision, listing in both directions, deleting, and keeping the last.</summary>
internal sealed class DocumentPoints(StoreUnderTest subject)
{
    private const DocumentKind Kind = DocumentKind.Backfill;
    private readonly IDocuments _documents = subject.Acme.Documents;
    private readonly CancellationToken _cancellation = subject.Cancellation;

    public async Task Write_NewDocument_ComesBackWithRevisionOne()
    {
        Assert.Equal([true], await WriteAsync(new StoredDocument("a/😀", """{"x":"é"}""", 0)));

        Assert.Equal(new StoredDocument("a/😀", """{"x":"é"}""", 1), await _documents.GetAsync(Kind, "a/😀", _cancellation));
        Assert.Null(await _documents.GetAsync(Kind, "a", _cancellation));
        Assert.Null(await _documents.GetAsync(DocumentKind.Conflict, "a/😀", _cancellation));
        Assert.Null(await subject.Of("acme/2").Documents.GetAsync(Kind, "a/😀", _cancellation));
    }

    public async Task Write_OtherRevision_ChangesNothing()
    {
        await WriteAsync(new StoredDocument("a", "1", 0));

        Assert.Equal([false, false, true], await WriteAsync(
            new StoredDocument("a", "2", 0), new StoredDocument("a", "2", 7), new StoredDocument("b", "2", 0)));
        Assert.Equal([true], await WriteAsync(new StoredDocument("a", "2", 1)));
        Assert.Equal([false], await WriteAsync(new StoredDocument("c", "2", 1)));

        Assert.Equal(new StoredDocument("a", "2", 2), await _documents.GetAsync(Kind, "a", _cancellation));
        Assert.Null(await _documents.GetAsync(Kind, "c", _cancellation));
    }

    public async Task Write_FromManyTasks_OneWins()
    {
        var written = await Task.WhenAll(Enumerable.Range(0, 8).Select(number => Task.Run(
            () => WriteAsync(new StoredDocument("a", $"{number}", 0)))));

        Assert.Single(written, answer => answer[0]);
    }

    public async Task List_BothDirections_InPagesAndWithinThePrefix()
    {
        await WriteAsync([.. Sample.Texts.Reverse().Select(text => new StoredDocument("p/" + text, text, 0)), new StoredDocument("o", "", 0), new StoredDocument("q", "", 0)]);
        await subject.Of("other").Documents.WriteAsync(Kind, [new StoredDocument("p/other", "", 0)], _cancellation);

        var all = Sample.Texts.Select(text => "p/" + text).ToList();
        Assert.Equal(all, await PageAsync(new DocumentQuery(Kind) { Prefix = "p/", Limit = 2 }));
        Assert.Equal(Enumerable.Reverse(all), await PageAsync(new DocumentQuery(Kind) { Prefix = "p/", Limit = 2, Descending = true }));
        Assert.Equal(all.Count, await _documents.CountAsync(Kind, "p/", _cancellation));
        Assert.Equal(all.Count + 2, await _documents.CountAsync(Kind, "", _cancellation));
    }

    public async Task Delete_Prefix_LeavesTheOthers()
    {
        await WriteAsync([.. Enumerable.Range(0, 5).Select(number => new StoredDocument($"p/{number}", "", 0)), new StoredDocument("q", "", 0)]);

        Assert.Equal(3, await _documents.DeleteAsync(Kind, "p/", 3, _cancellation));
        Assert.Equal(2, await _documents.DeleteAsync(Kind, "p/", 3, _cancellation));
        Assert.Equal(0, await _documents.DeleteAsync(Kind, "p/", 3, _cancellation));

        Assert.Equal(["q"], await PageAsync(new DocumentQuery(Kind) { Limit = 2 }));
    }

    public async Task Trim_KeepsTheLast()
    {
        await WriteAsync([.. Enumerable.Range(0, 5).Select(number => new StoredDocument($"{number}", "", 0))]);
        await subject.Of("other").Documents.WriteAsync(Kind, [new StoredDocument("0", "", 0)], _cancellation);

        await _documents.TrimAsync(Kind, 5, _cancellation);
        Assert.Equal(5, await _documents.CountAsync(Kind, "", _cancellation));
        await _documents.TrimAsync(Kind, 2, _cancellation);

        Assert.Equal(["3", "4"], await PageAsync(new DocumentQuery(Kind)));
        Assert.Equal(1, await subject.Of("other").Documents.CountAsync(Kind, "", _cancellation));
    }

    public async Task Tenants_WithDocumentsOfAKind_AreFoundInOrder()
    {
        foreach (var name in Sample.Texts.Reverse())
            await subject.Of(name).Documents.WriteAsync(Kind, [new StoredDocument("1", "", 0), new StoredDocument("2", "", 0)], _cancellation);
        await subject.Of("other").Documents.WriteAsync(DocumentKind.Conflict, [new StoredDocument("1", "", 0)], _cancellation);

        var found = new List<string>();
        while (await subject.Store.Work.TenantsWithDocumentsAsync(
            Kind, found.Count == 0 ? null : new TenantId(found[^1]), 2, _cancellation) is { Count: > 0 } page)
        {
            found.AddRange(page.Select(tenant => tenant.Value));
        }

        Assert.Equal(Sample.Texts, found);
    }

    public async Task Directory_IsNoTenants()
    {
        var directory = subject.Store.Directory;
        await directory.WriteAsync(Kind, [new StoredDocument("a", "1", 0), new StoredDocument("b/1", "2", 0)], _cancellation);
        await WriteAsync(new StoredDocument("a", "acme's", 0));

        Assert.Equal(new StoredDocument("a", "1", 1), await directory.GetAsync(Kind, "a", _cancellation));
        Assert.Equal(new StoredDocument("a", "acme's", 1), await _documents.GetAsync(Kind, "a", _cancellation));
        Assert.Equal([true], await directory.WriteAsync(Kind, [new StoredDocument("a", "3", 1)], _cancellation));
        Assert.Equal(2, await directory.CountAsync(Kind, "", _cancellation));
        Assert.Equal(1, await _documents.CountAsync(Kind, "", _cancellation));
        Assert.Equal(["b/1"], (await directory.ListAsync(new DocumentQuery(Kind) { Prefix = "b/" }, _cancellation)).Select(found => found.Id));

        // Sweeps go by tenant, and would find none of this name.
        Assert.Equal(["acme"], (await subject.Store.Work.TenantsWithDocumentsAsync(Kind, null, 10, _cancellation)).Select(found => found.Value));
    }

    private Task<IReadOnlyList<bool>> WriteAsync(params StoredDocument[] documents) =>
        _documents.WriteAsync(Kind, documents, _cancellation);

    private async Task<List<string>> PageAsync(DocumentQuery query)
    {
        var ids = new List<string>();
        while (await _documents.ListAsync(query with { After = ids.Count == 0 ? null : ids[^1] }, _cancellation) is { Count: > 0 } page)
            ids.AddRange(page.Select(document => document.Id));
        return ids;
    }
}
