using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Pusher.Tests.Protocol;

public sealed class PushProtocolTests
{
    private static readonly BillingPeriod March = new(Instant.OfDate(2026, 3, 1), Instant.OfDate(2026, 4, 1));
    private static readonly Instant Noon = Instant.OfDate(2026, 3, 14) + TimeSpan.FromHours(12);
    private static readonly MeterNames Meter = new("api_calls", "stripe_customer_id", "value");
    private readonly PushRules _rules = new();
    private readonly PushProtocol _protocol;

    public PushProtocolTests() => _protocol = new PushProtocol(_rules, () => 0);

    [Fact]
    public void Raise_AnOlderVersion_ChangesNothing()
    {
        var document = Raise(Empty, Counted(5, version: 2));

        Assert.Same(document, Raise(document, Counted(3, version: 1)));
        Assert.Same(document, Raise(document, Counted(5, version: 2)));
        Assert.Equal(Quantity.FromInteger(3), Raise(document, Counted(3, version: 3)).Periods[0].Target);
    }

    [Fact]
    public void Raise_ARecutOrAnotherLog_Replaces()
    {
        var document = Raise(Empty, Counted(5, version: 9));

        var recut = Counted(4, version: 2) with { Version = new CounterVersion(1, 2) };
        Assert.Equal(Quantity.FromInteger(4), Raise(document, recut).Periods[0].Target);
        Assert.Equal(Quantity.FromInteger(3), Raise(document, Counted(3, version: 1) with { LogId = "restored" }).Periods[0].Target);
    }

    [Fact]
    public void Attempt_AnyCounter_IsSentBeforeItIsCalled()
    {
        var document = Attempt(Raise(Empty, Counted(5)), Noon);

        var intent = document.Open!;
        Assert.Equal((IntentState.Sent, 1, false), (intent.State, intent.Attempts, intent.IsDoubtful));
        Assert.Equal(intent.Identifier, intent.IdempotencyKey);
        Assert.InRange(intent.Identifier.Length, 40, 100);
        Assert.True(document.Used.Contains(intent.Minute));
        Assert.Equal(Noon + _rules.AttemptLease, document.Due);
    }

    [Theory, InlineData(AttemptResult.Accepted, IntentState.Accepted), InlineData(AttemptResult.Duplicate, IntentState.Accepted),
     InlineData(AttemptResult.Refused, IntentState.Rejected), InlineData(AttemptResult.Unauthorized, IntentState.Pending),
     InlineData(AttemptResult.NotExecuted, IntentState.Pending), InlineData(AttemptResult.Unknown, IntentState.Ambiguous),
     InlineData(AttemptResult.UnknownStored, IntentState.Ambiguous)]
    public void Apply_ToAFirstAttempt_IsWhatItSays(AttemptResult result, IntentState expected)
    {
        var document = Attempt(Raise(Empty, Counted(5)), Noon);

        Assert.Equal(expected, Apply(document, result, Noon).Open!.State);
    }

    /// <summary>After an attempt that may have been taken, only 200 or the duplicate answer settles.</summary>
    [Theory, InlineData(AttemptResult.Accepted, IntentState.Accepted), InlineData(AttemptResult.Duplicate, IntentState.Accepted),
     InlineData(AttemptResult.Refused, IntentState.Ambiguous), InlineData(AttemptResult.Unauthorized, IntentState.Ambiguous),
     InlineData(AttemptResult.NotExecuted, IntentState.Ambiguous), InlineData(AttemptResult.Unknown, IntentState.Ambiguous)]
    public void Apply_AfterDoubt_OnlyTwoAnswersSettle(AttemptResult result, IntentState expected)
    {
        var first = Attempt(Raise(Empty, Counted(5)), Noon);
        var later = Noon + TimeSpan.FromHours(1);
        foreach (var doubtful in (DeltaDocument[])[Apply(first, AttemptResult.Unknown, Noon), first])
        {
            var again = Attempt(doubtful, later);
            Assert.Equal(first.Open!.Identifier, again.Open!.Identifier);
            Assert.Equal((first.Open.Value, first.Open.Minute, Noon), (again.Open.Value, again.Open.Minute, again.Open.FirstSent));
            Assert.Equal(expected, Apply(again, result, later).Open!.State);
        }
    }

