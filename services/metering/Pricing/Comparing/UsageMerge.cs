using System.Runtime.CompilerServices;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Text;

namespace StripeMeter.Metering.Pricing.Comparing;

/// <summary>
/// Puts the usage of several metrics together by customer. Each metric is read in the order of its customers, so only one
/// customer of each is held, however many there are.
/// </summary>
public static class UsageMerge
{
    /// <param name="series">One for each metric.</param>
    /// <param name="cancellation">Gives up.</param>
    public static async IAsyncEnumerable<CustomerUsage> ByCustomerAsync(
        IReadOnlyList<MetricSeries> series, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var heads = new PriorityQueue<Head, string>(CodePointOrder.Instance);
        var opened = series.Select(one => new Head(one.Metric, one.Usage.GetAsyncEnumerator(cancellation))).ToArray();
        try
        {
            foreach (var head in opened)
                await AdvanceAsync(heads, head).ConfigureAwait(false);
            while (heads.TryPeek(out _, out var customer))
            {
                var usage = new List<MetricUsage>(series.Count);
                while (heads.TryPeek(out var head, out var next) && next == customer)
                {
                    heads.Dequeue();
                    usage.Add(new MetricUsage(head.Metric, head.Usage.Current.Quantity));
                    await AdvanceAsync(heads, head).ConfigureAwait(false);
                }

                yield return new CustomerUsage(customer, usage);
            }
        }
        finally
        {
            foreach (var head in opened)
                await head.Usage.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static async ValueTask AdvanceAsync(PriorityQueue<Head, string> heads, Head head)
    {
        if (await head.Usage.MoveNextAsync().ConfigureAwait(false))
            heads.Enqueue(head, head.Usage.Current.Customer);
    }

    private sealed record Head(string Metric, IAsyncEnumerator<(string Customer, Quantity Quantity)> Usage);
}

/// <summary>The usage of a metric.</summary>
/// <param name="Metric">The metric.</param>
/// <param name="Usage">By customer, in the order of <see cref="CodePointOrder"/>, in which stores list them.</param>
public sealed record MetricSeries(string Metric, IAsyncEnumerable<(string Customer, Quantity Quantity)> Usage);
