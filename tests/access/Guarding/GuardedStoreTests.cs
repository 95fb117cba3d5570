using StripeMeter.Defaults.Access;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Tenants;
using StripeMeter.Storage;
using Xunit;

namespace StripeMeter.Access.Tests.Guarding;

/// <summary>The lowest layer: a tenant's handle is given to nobody but that tenant, whatever endpoint asks for it.</summary>
public sealed class GuardedStoreTests : IAsyncDisposable
{
    private static readonly TenantId Acme = new("acme");
    private static readonly TenantId Beta = new("beta");
    private readonly string _folder = Directory.CreateTempSubdirectory("stripemeter-guard-").FullName;
    private readonly GuardedStore _store;

    public GuardedStoreTests() => _store = new GuardedStore(
        MeterStoreFactory.Create(new MeterStoreOptions { DataDirectory = _folder }, TimeProvider.System));

    [Fact]
    public void Of_ACallOfATenant_IsThatTenantsAlone()
    {
        using var acme = Call.ActAs(new Principal { Name = "api:x", Tenants = new HashSet<TenantId> { Acme }, Scopes = Scopes.OfTenants });

        Assert.Equal(Acme, _store.Of(Acme).Tenant);
        Assert.Throws<OtherTenantException>(() => _store.Of(Beta));
        Assert.Throws<OtherTenantException>(() => _store.Work);
        Assert.Throws<OtherTenantException>(() => _store.Directory);
    }

    [Fact]
    public void Of_ACallThatProvedNothing_IsNobodys()
    {
        using var nobody = Call.ActAs(Principal.Nobody);

        Assert.Throws<OtherTenantException>(() => _store.Of(Acme));
        Assert.Throws<OtherTenantException>(() => _store.Work);
    }

    [Fact]
    public async Task Of_TheSystemsOwnWork_IsEveryTenants()
    {
        Assert.Equal(Beta, _store.Of(Beta).Tenant);
        using var acme = Call.ActAs(new Principal { Name = "api:x", Tenants = new HashSet<TenantId> { Acme } });

        // What a call awaits is done for its caller too.
        await Task.Yield();
        Assert.Throws<OtherTenantException>(() => _store.Of(Beta));
        using (Call.ActAs(Principal.System))
            Assert.Equal(Beta, _store.Of(Beta).Tenant);
        Assert.Throws<OtherTenantException>(() => _store.Of(Beta));
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