    [Fact]
    public void Apply_AStoredError_RotatesTheKeyOnly()
    {
        var document = Apply(Attempt(Raise(Empty, Counted(5)), Noon), AttemptResult.UnknownStored, Noon);
        var again = Attempt(document, Noon + TimeSpan.FromHours(1)).Open!;

        Assert.Equal($"{document.Open!.Identifier}#2", again.IdempotencyKey);
        Assert.Equal(document.Open.Identifier, again.Identifier);
    }

    [Fact]
    public void Apply_OfAnAttemptThatWasTakenOver_IsHeardOnlyWhenItSettles()
    {
        var first = Attempt(Raise(Empty, Counted(5)), Noon);
        var second = Attempt(first, Noon + _rules.AttemptLease);

        Assert.Same(second, _protocol.Apply(second, first.Open!, new AttemptOutcome(AttemptResult.Refused), Noon));
        Assert.Equal(
            IntentState.Accepted, _protocol.Apply(second, first.Open!, new AttemptOutcome(AttemptResult.Accepted), Noon).Open!.State);
        Assert.Same(first, _protocol.Apply(first, first.Open! with { Identifier = "other" }, new AttemptOutcome(AttemptResult.Accepted), Noon));
    }

    [Fact]
    public void Next_RefusedTooOften_IsParkedUntilTheMappingChanges()
    {
        var (document, now) = Parked(Raise(Empty, Counted(5)), Noon);

        var deadline = _protocol.Ends.DeadlineOf(document.Periods[0]);
        Assert.Equal((deadline, "no such meter"), (document.Due, document.Problem));
        Assert.Equal(deadline, Raise(document, Counted(6, version: 2), now).Due);
        var mapped = _protocol.Raise(document, March, Counted(5), Meter, mapped: now + TimeSpan.FromSeconds(1), now);
        Assert.Equal((null, now, 0), (mapped.ParkedSince, mapped.Due, mapped.Rejections));
    }

    /// <summary>Stripe took 4, and refused the rest of what the one that leaves and the one that stays have.</summary>
    [Theory, InlineData(10, 0, 4, true), InlineData(10, 3, 1, true), InlineData(3, 7, 0, false), InlineData(-2, 12, -2, false)]
    public void Leave_AParkedDocument_LeavesWhatStripeTook(long leaving, long staying, long left, bool isFreed)
    {
        var document = Accept(Attempt(Raise(Empty, Counted(4)), Noon), Noon);
        document = Raise(document, Counted(leaving, version: 2));
        if (staying != 0)
            document = Raise(document, Counted(staying) with { Customer = "stays" });
        var (parked, now) = Parked(document, Noon + TimeSpan.FromHours(1));

        var after = _protocol.Leave(parked, March.Start, "api_calls", "ref", now);

        var contribution = after.Periods[0].Find("api_calls", "ref")!;
        Assert.Equal((Quantity.FromInteger(leaving), Quantity.FromInteger(left), true), (contribution.Value, contribution.Share, contribution.HasLeft));
        Assert.Equal(isFreed, (after.ParkedSince, after.BehindSince, after.Due) is (null, null, null));
        Assert.Equal(contribution, _protocol.Leave(after, March.Start, "api_calls", "ref", now).Periods[0].Find("api_calls", "ref"));
    }

    [Fact]
    public void Leave_ADocumentThatIsNotParked_LeavesWhatWasRaised()
    {
        var after = _protocol.Leave(Raise(Empty, Counted(5)), March.Start, "api_calls", "ref", Noon);

        Assert.Equal(Quantity.FromInteger(5), after.Periods[0].Target);
    }

