using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;

namespace StripeMeter.Cli.Rest;

/// <summary>Reads listings page by page.</summary>
internal static class RestPages
{
    /// <summary>Follows <c>nextCursor</c> from the first page to the last.</summary>
    public static async IAsyncEnumerable<JsonNode> PagesAsync(
        this RestClient rest, string path, (string Name, string? Value)[] parameters, [EnumeratorCancellation] CancellationToken cancellation)
    {
        string? cursor = null;
        do
        {
            var page = await rest.GetAsync(RestAddress.Of(path, [.. parameters, ("cursor", cursor)]), cancellation).ConfigureAwait(false);
            yield return page;
            cursor = (string?)page["nextCursor"];
        }
        while (cursor is not null);
    }

    /// <summary>The first entries of a listing, over as many pages as it takes.</summary>
    /// <param name="rest">The API.</param>
    /// <param name="path">Path of the listing.</param>
    /// <param name="member">The member of a page that holds its entries.</param>
    /// <param name="limit">Most entries.</param>
    /// <param name="parameters">Parameters of the listing.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    public static async Task<JsonArray> ItemsAsync(
        this RestClient rest, string path, string member, int limit, (string Name, string? Value)[] parameters, CancellationToken cancellation)
    {
        var items = new JsonArray();
        await foreach (var page in rest.PagesAsync(path, parameters, cancellation).ConfigureAwait(false))
        {
            foreach (var item in page[member]!.AsArray().OfType<JsonNode>().Take(limit - items.Count))
                items.Add(item.DeepClone());
            if (items.Count >= limit)
                break;
        }

        return items;
    }
}
