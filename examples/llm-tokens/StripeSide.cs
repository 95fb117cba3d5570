using Stripe;
using Stripe.Billing;

namespace StripeMeter.Examples.LlmTokens;

/// <summary>The Stripe objects that the example needs, at Stripe or at the double.</summary>
internal sealed class StripeSide(StripeClient stripe)
{
    /// <summary>The meter of a metric, created if there is none.</summary>
    public async Task<string> MeterAsync(string eventName, string displayName, CancellationToken cancellation)
    {
        await foreach (var meter in stripe.V1.Billing.Meters.ListAutoPagingAsync(
            new MeterListOptions { Status = "active", Limit = 100 }, cancellationToken: cancellation))
        {
            if (meter.EventName == eventName)
                return meter.Id;
        }

        var created = await stripe.V1.Billing.Meters.CreateAsync(
            new MeterCreateOptions
            {
                DisplayName = displayName,
                EventName = eventName,
                DefaultAggregation = new MeterDefaultAggregationOptions { Formula = "sum" },
            },
            cancellationToken: cancellation);
        return created.Id;
    }

    /// <summary>The Stripe customer of a reference, created if there is none: found by its metadata.</summary>
    public async Task<Dictionary<string, string>> CustomersAsync(
        IReadOnlyCollection<string> references, CancellationToken cancellation)
    {
        var found = new Dictionary<string, string>();
        await foreach (var customer in stripe.V1.Customers.ListAutoPagingAsync(
            new CustomerListOptions { Limit = 100 }, cancellationToken: cancellation))
        {
            if (customer.Metadata is not null && customer.Metadata.TryGetValue("customer_ref", out var reference))
                found.TryAdd(reference, customer.Id);
        }

        foreach (var reference in references.Where(reference => !found.ContainsKey(reference)))
        {
            var customer = await stripe.V1.Customers.CreateAsync(
                new CustomerCreateOptions { Name = reference, Metadata = new() { ["customer_ref"] = reference } },
                cancellationToken: cancellation);
            found.Add(reference, customer.Id);
        }

        return references.ToDictionary(reference => reference, reference => found[reference]);
    }

    /// <summary>What Stripe has of a customer between two minutes.</summary>
    public async Task<decimal> TotalAsync(
        string meterId, string customer, DateTime start, DateTime end, CancellationToken cancellation)
    {
        var total = 0m;
        await foreach (var summary in stripe.V1.Billing.Meters.EventSummaries.ListAutoPagingAsync(
            meterId,
            new MeterEventSummaryListOptions { Customer = customer, StartTime = start, EndTime = end, Limit = 100 },
            cancellationToken: cancellation))
        {
            total += summary.AggregatedValue;
        }

        return total;
    }
}