    [Fact]
    public void Close_AcceptedAndRejected_CountOnlyTheAccepted()
    {
        var sent = Attempt(Raise(Empty, Counted(5)), Noon);
        foreach (var (result, accepted) in ((AttemptResult, int)[])[(AttemptResult.Accepted, 5), (AttemptResult.Refused, 0)])
        {
            var step = Assert.IsType<PushStep.Close>(_protocol.Next(Apply(sent, result, Noon), Noon, 1));
            Assert.Equal(Quantity.FromInteger(accepted), step.Document.Periods[0].Accepted);
            Assert.Null(step.Document.Open);
        }
    }

    [Fact]
    public void Minute_OfAnIntent_IsTheNewestCounted()
    {
        var counted = Noon - TimeSpan.FromHours(3);
        var document = Attempt(Raise(Empty, Counted(5) with { Newest = counted + TimeSpan.FromSeconds(59) }), Noon);

        Assert.Equal(counted, document.Open!.Minute);
    }

    [Fact]
    public void Minute_OfUsageFromBeforeTheLineBegan_IsThatOfItsBeginning()
    {
        var began = Noon + TimeSpan.FromSeconds(90);
        var raised = _protocol.SetBilledFrom(Raise(Empty, Counted(5)), began, Noon);
        var now = Noon + TimeSpan.FromHours(1);

        Assert.Equal(began, Attempt(raised, now).Open!.Minute);
        Assert.Same(raised, _protocol.SetBilledFrom(raised, began - TimeSpan.FromDays(1), Noon));
    }

    [Fact]
    public void Intent_PendingFromBeforeThePriceBegan_IsMintedAnewWithinIt()
    {
        var began = Noon + TimeSpan.FromSeconds(90);
        var pending = Apply(Attempt(Raise(Empty, Counted(5)), Noon), AttemptResult.Unauthorized, Noon);
        var now = Noon + TimeSpan.FromHours(1);

        var expired = Assert.IsType<PushStep.Keep>(_protocol.Next(_protocol.SetBilledFrom(pending, began, Noon), now, 1)).Document;
        var anew = Attempt(Assert.IsType<PushStep.Close>(_protocol.Next(expired, now, 1)).Document, now);

        Assert.Equal((IntentState.Expired, Noon), (expired.Open!.State, expired.Open.Minute));
        Assert.Equal((began, Quantity.FromInteger(5)), (anew.Open!.Minute, anew.Open.Value));
    }

    [Fact]
    public void Minute_OfUsageAheadOfTheClock_IsNotInTheFuture()
    {
        var document = Attempt(Raise(Empty, Counted(5) with { Newest = Noon + TimeSpan.FromMinutes(50) }), Noon);

        Assert.Equal(Noon, document.Open!.Minute);
    }

    [Fact]
    public void Minute_OfAPeriodThatHasNotBegun_IsWaitedFor()
    {
        var before = March.Start - TimeSpan.FromMinutes(10);
        var document = Raise(Empty, Counted(5) with { Newest = March.Start + TimeSpan.FromMinutes(5) }, before);

        Assert.Equal(March.Start, document.Due);
        Assert.IsType<PushStep.Rest>(_protocol.Next(document, before, 1));
        // At Stripe the billing cycle may begin somewhere within that minute.
        Assert.Equal(March.Start + TimeSpan.FromSeconds(59), Attempt(document, March.Start).Open!.Minute);
    }

    /// <summary>A period that is cut within a minute leaves that minute out at both ends: no summary could tell them apart.</summary>
    [Fact]
    public void Minute_AtTheEdgesOfAPeriod_IsWholeWithinIt()
    {
        var period = new BillingPeriod(March.Start + TimeSpan.FromSeconds(30), March.Start + TimeSpan.FromSeconds(270));
        var document = Empty.With(new PeriodDelta { Period = period, Invoices = [new InvoiceEnd("in_1", March.End, Noon)] });
        var minutes = new List<Instant>();
        document = _protocol.Raise(document, period, Counted(1) with { Newest = period.Start }, Meter, Noon, Noon);
        for (var version = 2; document.Due <= Noon; version++)
        {
            document = Accept(Attempt(document, Noon), Noon);
            minutes.Add(document.Used.Runs[^1].End);
            document = _protocol.Raise(document, period, Counted(version, version) with { Newest = period.Start }, Meter, Noon, Noon);
        }

        Assert.Equal([new MinuteRun(March.Start + TimeSpan.FromMinutes(1), 3)], document.Used.Runs);
        Assert.Equal(3, minutes.Count);
        Assert.NotNull(document.BehindSince);
    }

