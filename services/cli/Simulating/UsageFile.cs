using System.Runtime.CompilerServices;
using System.Text.Json;
using StripeMeter.Cli.Commands;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Pricing.Comparing;
using StripeMeter.Metering.Pricing.Reading;
using StripeMeter.Metering.Time;

namespace StripeMeter.Cli.Simulating;

/// <summary>Recorded usage: a customer a line.</summary>
internal static class UsageFile
{
    /// <summary>Whole periods are compared, so it does not matter which.</summary>
    public static BillingPeriod Period { get; } = new(Instant.OfDate(2026, 1, 1), Instant.OfDate(2026, 2, 1));

    /// <exception cref="CliException">A line cannot be read; it is named.</exception>
    public static async IAsyncEnumerable<CustomerUsage> ReadAsync(string path, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var number = 0;
        await foreach (var line in File.ReadLinesAsync(path, cancellation).ConfigureAwait(false))
        {
            number++;
            if (line.Length > 0)
                yield return Read(line, $"{path}: line {number}");
        }
    }

    private static CustomerUsage Read(string line, string place)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            var fields = new FieldReader(document.RootElement);
            var customer = fields.Text("customer", required: true);
            var usage = fields.Member("usage", required: true);
            var quantities = usage?.Names().Select(metric => new MetricUsage(metric, usage.Quantity(metric) ?? default)).ToArray() ?? [];
            fields.RefuseOthers();
            return fields.Problems.Count == 0
                ? new CustomerUsage(customer!, quantities) : throw new CliException($"{place}: {string.Join("; ", fields.Problems)}");
        }
        catch (JsonException problem)
        {
            throw new CliException($"{place}: {problem.Message}", problem);
        }
    }
}
