using StripeMeter.Metering.Pushing;
using StripeMeter.Pusher.StripeApi;

namespace StripeMeter.Pusher.Tests.StripeApi;

public sealed class LegacyUsageRecordsTests
{
    [Theory]
    [InlineData("price_1", "si_1", true)]
    [InlineData("plan_1", "si_1", true)]
    [InlineData("gold", "si_1", true)]
    [InlineData("mtr_1", "si_1", false)]
    [InlineData("price_1", "cus_1", false)]
    public void AreFor_AnItemOnAPrice_WhateverItsPriceIsCalled(string meter, string customer, bool expected) =>
        Assert.Equal(expected, LegacyUsageRecords.AreFor(new DeltaKey("acct_1", true, meter, customer)));
}
