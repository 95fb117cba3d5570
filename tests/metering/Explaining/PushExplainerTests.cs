using StripeMeter.Kits.Simulated.Database;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Explaining;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Tests.Explaining;

public sealed class PushExplainerTests : IAsyncDisposable
{
    private static readonly BillingPeriod March = new(Instant.OfDate(2026, 3, 1), Instant.OfDate(2026, 4, 1));
    private static readonly Instant Noon = March.Start + TimeSpan.FromHours(12);
    private static readonly CarriedRecord Fifth = new("calls", "c", Noon, 5);
    private readonly SimulatedStore _store = SimulatedStore.Harmless();

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    private ITenantStore Acme => _store.Of(new TenantId("acme"));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(100)]
    public async Task PushesOf_WhatWasTriedInVain_IsListedBeforeWhatStripeTook_OfEveryDocument(int limit)
    {
        await SaveAsync(
            "cus_1", null,
            Intent("before", 1, 4, IntentState.Accepted), Intent("refused", 2, 5, IntentState.Rejected), Intent("lost", 3, 5, IntentState.Accepted),
            Intent("lost", 3, 5, IntentState.Missing), Intent("taken", 4, 6, IntentState.Accepted), Intent("taken", 4, 6, IntentState.Confirmed),
            Intent("after", 5, 9, IntentState.Accepted));
        await SaveAsync("cus_2", Intent("open", 2, 5, IntentState.Ambiguous), Intent("expired", 1, 5, IntentState.Expired));

        Assert.Equal(
            ["cus_1 refused Rejected", "cus_1 lost Missing", "cus_1 taken Confirmed", "cus_2 expired Expired", "cus_2 open Ambiguous"],
            await ListAsync(Fifth, limit));
    }

    [Fact]
    public async Task PushesOf_HistoryOfManyPages_FindsWhatCarriedIt()
    {
        var early = Enumerable.Range(1, (PushExplainer.PageIntents * PushExplainer.PagesOfAnswer) + 1)
            .Select(number => Intent($"sm_{number}", number, 4, IntentState.Confirmed));
        await SaveAsync("cus_1", null, [.. early, Intent("taken", 1_000_000, 5, IntentState.Confirmed)]);

        var first = await new PushExplainer(Acme).PushesOfAsync(Fifth, default, 100, CancellationToken.None);

        Assert.Empty(first.Pushes);
        Assert.NotNull(first.Next);
        Assert.Equal(["cus_1 taken Confirmed"], await ListAsync(Fifth, 100));
    }

    [Fact]
    public async Task PushesOf_ARecordThatNoPushHasYet_AreNone()
    {
        await SaveAsync("cus_1", Intent("open", 2, 4, IntentState.Pending), Intent("before", 1, 3, IntentState.Accepted));

        Assert.Empty(await ListAsync(Fifth, 100));
        Assert.Empty(await ListAsync(Fifth with { Customer = "d" }, 100));
        Assert.Empty(await ListAsync(Fifth with { At = March.End }, 100));
    }

    /// <summary>A push tells what its period had when it was minted, wherever that is cut since.</summary>
    [Fact]
    public async Task PushesOf_APeriodThatWasCutSince_AreThoseThatToldItThen()
    {
        await SaveAsync("cus_1", null, Intent("early", 1, 3, IntentState.Accepted), Intent("taken", 2, 6, IntentState.Accepted));
        var key = new DeltaKey("acct_1", false, "mtr_1", "cus_1");
        var document = (await Acme.Deltas.LoadAsync(key, CancellationToken.None))!;
        var cut = document.Find(March.Start)! with { Period = March with { End = Noon } };
        Assert.True(await Acme.Deltas.SaveAsync(document.With(cut), CancellationToken.None));

        Assert.Equal(["cus_1 taken Accepted"], await ListAsync(Fifth with { At = Noon + TimeSpan.FromHours(1) }, 100));
        var found = await new PushExplainer(Acme).FindAsync(key, "cus_1/taken", CancellationToken.None);
        Assert.Equal(March, found!.Period);
        Assert.Equal([new ToldChange(found.Intent.Basis.Counters[0], 3, false)], found.Changes);
    }

    private async Task<List<string>> ListAsync(CarriedRecord record, int limit)
    {
        var found = new List<string>();
        CarryingCursor? place = default(CarryingCursor);
        while (place is { } here)
        {
            var page = await new PushExplainer(Acme).PushesOfAsync(record, here, limit, CancellationToken.None);
            Assert.InRange(page.Pushes.Count, 0, limit);
            found.AddRange(page.Pushes.Select(push => $"{push.Key.StripeCustomer} {push.Intent.Identifier.Split('/')[^1]} {push.Intent.State}"));
            place = page.Next;
        }

        return found;
    }

    /// <summary>A document that the counter contributes to, and what was closed of it, in this order.</summary>
    private async Task SaveAsync(string customer, PushIntent? open, params PushIntent[] history)
    {
        var key = new DeltaKey("acct_1", false, "mtr_1", customer);
        var contribution = new Contribution("calls", "c", Quantity.One, new CounterVersion(0, 9), "log", Noon);
        var document = new DeltaDocument { Key = key, Meter = Meter, Closings = history.Length, Open = open }
            .With(new PeriodDelta { Period = March, Contributions = [contribution] });
        Assert.True(await Acme.Deltas.SaveAsync(document, CancellationToken.None));
        foreach (var (closing, intent) in history.Index())
        {
            await Acme.Deltas.AppendHistoryAsync(
                key, intent with { Identifier = $"{customer}/{intent.Identifier}", Closing = closing + 1 }, CancellationToken.None);
        }
    }

    private static MeterNames Meter => new("calls", "stripe_customer_id", "value");

    private static PushIntent Intent(string identifier, long number, long position, IntentState state) => new()
    {
        Identifier = identifier, Number = number, Meter = Meter, Period = March, Value = Quantity.One, Minute = Noon, Created = Noon,
        State = state, Basis = new TargetBasis([new ToldCounter("calls", "c", "log", new CounterVersion(0, position))]),
    };
}