    [Fact]
    public void Mint_MovingAllTheTime_ComesDownToOneAMinute()
    {
        var document = Empty;
        var pushes = new List<Instant>();
        for (var second = 0; second < 3_600; second += 10)
        {
            var now = Noon + TimeSpan.FromSeconds(second);
            document = Raise(document, Counted(second + 1, version: second + 1) with { Newest = now }, now);
            if (_protocol.Next(document, now, (UInt128)second) is not PushStep.Attempt attempt)
                continue;
            pushes.Add(now);
            document = Accept(attempt.Document, now);
        }

        Assert.Equal(6, pushes.Count(push => push < Noon + TimeSpan.FromMinutes(1)));
        Assert.InRange(pushes.Count(push => push >= Noon + TimeSpan.FromMinutes(30)), 30, 60);
        Assert.Equal(pushes.Count, document.Used.Runs.Sum(run => run.Count));
    }

    [Theory, InlineData("0", "0"), InlineData("5", "5"), InlineData("-5", "-5"), InlineData("0.000000000001", "0.000000000001"),
     InlineData("999999999999.999999", "999999999999.999"), InlineData("-999999999999.999999", "-999999999999.999"),
     InlineData("123.123456789012", "123.123456789012"), InlineData("1234.123456789012", "1234.12345678901"),
     InlineData("999999999999999.5", "999999999999999"), InlineData("1000000000000000", "999999999999999"),
     InlineData("-12345678901234567890.5", "-999999999999999"), InlineData("100000000000000.1", "100000000000000")]
    public void FirstPart_OfADelta_HasAtMostFifteenDigits(string delta, string part) =>
        Assert.Equal(part, PushValue.FirstPartOf(Quantity.Parse(delta)).ToString());

    private static DeltaDocument Empty { get; } = new() { Key = new DeltaKey("acct_1", false, "mtr_1", "cus_1"), Meter = Meter };

    private static Contribution Counted(long value, long version = 1) =>
        new("api_calls", "ref", Quantity.FromInteger(value), new CounterVersion(0, version), "log", Noon);

    private DeltaDocument Raise(DeltaDocument document, Contribution contribution, Instant? now = null) =>
        _protocol.Raise(document, March, contribution, Meter, mapped: March.Start, now ?? Noon);

    private DeltaDocument Attempt(DeltaDocument document, Instant now) =>
        Assert.IsType<PushStep.Attempt>(_protocol.Next(document, now, (UInt128)now.Ticks)).Document;

    private DeltaDocument Apply(DeltaDocument document, AttemptResult result, Instant now, string message = "") =>
        _protocol.Apply(document, document.Open!, new AttemptOutcome(result, message), now);

    /// <summary>Refused until nobody tries any more, and when that is.</summary>
    private (DeltaDocument Document, Instant Now) Parked(DeltaDocument document, Instant now)
    {
        var identifiers = new HashSet<string>();
        for (var refusal = 0; refusal < _rules.MaximumRejections; refusal++)
        {
            document = Apply(Attempt(document, now), AttemptResult.Refused, now, "no such meter");
            Assert.True(identifiers.Add(document.Open!.Identifier));
            document = Assert.IsType<PushStep.Close>(_protocol.Next(document, now, 1)).Document;
            Assert.True(document.HeldUntil > now);
            now = document.HeldUntil!.Value;
        }

        Assert.NotNull(document.ParkedSince);
        return (document, now);
    }

    private DeltaDocument Accept(DeltaDocument document, Instant now) =>
        Assert.IsType<PushStep.Close>(_protocol.Next(Apply(document, AttemptResult.Accepted, now), now, 1)).Document;
}
