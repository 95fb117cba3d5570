using Stripe;
using StripeMeter.StripeDouble.Tests.Kit;

namespace StripeMeter.StripeDouble.Tests;

public sealed class AccountTests
{
    [Fact]
    public async Task Get_Self_IsOneAccountPerFileAndUnlikeStripes()
    {
        await using var stripe = await TestDouble.StartAsync();
        await using var other = await TestDouble.StartAsync();
        var account = await stripe.Client.V1.Accounts.GetSelfAsync();
        Assert.Equal(stripe.Host.AccountId, account.Id);
        Assert.Matches("^acct_double[0-9A-Za-z]{16}$", account.Id);
        Assert.NotEqual(other.Host.AccountId, account.Id);
        Assert.Contains("\"livemode\":false", account.StripeResponse.Content, StringComparison.Ordinal);
        await stripe.RestartAsync();
        Assert.Equal(account.Id, stripe.Host.AccountId);
        Assert.Equal(account.Id, (await stripe.Client.V1.Accounts.GetAsync(account.Id)).Id);
    }

    [Fact]
    public async Task StripeAccount_OwnOrOther_IsTakenOrRefused()
    {
        await using var stripe = await TestDouble.StartAsync();
        await stripe.Client.V1.Billing.Meters.ListAsync(requestOptions: new RequestOptions { StripeAccount = stripe.Host.AccountId });
        await Refused.AsAsync(System.Net.HttpStatusCode.Forbidden, () =>
            stripe.Client.V1.Billing.Meters.ListAsync(requestOptions: new RequestOptions { StripeAccount = "acct_other" }));
    }
}
