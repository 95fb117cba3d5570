using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Time;
using Xunit;

namespace StripeMeter.Kits.Storage;

/// <summary><see cref="IDeltaLedger"/>: compare-and-set, history, what is due, listing.</summary>
internal sealed class DeltaLedgerPoints(StoreUnderTest subject)
{
    private readonly IDeltaLedger _deltas = subject.Acme.Deltas;
    private readonly CancellationToken _cancellation = subject.Cancellation;

    public async Task Save_EveryMember_ComesBack()
    {
        var document = DeltaSample.Full(DeltaSample.Key());
        Assert.True(await _deltas.SaveAsync(document, _cancellation));

        DeltaSample.AssertSame(document.Saved(), await _deltas.LoadAsync(document.Key, _cancellation));
        Assert.Null(await _deltas.LoadAsync(DeltaSample.Key("cus_2"), _cancellation));
        Assert.Null(await subject.Of("other").Deltas.LoadAsync(document.Key, _cancellation));
    }

    public async Task Save_KeysThatDifferInOneMember_AreApart()
    {
        DeltaKey[] keys =
        [
            DeltaSample.Key(), DeltaSample.Key(customer: "cus_2"), DeltaSample.Key(meter: "mtr_2"), DeltaSample.Key(account: "acct_2"),
            DeltaSample.Key(livemode: true), DeltaSample.Key("mtr_1", "cus_1"),
        ];
        foreach (var (index, key) in keys.Index())
            Assert.True(await _deltas.SaveAsync(DeltaSample.Document(key) with { Minted = index }, _cancellation));

        foreach (var (index, key) in keys.Index())
            Assert.Equal(index, (await _deltas.LoadAsync(key, _cancellation))!.Minted);
    }

    public async Task Save_AnotherRevisionThanTheStoredOne_IsRefusedAndWritesNothing()
    {
        Assert.False(await _deltas.SaveAsync(DeltaSample.Document(revision: 1), _cancellation));
        Assert.Null(await _deltas.LoadAsync(DeltaSample.Key(), _cancellation));

        Assert.True(await _deltas.SaveAsync(DeltaSample.Document() with { Minted = 1 }, _cancellation));
        Assert.True(await _deltas.SaveAsync(DeltaSample.Document(revision: 1) with { Minted = 2 }, _cancellation));

        foreach (var revision in (long[])[0, 1, 3])
        {
            var other = DeltaSample.Fed(DeltaSample.Key(), ("m", "c")) with { Revision = revision, Minted = 9, Due = Sample.Noon };
            Assert.False(await _deltas.SaveAsync(other, _cancellation));
        }

        var stored = await _deltas.LoadAsync(DeltaSample.Key(), _cancellation);
        Assert.Equal((2, 2), (stored!.Revision, stored.Minted));
        Assert.Empty(await _deltas.DueAsync("acct_1", false, Instant.Maximum, 10, _cancellation));
        Assert.Empty(await _deltas.ListAsync(new DeltaQuery { Metric = "m" }, _cancellation));
    }

    public async Task Save_FromManyTasks_EachRevisionHasOneWriter()
    {
        const int writers = 8;
        const int rounds = 10;
        for (var round = 0; round < rounds; round++)
        {
            var revision = round;
            var saved = await Task.WhenAll(Enumerable.Range(0, writers).Select(_ => Task.Run(
                () => _deltas.SaveAsync(DeltaSample.Document(revision: revision), _cancellation))));
            Assert.Single(saved, won => won);
        }

        Assert.Equal(rounds, (await _deltas.LoadAsync(DeltaSample.Key(), _cancellation))!.Revision);
    }

    public async Task AppendHistory_OneIdentifierTwice_TheFirstStands()
    {
        var intent = DeltaSample.Full(DeltaSample.Key()).Open! with { State = IntentState.Accepted, Closing = 1 };
        await _deltas.AppendHistoryAsync(DeltaSample.Key(), intent, _cancellation);
        await _deltas.AppendHistoryAsync(DeltaSample.Key(), intent with { State = IntentState.Rejected, Number = 9 }, _cancellation);

        Assert.Equal([intent], await _deltas.HistoryAsync(DeltaSample.Key(), 0, 10, _cancellation));
    }

