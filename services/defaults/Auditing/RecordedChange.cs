using Google.Protobuf;
using StripeMeter.Defaults.Access;
using StripeMeter.Metering.Tenants;

namespace StripeMeter.Defaults.Auditing;

/// <summary>
/// The change that a call makes. Its beginning stands in the audit log before anything of it is stored, whatever that is (see
/// <see cref="RecordedTenantStore"/>), and its outcome before it is answered. What crashes in between leaves a beginning without an
/// outcome, and that shows. Safe for use by several threads.
/// </summary>
public sealed class RecordedChange
{
    private readonly Lock _gate = new();
    private readonly Func<RecordedChange, TenantId, CancellationToken, Task<long>> _write;
    private Task<long>? _beginning;
    private bool _isOver;

    internal RecordedChange(string action, IMessage asked, Func<RecordedChange, TenantId, CancellationToken, Task<long>> write) =>
        (Action, Asked, Tenant, _write) = (action, asked, CallerFields.TenantOf(asked), write);

    public string Action { get; }

    /// <summary>The request.</summary>
    public IMessage Asked { get; }

    /// <summary>What stood before; null: nothing did.</summary>
    public IMessage? Before { get; internal set; }

    /// <summary>Whose change it is, as far as it is known.</summary>
    public TenantId? Tenant { get; internal set; }

    /// <summary>
    /// Writes the beginning, once. What is done behind the back of a call that is over is the system's own work, and begins nothing.
    /// </summary>
    /// <exception cref="Metering.Ledger.StoreUnavailableException">It is not written; nothing may be changed.</exception>
    public Task BeginAsync(TenantId tenant, CancellationToken cancellation)
    {
        lock (_gate)
        {
            if (_beginning is null && _isOver)
                return Task.CompletedTask;
            Tenant ??= tenant;
            return _beginning ??= _write(this, Tenant.Value, cancellation);
        }
    }

    /// <summary>Ends the change. Returns the sequence of its beginning; 0 if it has none.</summary>
    internal async Task<long> EndAsync()
    {
        Task<long>? beginning;
        lock (_gate)
        {
            _isOver = true;
            beginning = _beginning;
        }

        return beginning is null ? 0 : await beginning.ConfigureAwait(false);
    }
}
