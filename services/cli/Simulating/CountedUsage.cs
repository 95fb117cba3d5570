using System.Text.Json.Nodes;
using StripeMeter.Cli.Commands;
using StripeMeter.Cli.Rest;
using StripeMeter.Metering.Pricing;
using StripeMeter.Metering.Pricing.Comparing;

namespace StripeMeter.Cli.Simulating;

/// <summary>A comparison that the API makes over what is counted.</summary>
internal static class CountedUsage
{
    /// <exception cref="RestException">Refused, or not reached.</exception>
    public static async Task<(Currency Currency, IAsyncEnumerable<CustomerChange> Changes)> CompareAsync(
        RestClient rest, JsonNode request, CancellationToken cancellation)
    {
        var lines = rest.PostLinesAsync("/v1/simulations/compare", request, cancellation).GetAsyncEnumerator(cancellation);
        return await lines.MoveNextAsync().ConfigureAwait(false) && (string?)lines.Current["start"]?["currency"] is { } currency
            ? (new Currency(currency), ReadAsync(lines))
            : throw new CliException("The API does not say what it compares.");
    }

    private static async IAsyncEnumerable<CustomerChange> ReadAsync(IAsyncEnumerator<JsonNode> lines)
    {
        await using var _ = lines.ConfigureAwait(false);
        while (await lines.MoveNextAsync().ConfigureAwait(false))
        {
            if (lines.Current["summary"] is not null)
                yield break;
            if (lines.Current["change"] is { } change)
                yield return new CustomerChange((string)change["customer"]!, (long)change["before"]!, (long)change["after"]!);
        }

        throw new CliException("The answer broke off before its end.");
    }
}
