using StripeMeter.Defaults.Access;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Tenants;
using Xunit;

namespace StripeMeter.Access.Tests.Identity;

public sealed class ScopesTests
{
    [Fact]
    public void Names_OfEveryScope_AreReadBack()
    {
        Assert.Equal(15, ScopeNames.All.Count);
        Assert.All(ScopeNames.All, name =>
        {
            Assert.True(ScopeNames.TryRead(name, out var scope));
            Assert.Equal([name], ScopeNames.Of(scope));
        });
        Assert.False(ScopeNames.TryRead("events:destroy", out _));
    }

    [Fact]
    public void Grantable_OfAProjectsScope_IsThatOfItsParts()
    {
        Assert.Equal(Scopes.Writing, ScopeNames.Grantable(Scopes.ProjectWrite));
        Assert.Equal(Scopes.Reading, ScopeNames.Grantable(Scopes.ProjectRead));
        Assert.Equal(Scopes.EventsWrite, ScopeNames.Grantable(Scopes.EventsWrite));
        Assert.Equal(Scopes.OfTenants, ScopeNames.Grantable(Scopes.Default));
    }

    [Theory]
    [InlineData(AccessKind.Read, Scopes.EventsRead, Scopes.EventsRead, true)]
    [InlineData(AccessKind.Read, Scopes.EventsRead, Scopes.ProjectRead, true)]
    [InlineData(AccessKind.Read, Scopes.EventsRead, Scopes.ProjectWrite, false)]
    [InlineData(AccessKind.Read, Scopes.EventsRead, Scopes.UsageRead | Scopes.EventsWrite, false)]
    [InlineData(AccessKind.Change, Scopes.None, Scopes.ProjectWrite, true)]
    [InlineData(AccessKind.Change, Scopes.None, Scopes.OfTenants & ~Scopes.ProjectWrite, false)]
    [InlineData(AccessKind.Operate, Scopes.None, Scopes.OfTenants, false)]
    [InlineData(AccessKind.Internal, Scopes.None, Scopes.OfTenants | Scopes.OperatorWrite, false)]
    public void Allows_ACaller_IfItHasOneOfTheScopes(AccessKind kind, Scopes part, Scopes has, bool allowed) =>
        Assert.Equal(allowed, new AccessAttribute(kind, part).Allows(Caller(has)));

    [Fact]
    public void Allows_ACustomer_OnlyWhatIsForCustomers()
    {
        var customer = Caller(Scopes.UsageRead) with { Customer = "cus_1" };

        Assert.False(new AccessAttribute(AccessKind.Read, Scopes.UsageRead).Allows(customer));
        Assert.True(new AccessAttribute(AccessKind.Read, Scopes.UsageRead) { ForCustomers = true }.Allows(customer));
    }

    [Fact]
    public void Together_SeveralCallers_ReachTheirTenantsAndNoMore()
    {
        var together = Principal.Together([Caller(Scopes.EventsWrite), Caller(Scopes.Default, "beta")]);

        Assert.True(together.Reaches(new TenantId("acme")) && together.Reaches(new TenantId("beta")));
        Assert.False(together.Reaches(new TenantId("gamma")) || together.ReachesAll);
        Assert.Null(together.OwnTenant);
        Assert.Equal(Scopes.None, together.Scopes);
    }

    private static Principal Caller(Scopes scopes, string tenant = "acme") =>
        new() { Name = tenant, Tenants = new HashSet<TenantId> { new(tenant) }, Scopes = scopes };
}
