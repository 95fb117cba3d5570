using System.Text;

namespace StripeMeter.EndToEnd.Tests.Fuzzing;

/// <summary>What a tenant sees of itself: every list that needs nothing but the tenant. What changed something changed one of them.</summary>
internal static class TenantView
{
    public static async Task<string> ReadAsync(EmbeddedSystem system, IReadOnlyList<ApiOperation> operations, string tenant)
    {
        var state = new StringBuilder();
        foreach (var operation in operations.Where(IsList))
        {
            using var response = await system.Rest.GetAsync(
                new Uri($"{operation.Path}?tenantId={Uri.EscapeDataString(tenant)}", UriKind.Relative));

            // One that needs more than it declares as required answers a problem, which names its request.
            if (response.IsSuccessStatusCode)
                state.Append(operation.Name).Append(' ').AppendLine(await response.Content.ReadAsStringAsync());
        }

        return state.ToString();
    }

    private static bool IsList(ApiOperation operation) => !operation.Changes && !operation.Path.Contains('{', StringComparison.Ordinal)
        && operation.Parameters("query").Where(parameter => parameter.Required).Select(parameter => parameter.Name).SequenceEqual(["tenantId"]);
}