    public async Task FindClosed_AnIntentClosedTwice_IsAsItWasClosedLast()
    {
        var accepted = DeltaSample.Intent() with { Closing = 1 };
        var missing = accepted with { State = IntentState.Missing, Closing = 2 };
        Assert.Null(await _deltas.FindClosedAsync(accepted.Identifier, _cancellation));
        await _deltas.AppendHistoryAsync(DeltaSample.Key(), accepted, _cancellation);
        Assert.Equal(accepted, await _deltas.FindClosedAsync(accepted.Identifier, _cancellation));
        await _deltas.AppendHistoryAsync(DeltaSample.Key(), missing, _cancellation);

        Assert.Equal(missing, await _deltas.FindClosedAsync(accepted.Identifier, _cancellation));
        Assert.Equal([accepted, missing], await _deltas.HistoryAsync(DeltaSample.Key(), 0, 10, _cancellation));
        Assert.Null(await subject.Of("other").Deltas.FindClosedAsync(accepted.Identifier, _cancellation));
    }

    public async Task History_OfADocument_IsInTheOrderOfClosingAndInPages()
    {
        foreach (var number in (long[])[10, 2, 1, 3])
            await _deltas.AppendHistoryAsync(DeltaSample.Key(), DeltaSample.Intent($"sm_{number}", number) with { Closing = number }, _cancellation);
        await _deltas.AppendHistoryAsync(DeltaSample.Key("cus_2"), DeltaSample.Intent("sm_other", 4) with { Closing = 4 }, _cancellation);
        await subject.Of("other").Deltas.AppendHistoryAsync(DeltaSample.Key(), DeltaSample.Intent("sm_1", 5) with { Closing = 5 }, _cancellation);

        Assert.Equal([1, 2], (await _deltas.HistoryAsync(DeltaSample.Key(), 0, 2, _cancellation)).Select(intent => intent.Number));
        Assert.Equal([3, 10], (await _deltas.HistoryAsync(DeltaSample.Key(), 2, 9, _cancellation)).Select(intent => intent.Number));
        Assert.Empty(await _deltas.HistoryAsync(DeltaSample.Key(), 10, 9, _cancellation));
        Assert.Equal(5, Assert.Single(await subject.Of("other").Deltas.HistoryAsync(DeltaSample.Key(), 0, 9, _cancellation)).Number);
    }

    public async Task Due_OfAnAccount_IsWhatTheClockHasReachedLongestFirst()
    {
        await SaveDueAsync("late", 3);
        await SaveDueAsync("now", 2);
        await SaveDueAsync("first", 1);
        await SaveDueAsync("never", null);
        await _deltas.SaveAsync(DeltaSample.Document(DeltaSample.Key(account: "acct_2"), due: new Instant(0)), _cancellation);
        await _deltas.SaveAsync(DeltaSample.Document(DeltaSample.Key(livemode: true), due: new Instant(0)), _cancellation);
        await subject.Of("other").Deltas.SaveAsync(DeltaSample.Document(due: new Instant(0)), _cancellation);

        Assert.Equal([DeltaSample.Key("first"), DeltaSample.Key("now")], await DueAsync(2));
        Assert.Equal([DeltaSample.Key("first")], await DueAsync(2, limit: 1));
        Assert.Equal([DeltaSample.Key(livemode: true)], await _deltas.DueAsync("acct_1", true, new Instant(2), 10, _cancellation));
        await _deltas.SaveAsync(DeltaSample.Document(DeltaSample.Key("first"), revision: 1), _cancellation);
        Assert.Equal([DeltaSample.Key("now")], await DueAsync(2));
    }

