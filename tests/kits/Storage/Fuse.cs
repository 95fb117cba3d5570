using System.Reflection;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Mappings;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;

namespace StripeMeter.Kits.Storage;

/// <summary>
/// A process that dies at one of its calls to the store: the call is not made, or is made and not answered, and after it nothing
/// is. So a protocol can be cut off between any two of its steps.
/// </summary>
public sealed class Fuse(int calls, bool lastIsCarriedOut)
{
    private int _left = calls;

    public bool HasBlown { get; private set; }

    private bool LastIsCarriedOut => lastIsCarriedOut;

    /// <summary>The store as the process reaches it.</summary>
    public ITenantStore Guard(ITenantStore tenant)
    {
        ArgumentNullException.ThrowIfNull(tenant);
        return new GuardedTenant(tenant, Guard(tenant.Ledger), Guard(tenant.Documents));
    }

    private TPort Guard<TPort>(TPort port) where TPort : class
    {
        var proxy = DispatchProxy.Create<TPort, GuardedPort<TPort>>();
        var guarded = (GuardedPort<TPort>)(object)proxy;
        (guarded.Fuse, guarded.Port) = (this, port);
        return proxy;
    }

    /// <summary>Whether this call is the one at which the process dies. Throws at all behind it.</summary>
    private bool Burn()
    {
        if (HasBlown)
            throw Dead();
        HasBlown = _left-- == 0;
        return HasBlown;
    }

    private static StoreUnavailableException Dead() => new("The process died here.");

#pragma warning disable CA1852 // A proxy is made by deriving from it.
    private class GuardedPort<TPort> : DispatchProxy where TPort : class
#pragma warning restore CA1852
    {
        public Fuse Fuse { get; set; } = null!;

        public TPort Port { get; set; } = null!;

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            if (!Fuse.Burn())
                return targetMethod!.Invoke(Port, args);
            if (Fuse.LastIsCarriedOut && targetMethod!.Invoke(Port, args) is Task carriedOut)
                return Unanswered(targetMethod.ReturnType, carriedOut);
            throw Dead();
        }

        private static object Unanswered(Type task, Task carriedOut) => task == typeof(Task)
            ? WithoutAnswerAsync<object>(carriedOut)
            : typeof(GuardedPort<TPort>).GetMethod(nameof(WithoutAnswerAsync), BindingFlags.NonPublic | BindingFlags.Static)!
                .MakeGenericMethod(task.GetGenericArguments()).Invoke(null, [carriedOut])!;

        private static async Task<T> WithoutAnswerAsync<T>(Task carriedOut)
        {
            await carriedOut.ConfigureAwait(false);
            throw Dead();
        }
    }

    private sealed record GuardedTenant(ITenantStore Inner, ILedger Ledger, IDocuments Documents) : ITenantStore
    {
        public TenantId Tenant => Inner.Tenant;

        public IProjection Projection => Inner.Projection;

        public IMappings Mappings => Inner.Mappings;

        public IDeltaLedger Deltas => Inner.Deltas;
    }
}
