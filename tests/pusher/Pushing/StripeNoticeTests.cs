using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Pushing;
using StripeMeter.Pusher.Tests.Kit;

namespace StripeMeter.Pusher.Tests.Pushing;

/// <summary>What Stripe's error reports and invoice events do to the delta ledger.</summary>
public sealed class StripeNoticeTests
{
    private static readonly CancellationToken Never = CancellationToken.None;
    private readonly PushProtocol _protocol = new(new PushRules(), () => 0);

    [Fact]
    public async Task Report_OnAnEventThatWasCounted_IsRefutedByItsMinute()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var mapping = await subject.MapAsync("api_calls");
        await subject.CountAsync("api_calls", "cus_1", "7");
        await subject.UntilToldAsync(mapping.MeterId, "cus_1", "7");
        var identifier = Assert.Single(subject.Double.ReadEvents()).Identifier;
        var reports = new ErrorReports(subject.AllTenants, _protocol, PusherUnderTest.Clock);

        Assert.True(await reports.EnterAsync(identifier, "meter_event_customer_not_found", Never));
        Assert.False(await reports.EnterAsync("somebody else's", "meter_event_customer_not_found", Never));

        await Patience.UntilEqualAsync(
            IntentState.Confirmed, async () => (await subject.Store.Deltas.FindClosedAsync(identifier, Never))!.State);
        await Patience.UntilEqualAsync(0, async () => (await subject.DocumentAsync(mapping.MeterId, "cus_1"))!.Checking.Count);
        Assert.True(await reports.EnterAsync(identifier, "meter_event_customer_not_found", Never));
        Assert.Empty((await subject.DocumentAsync(mapping.MeterId, "cus_1"))!.Checking);
        Assert.Equal("7", await subject.ToldAsync(mapping.MeterId, "cus_1"));
    }

    [Fact]
    public async Task Deadline_OfAnInvoiceLine_IsEnteredWhereItsMeterAndPeriodAre()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var mapping = await subject.MapAsync("api_calls");
        await subject.CountAsync("api_calls", "cus_1", "7");
        await subject.UntilToldAsync(mapping.MeterId, "cus_1", "7");
        var deadlines = new InvoiceDeadlines(subject.AllTenants, _protocol, PusherUnderTest.Clock);
        var month = PusherUnderTest.ThisMonth;
        var account = new AccountMode(subject.Double.AccountId, false);
        var line = new BilledLine("cus_1", mapping.MeterId, new BillingPeriod(month.Start, month.End + TimeSpan.FromSeconds(17)));
        var final = month.End + TimeSpan.FromHours(72);
        var invoice = new InvoiceEnd("in_1", final, month.End);

        Assert.Equal(1, await deadlines.EnterAsync(account, line, invoice, [], Never));
        Assert.Equal(1, await deadlines.EnterAsync(account, line with { Meter = null }, invoice, [], Never));
        Assert.Equal(0, await deadlines.EnterAsync(account, line with { StripeCustomer = "cus_2" }, invoice, [], Never));
        Assert.Equal(0, await deadlines.EnterAsync(account, line with { Meter = "mtr_other" }, invoice, [], Never));
        Assert.Equal(0, await deadlines.EnterAsync(account with { Livemode = true }, line, invoice, [], Never));
        Assert.Equal(0, await deadlines.EnterAsync(account, line with { Meter = null, Period = new BillingPeriod(month.Start, month.Start) }, invoice, [], Never));

        Assert.Equal(final, (await subject.DocumentAsync(mapping.MeterId, "cus_1"))!.Find(month.Start)!.Deadline);
    }

    [Fact]
    public async Task Deadline_OfAPeriodWithoutUsage_HoldsForUsageThatComesLate()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var mapping = await subject.MapAsync("api_calls");
        var deadlines = new InvoiceDeadlines(subject.AllTenants, _protocol, PusherUnderTest.Clock);
        var account = new AccountMode(subject.Double.AccountId, false);
        var month = PusherUnderTest.ThisMonth;
        var line = new BilledLine("cus_1", mapping.MeterId, month);
        var (draft, final) = (new InvoiceEnd("in_1", month.End + TimeSpan.FromHours(72), month.End), new InvoiceEnd("in_1", month.End + TimeSpan.FromHours(1), month.End + TimeSpan.FromHours(1)));

        Assert.Equal(1, await deadlines.EnterAsync(account, line, final, [subject.Store.Tenant], Never));
        // An answer that came late, and the invoice of another month.
        Assert.Equal(1, await deadlines.EnterAsync(account, line, draft, [subject.Store.Tenant], Never));
        Assert.Equal(1, await deadlines.EnterAsync(
            account, line with { Period = new BillingPeriod(month.Start, month.Start) }, final with { Final = month.Start }, [subject.Store.Tenant], Never));
        await subject.CountAsync("api_calls", "cus_1", "7");

        await subject.UntilToldAsync(mapping.MeterId, "cus_1", "7");
        Assert.Equal(final.Final, (await subject.DocumentAsync(mapping.MeterId, "cus_1"))!.Find(month.Start)!.Deadline);
    }
}
