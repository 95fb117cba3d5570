using Stripe;
using Stripe.Billing;
using StripeMeter.Pusher.Tests.Kit;
using StripeMeter.V1;

namespace StripeMeter.Pusher.Tests.Pushing;

/// <summary>Accounts that are connected to that of the key.</summary>
public sealed class ConnectedAccountTests
{
    [Fact]
    public async Task Push_WhatIsOwedWhenTheMappingIsDeleted_IsShownAndToldAllTheSame()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var account = (await subject.Stripe.V1.Accounts.CreateAsync(new AccountCreateOptions { Country = "US" })).Id;
        var meter = await subject.Stripe.V1.Billing.Meters.CreateAsync(
            new MeterCreateOptions
            {
                DisplayName = "calls", EventName = "calls", DefaultAggregation = new MeterDefaultAggregationOptions { Formula = "sum" },
            },
            new RequestOptions { StripeAccount = account });
        var mapping = await subject.CreateMappingAsync("calls", mapping => (mapping.StripeAccount, mapping.MeterId) = (account, meter.Id));
        await subject.CountAsync("calls", "cus_1", "7");
        await Patience.UntilEqualAsync("7", () => Task.FromResult(ToldOf(subject, account)));

        subject.Double.Faults.Conflict(1_000);
        await subject.CountAsync("calls", "cus_1", "5");
        await Patience.UntilEqualAsync("5", async () => (await DeltaAsync(subject)).Outstanding);
        await subject.Mappings.DeleteMappingAsync(new DeleteMappingRequest { TenantId = PusherUnderTest.Tenant, Id = mapping.Id });

        var owed = await DeltaAsync(subject);
        Assert.Equal((account, meter.Id, "12", "7", "5"), (owed.StripeAccount, owed.MeterId, owed.Target, owed.Accepted, owed.Outstanding));
        subject.Double.Faults.Clear();
        await Patience.UntilEqualAsync("7 5", () => Task.FromResult(ToldOf(subject, account)));
        await Patience.UntilEqualAsync(("12", "0"), async () => await DeltaAsync(subject) is var told ? (told.Accepted, told.Outstanding) : default);
        Assert.Empty(subject.Double.ReadEvents());
    }

    private static string ToldOf(PusherUnderTest subject, string account) =>
        string.Join(' ', subject.Double.ReadEvents(account: account).Select(taken => taken.Value));

    private static async Task<Delta> DeltaAsync(PusherUnderTest subject) =>
        Assert.Single((await subject.Pushes.ListDeltasAsync(new ListDeltasRequest { TenantId = PusherUnderTest.Tenant })).Deltas);
}
