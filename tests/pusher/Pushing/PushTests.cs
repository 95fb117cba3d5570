using StripeMeter.Kits.Files;
using StripeMeter.Pusher.Tests.Kit;
using StripeMeter.V1;
using IntentState = StripeMeter.Metering.Pushing.IntentState;

namespace StripeMeter.Pusher.Tests.Pushing;

/// <summary>The whole pusher, over SQLite and the real Stripe client, against the Stripe double.</summary>
public sealed class PushTests
{
    [Fact]
    public async Task Push_CountersThatMove_ReachStripeAsDifferences()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var mapping = await subject.MapAsync("api_calls");
        await subject.CountAsync("api_calls", "cus_1", "10");
        await subject.UntilToldAsync(mapping.MeterId, "cus_1", "10");

        await subject.CountAsync("api_calls", "cus_1", "0.1");
        await subject.CountAsync("api_calls", "cus_2", "0.2");

        await subject.UntilToldAsync(mapping.MeterId, "cus_1", "10.1");
        await subject.UntilToldAsync(mapping.MeterId, "cus_2", "0.2");
        Assert.Equal(["10", "0.1"], subject.Double.ReadEvents().Where(taken => taken.Customer == "cus_1").Select(taken => taken.Value));
    }

    [Fact]
    public async Task Push_ACorrectionBelowWhatWasTold_LowersStripe()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var mapping = await subject.MapAsync("api_calls");
        await subject.CountAsync("api_calls", "cus_1", "10");
        await subject.UntilToldAsync(mapping.MeterId, "cus_1", "10");

        await subject.CountAsync("api_calls", "cus_1", "-7.5");

        await subject.UntilToldAsync(mapping.MeterId, "cus_1", "2.5");
    }

    [Fact]
    public async Task Push_MoreDigitsThanStripeTakes_IsSplitAndAddsUp()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var mapping = await subject.MapAsync("api_calls");

        await subject.CountAsync("api_calls", "cus_1", "999999999999.999999");

        await subject.UntilToldAsync(mapping.MeterId, "cus_1", "999999999999.999999");
        Assert.Equal(["999999999999.999", "0.000999"], subject.Double.ReadEvents().Select(taken => taken.Value));
    }

    [Fact]
    public async Task Push_ManyIntents_HaveAMinuteOfTheirOwnEach()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var mapping = await subject.MapAsync("api_calls");
        for (var total = 1; total <= 5; total++)
        {
            await subject.CountAsync("api_calls", "cus_1", "1");
            await subject.UntilToldAsync(mapping.MeterId, "cus_1", $"{total}");
        }

        var minutes = subject.Double.ReadEvents().Select(taken => taken.Timestamp).ToList();
        Assert.Equal(5, minutes.Distinct().Count());
        Assert.All(minutes, minute => Assert.Equal(0, minute.Second));
        var document = await subject.DocumentAsync(mapping.MeterId, "cus_1");
        var history = await subject.Store.Deltas.HistoryAsync(document!.Key, 0, 10, CancellationToken.None);
        Assert.Equal(subject.Double.ReadEvents().Select(taken => taken.Identifier), history.Select(intent => intent.Identifier));
        Assert.All(history, intent => Assert.Equal(IntentState.Accepted, intent.State));
    }

    [Theory, InlineData(Aggregation.Count, "3"), InlineData(Aggregation.Max, "5"), InlineData(Aggregation.Last, "1"),
     InlineData(Aggregation.Min, "1"), InlineData(Aggregation.Sum, "8")]
    public async Task Push_AnyAggregation_IsTheTotalOnASumMeter(Aggregation aggregation, string total)
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var mapping = await subject.MapAsync("seats", aggregation);
        foreach (var quantity in (string[])["2", "5", "1"])
            await subject.CountAsync("seats", "cus_1", quantity);

        await subject.UntilToldAsync(mapping.MeterId, "cus_1", total);
    }

    [Fact]
    public async Task Push_WhatWasCountedBeforeTheMapping_IsPushedToo()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        await subject.CountAsync("api_calls", "cus_1", "4");
        await Patience.UntilEqualAsync(0, async () => (await subject.Store.Projection.DirtyAsync(10, CancellationToken.None)).Count);

        var mapping = await subject.MapAsync("api_calls");

        await subject.UntilToldAsync(mapping.MeterId, "cus_1", "4");
    }

    [Fact]
    public async Task Push_AMappingDeletedAndMadeAgain_TellsNothingTwice()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var mapping = await subject.MapAsync("api_calls");
        await subject.CountAsync("api_calls", "cus_1", "4");
        await subject.UntilToldAsync(mapping.MeterId, "cus_1", "4");

        await subject.Mappings.DeleteMappingAsync(new DeleteMappingRequest { TenantId = PusherUnderTest.Tenant, Id = mapping.Id });
        mapping.Id = "";
        await subject.Mappings.CreateMappingAsync(new CreateMappingRequest { Mapping = mapping });
        await subject.CountAsync("api_calls", "cus_1", "1");

        await subject.UntilToldAsync(mapping.MeterId, "cus_1", "5");
        Assert.Equal(2, subject.Double.ReadEvents().Count);
    }

    [Fact]
    public async Task Push_CustomersThatAreNotToBePushed_AreNot()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var mapping = await subject.MapAsync("api_calls", change: wanted => wanted.CustomerRule = new CustomerRule
        {
            TableOnly = true, Table = { ["one"] = "cus_1", ["two"] = "cus_1" },
        });
        await subject.CountAsync("api_calls", "other", "100");
        await subject.CountAsync("api_calls", "one", "1");
        await subject.CountAsync("api_calls", "two", "2");

        await subject.UntilToldAsync(mapping.MeterId, "cus_1", "3");
        await Patience.UntilEqualAsync(0, async () => (await subject.Store.Projection.DirtyAsync(10, CancellationToken.None)).Count);
        Assert.All(subject.Double.ReadEvents(), taken => Assert.Equal("cus_1", taken.Customer));
    }

    [Fact]
    public async Task Push_AReferenceThatMoves_KeepsWhatWasToldAndSendsTheRestOn()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var mapping = await subject.MapAsync("api_calls", change: wanted => wanted.CustomerRule = new CustomerRule { Table = { ["ref"] = "cus_1" } });
        await subject.CountAsync("api_calls", "ref", "10");
        await subject.UntilToldAsync(mapping.MeterId, "cus_1", "10");

        mapping.CustomerRule.Table["ref"] = "cus_2";
        await subject.Mappings.UpdateMappingAsync(new UpdateMappingRequest { Mapping = mapping });
        await subject.CountAsync("api_calls", "ref", "3");

        await subject.UntilToldAsync(mapping.MeterId, "cus_2", "3");
        Assert.Equal("10", await subject.ToldAsync(mapping.MeterId, "cus_1"));
    }

    /// <summary>The figures are those of docs/stripe.md.</summary>
    [Fact]
    public async Task Push_AReferenceThatMovesToAndFro_IsToldAsTheDocumentSays()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var mapping = await subject.MapAsync("api_calls", change: wanted => wanted.CustomerRule = new CustomerRule { Table = { ["ref"] = "cus_1" } });
        var rows = File.ReadLines(Repository.PathOf("docs/stripe.md")).SkipWhile(line => line != "## Moving a customer")
            .SkipWhile(line => !line.StartsWith("|---", StringComparison.Ordinal)).Skip(1)
            .TakeWhile(line => line.StartsWith('|')).Select(line => line.Split('|', StringSplitOptions.TrimEntries)).ToList();
        (string? Customer, string? Counted)[] steps = [(null, "10"), ("cus_2", null), (null, "3"), (null, "-1"), ("cus_1", "5")];

        Assert.Equal(steps.Length, rows.Count);
        foreach (var ((customer, counted), row) in steps.Zip(rows))
        {
            if (customer is not null)
            {
                mapping.CustomerRule.Table["ref"] = customer;
                mapping = await subject.Mappings.UpdateMappingAsync(new UpdateMappingRequest { Mapping = mapping });
            }

            if (counted is not null)
                await subject.CountAsync("api_calls", "ref", counted);
            await Patience.UntilEqualAsync(0, async () => (await subject.Store.Projection.DirtyAsync(10, CancellationToken.None)).Count);
            await subject.UntilToldAsync(mapping.MeterId, "cus_1", row[3]);
            await Patience.UntilEqualAsync(row[4], () => subject.ToldAsync(mapping.MeterId, "cus_2"));
            Assert.Contains(counted?.TrimStart('+') ?? customer!, row[1], StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Push_TotalsThatGoUpAndDownAndUpAgain_ArriveAsSuch()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var mapping = await subject.MapAsync("api_calls", Aggregation.Last);

        foreach (var (total, age) in new[] { ("10", 40), ("20", 30), ("10", 20), ("20", 10) })
        {
            await subject.CountAsync("api_calls", "cus_1", total, TimeSpan.FromSeconds(age));
            await subject.UntilToldAsync(mapping.MeterId, "cus_1", total);
        }

        Assert.Equal(["10", "10", "-10", "10"], subject.Double.ReadEvents().Select(taken => taken.Value));
        Assert.Equal(4, subject.Double.ReadEvents().Select(taken => taken.Identifier).Distinct().Count());
    }

    [Fact]
    public async Task Push_OfAPeriodThatWasFinalBeforeTheMapping_IsNotBilled()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        await subject.CountBeforeAsync("api_calls", "cus_1", "1000");
        await subject.CountAsync("api_calls", "cus_1", "4");
        var mapping = await subject.MapAsync("api_calls");

        await subject.UntilToldAsync(mapping.MeterId, "cus_1", "4");

        await Patience.UntilEqualAsync(0, async () => (await subject.Store.Projection.DirtyAsync(10, CancellationToken.None)).Count);
        Assert.Equal(["4"], subject.Double.ReadEvents().Select(taken => taken.Value));
        Assert.Equal("0", Assert.Single((await subject.DocumentAsync(mapping.MeterId, "cus_1"))!.Periods).CarriedIn.ToString());
    }

    [Fact]
    public async Task ListDeltas_WhatWasPushed_IsShownInPages()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var mapping = await subject.MapAsync("api_calls");
        foreach (var customer in (string[])["cus_1", "cus_2", "cus_3"])
        {
            await subject.CountAsync("api_calls", customer, "2");
            await subject.UntilToldAsync(mapping.MeterId, customer, "2");
        }

        var request = new ListDeltasRequest { TenantId = PusherUnderTest.Tenant, PageSize = 2 };
        var first = await subject.Pushes.ListDeltasAsync(request);
        request.PageToken = first.NextPageToken;
        var second = await subject.Pushes.ListDeltasAsync(request);
        var one = await subject.Pushes.ListDeltasAsync(
            new ListDeltasRequest { TenantId = PusherUnderTest.Tenant, Metric = "api_calls", CustomerRef = "cus_2" });

        Assert.Equal(["cus_1", "cus_2", "cus_3"], first.Deltas.Concat(second.Deltas).Select(delta => delta.StripeCustomer));
        Assert.Empty(second.NextPageToken);
        Assert.Equal(("cus_2", "2", "2", "0"), One(Assert.Single(one.Deltas)));
        static (string, string, string, string) One(Delta delta) => (delta.StripeCustomer, delta.Target, delta.Accepted, delta.Outstanding);
    }

    [Fact]
    public async Task Push_OfAMappingWhoseWriterEndedThere_TellsWhatWasCountedBefore()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        var other = await subject.MapAsync("other");
        var meter = await subject.CreateMeterAsync("api_calls");
        await subject.CountAsync("api_calls", "cus_1", "7");
        await Patience.UntilAsync(async () => (await subject.Store.Projection.DirtyAsync(1, CancellationToken.None)).Count == 0);
        var stored = (await subject.Store.Mappings.GetAsync(other.Id, CancellationToken.None))!;
        await subject.Store.Mappings.CreateAsync(
            stored with { Id = "map_cut_off", Metric = "api_calls", MeterId = meter.Id, MeterEventName = "api_calls" }, CancellationToken.None);
        await subject.StopPushersAsync();

        await subject.StartPusherAsync();

        await subject.UntilToldAsync(meter.Id, "cus_1", "7");
    }

    [Fact]
    public async Task ListDeltas_BehindManyDocumentsWithoutUsage_ShowsWhatIsThere()
    {
        await using var subject = await PusherUnderTest.StartAsync();
        for (var number = 0; number < 10; number++)
            await subject.NoteCustomerAsync("acct_0", $"cus_0{number}");

        await subject.PushIntoTheVoidAsync("acct_1");
        var request = new ListDeltasRequest { TenantId = PusherUnderTest.Tenant, PageSize = 1 };
        var listed = new List<Delta>();
        do
        {
            var page = await subject.Pushes.ListDeltasAsync(request);
            listed.AddRange(page.Deltas);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);

        Assert.Equal("acct_1", Assert.Single(listed).StripeAccount);
    }
}
