using StripeMeter.Defaults.Auditing;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;

namespace StripeMeter.Defaults.Access;

/// <summary>A call reached for what is not its caller's.</summary>
public sealed class OtherTenantException : Exception
{
    public OtherTenantException() : base("Mismatched tenantId")
    {
    }

    public OtherTenantException(string message) : base(message)
    {
    }

    public OtherTenantException(string message, Exception cause) : base(message, cause)
    {
    }
}

/// <summary>
/// The store as calls see it: a tenant's handle is given only to those who were proven to be that tenant. It stands below
/// every endpoint, so none can forget to ask. A call that changes something is given a handle that has the change recorded.
/// </summary>
public sealed class GuardedStore(IMeterStore store) : IMeterStore
{
    /// <summary>For the system's own work only.</summary>
    public IWorkFinder Work => Own(store.Work);

    /// <summary>For the system's own work only.</summary>
    public IDocuments Directory => Call.Current?.Change is { Tenant: { } tenant } change
        ? new RecordedDocuments(Own(store.Directory), cancellation => change.BeginAsync(tenant, cancellation))
        : Own(store.Directory);

    private static Principal? Caller => Call.Current?.Principal;

    /// <exception cref="OtherTenantException">The call being served is not this tenant's.</exception>
    public ITenantStore Of(TenantId tenant) =>
        Caller is null || Caller.Reaches(tenant) ? Recorded(store.Of(tenant)) : throw new OtherTenantException();

    public Task PrepareAsync(CancellationToken cancellation) => store.PrepareAsync(cancellation);

    public Task CheckAsync(CancellationToken cancellation) => store.CheckAsync(cancellation);

    public ValueTask DisposeAsync() => store.DisposeAsync();

    private static ITenantStore Recorded(ITenantStore tenant) =>
        Call.Current?.Change is { } change ? new RecordedTenantStore(tenant, change) : tenant;

    private static T Own<T>(T part) => Caller is null || Caller.ReachesAll ? part : throw new OtherTenantException();
}
