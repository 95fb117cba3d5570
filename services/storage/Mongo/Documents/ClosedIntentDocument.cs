using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Tenants;
using StripeMeter.Storage.Documents;

namespace StripeMeter.Storage.Mongo.Documents;

/// <summary>A closed intent: never changed once inserted.</summary>
internal sealed class ClosedIntentDocument
{
    /// <summary>Tenant, identifier and number of closing.</summary>
    public required string Id { get; init; }

    public required string Identifier { get; init; }

    public required string Tenant { get; init; }

    public required string MeterId { get; init; }

    public required string StripeCustomer { get; init; }

    public required string Account { get; init; }

    public required bool Livemode { get; init; }

    public required long Closing { get; init; }

    public required string Body { get; init; }

    public static ClosedIntentDocument Of(TenantId tenant, DeltaKey key, PushIntent intent) => new()
    {
        Id = DocumentId.Of(tenant, $"{intent.Identifier}/{intent.Closing}"), Identifier = intent.Identifier, Tenant = tenant.Value, MeterId = key.MeterId,
        StripeCustomer = key.StripeCustomer, Account = key.Account, Livemode = key.Livemode, Closing = intent.Closing,
        Body = DeltaJson.Write(intent),
    };

    public DeltaPlace ToPlace() => new(new TenantId(Tenant), new DeltaKey(Account, Livemode, MeterId, StripeCustomer));
}
