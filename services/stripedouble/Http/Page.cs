using System.Text.Json.Nodes;

namespace StripeMeter.StripeDouble.Http;

/// <summary>Rows that have an order, of which the newest come first in a list.</summary>
/// <param name="PositionOf">Where the object with an id stands; refuses when there is none.</param>
/// <param name="Before">The rows below a position, downwards.</param>
/// <param name="After">The rows above a position, upwards.</param>
internal sealed record PagedRows(
    Func<string, long> PositionOf, Func<long, IEnumerable<JsonObject>> Before, Func<long, IEnumerable<JsonObject>> After);

/// <summary>The part of a list that was asked for (<c>limit</c>, <c>starting_after</c>, <c>ending_before</c>).</summary>
internal sealed record Page(int Limit, string? StartingAfter, string? EndingBefore)
{
    private const int DefaultLimit = 10;
    private const int MaximumLimit = 100;

    /// <summary>The parameter that holds the cursor, for messages about it.</summary>
    public string CursorName => EndingBefore is null ? "starting_after" : "ending_before";

    public static Page Read(Parameters parameters)
    {
        var limit = parameters.Integer("limit") ?? DefaultLimit;
        if (limit is < 1 or > MaximumLimit)
            throw StripeRefusal.Invalid("limit", $"limit must be 1 to {MaximumLimit}.", "parameter_invalid_integer");
        var page = new Page((int)limit, parameters.Text("starting_after"), parameters.Text("ending_before"));
        return page is { StartingAfter: not null, EndingBefore: not null }
            ? throw StripeRefusal.Invalid("ending_before", "Only one of starting_after and ending_before can be given.")
            : page;
    }

    /// <summary>The list object. Rows are taken from the source only as far as the page needs them.</summary>
    public JsonObject List(string url, PagedRows rows)
    {
        var source = this switch
        {
            { EndingBefore: { } id } => rows.After(rows.PositionOf(id)),
            { StartingAfter: { } id } => rows.Before(rows.PositionOf(id)),
            _ => rows.Before(long.MaxValue),
        };
        var found = source.Take(Limit + 1).ToList();
        var hasMore = found.Count > Limit;
        if (hasMore)
            found.RemoveAt(Limit);
        if (EndingBefore is not null)
            found.Reverse();
        return new JsonObject
        {
            ["object"] = "list", ["url"] = url, ["has_more"] = hasMore, ["data"] = new JsonArray([.. found]),
        };
    }
}
