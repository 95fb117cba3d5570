using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Tenants;
using StripeMeter.Storage.Documents;

namespace StripeMeter.Storage.Mongo.Documents;

/// <summary>A delta document: what is searched by as fields, the whole as JSON. It is unique by tenant and key.</summary>
internal sealed class DeltaRow
{
    public required string Tenant { get; init; }

    public required string MeterId { get; init; }

    public required string StripeCustomer { get; init; }

    public required string Account { get; init; }

    public required bool Livemode { get; init; }

    public required long Revision { get; init; }

    /// <summary>Not there when nothing is to be done.</summary>
    public long? Due { get; init; }

    /// <summary>Not there when Stripe has accepted everything.</summary>
    public long? BehindSince { get; init; }

    /// <summary>1 if the open intent is ambiguous, else 0, so that they can be summed.</summary>
    public required int Ambiguous { get; init; }

    /// <summary>1 or 0.</summary>
    public required int Parked { get; init; }

    /// <summary>Identifier of the open intent. Not there when there is none.</summary>
    public string? OpenIntent { get; init; }

    public required CounterName[] Counters { get; init; }

    public required string Body { get; init; }

    /// <summary>The document as it is once saved: with the revision after its own.</summary>
    public static DeltaRow Of(TenantId tenant, DeltaDocument document) => new()
    {
        Tenant = tenant.Value, MeterId = document.Key.MeterId, StripeCustomer = document.Key.StripeCustomer,
        Account = document.Key.Account, Livemode = document.Key.Livemode, Revision = document.Revision + 1,
        Due = document.Due?.Ticks, BehindSince = document.BehindSince?.Ticks,
        Ambiguous = document.Open?.State == IntentState.Ambiguous ? 1 : 0, Parked = document.ParkedSince is null ? 0 : 1,
        OpenIntent = document.Open?.Identifier,
        Counters =
        [
            .. document.Periods.SelectMany(period => period.Contributions)
                .Select(counter => (counter.Metric, counter.Customer)).Distinct()
                .Select(name => new CounterName { Metric = name.Metric, Customer = name.Customer }),
        ],
        Body = DeltaJson.Write(document),
    };

    public DeltaKey ToKey() => new(Account, Livemode, MeterId, StripeCustomer);

    public DeltaPlace ToPlace() => new(new TenantId(Tenant), ToKey());

    public DeltaDocument ToDocument() => DeltaJson.ReadDocument(Body, Revision);
}

/// <summary>Metric and customer reference of a counter that contributes.</summary>
internal sealed class CounterName
{
    public required string Metric { get; init; }

    public required string Customer { get; init; }
}