    public async Task DueAccounts_OfATenant_AreThoseWithDocumentsTheClockHasReached()
    {
        await SaveDueAsync("first", 1);
        await SaveDueAsync("second", 1);
        await _deltas.SaveAsync(DeltaSample.Document(DeltaSample.Key(livemode: true), due: new Instant(2)), _cancellation);
        await _deltas.SaveAsync(DeltaSample.Document(DeltaSample.Key(account: "acct_2"), due: new Instant(3)), _cancellation);
        await _deltas.SaveAsync(DeltaSample.Document(DeltaSample.Key(account: "acct_3")), _cancellation);
        await subject.Of("other").Deltas.SaveAsync(DeltaSample.Document(DeltaSample.Key(account: "acct_4"), due: new Instant(1)), _cancellation);

        Assert.Equal([new AccountMode("acct_1", false)], await _deltas.DueAccountsAsync(new Instant(1), 10, _cancellation));
        Assert.Equal(
            [new AccountMode("acct_1", false), new AccountMode("acct_1", true)],
            (await _deltas.DueAccountsAsync(new Instant(2), 10, _cancellation)).OrderBy(account => account.Livemode));
        Assert.Equal(2, (await _deltas.DueAccountsAsync(new Instant(3), 2, _cancellation)).Count);
    }

    public async Task List_InPages_IsInTheOrderOfMeterAndCustomer()
    {
        foreach (var customer in Sample.Texts.Reverse())
            await _deltas.SaveAsync(DeltaSample.Document(DeltaSample.Key(customer, "mtr_2")), _cancellation);
        await _deltas.SaveAsync(DeltaSample.Document(DeltaSample.Key("zz", "mtr_1")), _cancellation);
        await subject.Of("other").Deltas.SaveAsync(DeltaSample.Document(), _cancellation);

        string[] expected = ["zz", .. Sample.Texts];
        Assert.Equal(expected, (await _deltas.ListAsync(new DeltaQuery(), _cancellation)).Select(document => document.Key.StripeCustomer));
        Assert.Equal(
            expected[5..8],
            (await _deltas.ListAsync(new DeltaQuery { From = DeltaSample.Key(expected[5], "mtr_2"), Limit = 3 }, _cancellation))
                .Select(document => document.Key.StripeCustomer));
        Assert.Empty(await _deltas.ListAsync(new DeltaQuery { From = DeltaSample.Key(meter: "mtr_3") }, _cancellation));
    }

    public async Task List_OfACounter_IsWhatItContributesTo()
    {
        var (one, two, three) = (DeltaSample.Key("1"), DeltaSample.Key("2"), DeltaSample.Key("3"));
        await _deltas.SaveAsync(DeltaSample.Fed(one, ("m", "a"), ("m", "b")), _cancellation);
        await _deltas.SaveAsync(DeltaSample.Fed(two, ("m", "a"), ("n", "b")), _cancellation);
        await _deltas.SaveAsync(DeltaSample.Fed(three, ("n", "c")), _cancellation);
        var grown = DeltaSample.Fed(three, ("n", "c"), ("m", "c")) with { Revision = 1 };
        await _deltas.SaveAsync(grown, _cancellation);
        await _deltas.SaveAsync(grown.Saved(), _cancellation);

        Assert.Equal([one, two, three], await ListAsync("m", null));
        Assert.Equal([one, two], await ListAsync("m", "a"));
        Assert.Equal([one, two], await ListAsync(null, "b"));
        Assert.Equal([three], await ListAsync("m", "c"));
        Assert.Empty(await ListAsync("n", "a"));
        Assert.Empty(await subject.Of("other").Deltas.ListAsync(new DeltaQuery { Metric = "m" }, _cancellation));
    }

    private async Task<IEnumerable<DeltaKey>> ListAsync(string? metric, string? customer) =>
        (await _deltas.ListAsync(new DeltaQuery { Metric = metric, Customer = customer }, _cancellation)).Select(document => document.Key);

    private Task<bool> SaveDueAsync(string customer, long? ticks) => _deltas.SaveAsync(
        DeltaSample.Document(DeltaSample.Key(customer), due: ticks is { } due ? new Instant(due) : null), _cancellation);

    private Task<IReadOnlyList<DeltaKey>> DueAsync(long now, int limit = 10) =>
        _deltas.DueAsync("acct_1", false, new Instant(now), limit, _cancellation);
}
