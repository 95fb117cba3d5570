using Google.Protobuf;
using StripeMeter.Defaults.Auditing;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Tenants;

namespace StripeMeter.Defaults.Access;

/// <summary>
/// The request that is being served: who calls, and under which name. It goes with the request through everything that is
/// done for it, and is what the store is guarded by (<see cref="GuardedStore"/>). Where there is none, a service works by
/// itself.
/// </summary>
/// <param name="Principal">Who calls, as far as it was proven.</param>
/// <param name="RequestId">Name of the request, as its answer gives it.</param>
public sealed record Call(Principal Principal, string RequestId)
{
    private static readonly AsyncLocal<Call?> Ambient = new();

    /// <summary>The call being served. Null: a service works by itself.</summary>
    public static Call? Current => Ambient.Value;

    /// <summary>The change that it makes, for the audit log. Null: it changes nothing, or only adds to the ledger.</summary>
    public RecordedChange? Change { get; init; }

    /// <summary>
    /// Begins to serve a call: it is the current one for all that the method that says so awaits from here on, and for nothing
    /// when that method has returned. So it is to be said where the call is served, not in a method of its own.
    /// </summary>
    public static void Begin(Call call) => Ambient.Value = call;

    /// <summary>Begins to serve what the sidecar delivers, as whose it is. Nobody but the sidecar can say that, whatever let the request through.</summary>
    /// <exception cref="OtherTenantException">The request is not the sidecar's.</exception>
    public static void BeginDelivery(Call call)
    {
        if (Current is not { Principal.ReachesAll: true })
            throw new OtherTenantException("Not delivered by the sidecar");
        Begin(call);
    }

    /// <summary>Acts for somebody else until the returned value is disposed. What is changed still belongs to the change of the call.</summary>
    public static Acting ActAs(Principal principal)
    {
        var before = Ambient.Value;
        Ambient.Value = new Call(principal, before?.RequestId ?? "") { Change = before?.Change };
        return new Acting(before);
    }

    /// <summary>Acts as the system, and what is written is no part of the change: for the audit log itself.</summary>
    internal static Acting Unrecorded()
    {
        var before = Ambient.Value;
        Ambient.Value = new Call(Principal.System, before?.RequestId ?? "");
        return new Acting(before);
    }

    /// <summary>
    /// Enters the change in the audit log now, for what is not changed in this service's store: that of another service, or a
    /// credential that is given. Where the store is written to, this is done by itself.
    /// </summary>
    public static Task BeginChangeAsync(TenantId tenant, CancellationToken cancellation) =>
        Current?.Change?.BeginAsync(tenant, cancellation) ?? Task.CompletedTask;

    /// <summary>Has the system look where a caller may not, such as for whose something is. What is shown of it is the method's to judge.</summary>
    public static async Task<T> AsSystemAsync<T>(Func<Task<T>> look)
    {
        ArgumentNullException.ThrowIfNull(look);
        using var system = ActAs(Principal.System);
        return await look().ConfigureAwait(false);
    }

    /// <summary>Tells the audit log what stood before the change. To be said before anything is changed.</summary>
    public static void NoteBefore(IMessage before)
    {
        if (Current?.Change is { } change)
            change.Before = before;
    }

    /// <summary>Tells the audit log whose change it is, where the request names no tenant.</summary>
    public static void NoteTenant(TenantId tenant)
    {
        if (Current?.Change is { } change)
            change.Tenant = tenant;
    }

    /// <summary>Goes back to the call before.</summary>
    public readonly struct Acting(Call? before) : IDisposable
    {
        public void Dispose() => Ambient.Value = before;
    }
}
