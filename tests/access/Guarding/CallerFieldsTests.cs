using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Auditing;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Tenants;
using StripeMeter.V1;
using Xunit;

namespace StripeMeter.Access.Tests.Guarding;

public sealed class CallerFieldsTests
{
    private static readonly Principal Acme = new() { Name = "api:x", Tenants = new HashSet<TenantId> { new("acme") }, Scopes = Scopes.OfTenants };

    [Fact]
    public void Hold_ATenantLeftOut_IsTheCallers()
    {
        var request = new IngestEventsRequest { Events = { new UsageEvent(), new UsageEvent { TenantId = "acme" } } };

        CallerFields.Hold(request, Acme);

        Assert.All(request.Events, usage => Assert.Equal("acme", usage.TenantId));
    }

    [Fact]
    public void Hold_ATenantOfOthersHoweverDeep_IsRefused()
    {
        Assert.Throws<OtherTenantException>(() => CallerFields.Hold(
            new IngestEventsRequest { Events = { new UsageEvent { TenantId = "acme" }, new UsageEvent { TenantId = "beta" } } }, Acme));
        Assert.Throws<OtherTenantException>(() => CallerFields.Hold(new CreateMappingRequest { Mapping = new Mapping { TenantId = "beta" } }, Acme));
        Assert.Throws<OtherTenantException>(() => CallerFields.Hold(new ListDeltasRequest { TenantId = "beta" }, Acme));
    }

    [Fact]
    public void Hold_AnActor_IsWhoCallsWhateverTheRequestSays()
    {
        var request = new ApproveAdjustmentRequest { TenantId = "acme", Actor = "the boss" };

        CallerFields.Hold(request, Acme);

        Assert.Equal("api:x", request.Actor);
    }

    [Theory, InlineData("cus_1", true), InlineData("cus_2", false), InlineData("", false)]
    public void Hold_ACustomersToken_IsAboutThatCustomer(string customer, bool isHeld)
    {
        var request = new GetCurrentUsageRequest { TenantId = "acme", CustomerRef = customer };

        var refusal = Record.Exception(() => CallerFields.Hold(request, Acme with { Customer = "cus_1" }));

        Assert.Equal(isHeld, refusal is null);
    }

    [Fact]
    public void Redaction_OfSecrets_LeavesTheRest()
    {
        var made = new CreateOrganisationResponse { Secret = "secret", Key = new V1.ApiKey { Id = "id" } };

        Assert.DoesNotContain("secret", Redaction.Of(made).ToString(), StringComparison.Ordinal);
        Assert.Contains("\"id\"", Redaction.Of(made).ToString(), StringComparison.Ordinal);
        Assert.Equal("secret", made.Secret);
    }
}
