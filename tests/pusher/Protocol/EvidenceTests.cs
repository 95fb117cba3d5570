using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;
using static StripeMeter.Pusher.Tests.Protocol.Documents;

namespace StripeMeter.Pusher.Tests.Protocol;

/// <summary>What Stripe's summaries and error reports settle.</summary>
public sealed class EvidenceTests
{
    private readonly PushRules _rules = new();
    private readonly PushProtocol _protocol;
    private readonly Documents _documents;

    public EvidenceTests()
    {
        _protocol = new PushProtocol(_rules, () => 0);
        _documents = new Documents(_protocol);
    }

    private Instant WindowEnd => Noon + _rules.ResendWindow;

    private Instant SettleEnd => WindowEnd + _rules.SettleTime;

    [Theory, InlineData(true), InlineData(false)]
    public void Next_InDoubtForADay_LooksInTheMinuteAndNeverSendsAgain(bool isAnswered)
    {
        var document = InDoubt(isAnswered);

        Assert.Equal(document.Open!.Identifier, _documents.Sought(document, WindowEnd).Identifier);
        Assert.IsType<PushStep.Attempt>(_protocol.Next(document, WindowEnd - TimeSpan.FromSeconds(1), 1));
    }

    [Fact]
    public void Reading_OfTheValue_SettlesAtOnce()
    {
        var found = _documents.Read(InDoubt(), WindowEnd, 5);
        var step = _documents.Closed(found, WindowEnd);

        Assert.Equal((IntentState.Confirmed, 1), (step.Intent.State, step.Intent.Closing));
        Assert.Equal(Quantity.FromInteger(5), step.Document.Periods[0].Accepted);
        Assert.Equal((null, null), (step.Document.Due, step.Document.BehindSince));
    }

    [Fact]
    public void Reading_OfNothing_ProvesOnlyOnceEverythingHasSettled()
    {
        var document = InDoubt();
        var now = WindowEnd;
        var readings = 0;
        for (; now < SettleEnd; now = document.Due!.Value, readings++)
        {
            document = _documents.Read(document, now, readings % 2 == 0 ? 0 : null);
            Assert.Equal((IntentState.Ambiguous, document.Due), (document.Open!.State, document.Open.NextAttempt));
        }

        Assert.Equal(SettleEnd, now);
        Assert.InRange(readings, 5, 20);
        var step = _documents.Closed(_documents.Read(document, now, 0), now);
        Assert.Equal(IntentState.Missing, step.Intent.State);
        Assert.Equal(Quantity.Zero, step.Document.Periods[0].Accepted);
        var anew = _documents.Attempted(step.Document, step.Document.Due!.Value).Open!;
        Assert.Equal(step.Intent.Value, anew.Value);
        Assert.NotEqual((step.Intent.Identifier, step.Intent.Minute), (anew.Identifier, anew.Minute));
    }

    [Fact]
    public void Reading_OfSomethingElse_IsLeftToAHuman()
    {
        var document = _documents.Read(InDoubt(), SettleEnd, 7);

        Assert.Equal(IntentState.Ambiguous, document.Open!.State);
        Assert.Contains("another writer", document.Open.LastError, StringComparison.Ordinal);
    }

    [Fact]
    public void Reading_OfAnIntentThatMovedOn_ChangesNothing()
    {
        var document = InDoubt();
        var read = _documents.Sought(document, WindowEnd);

        Assert.Same(document, _protocol.EnterReading(document, read with { Identifier = "other" }, Quantity.Zero, WindowEnd));
        Assert.Same(document, _protocol.EnterReading(document, read with { Readings = 4 }, Quantity.Zero, WindowEnd));
        var found = _documents.Read(document, WindowEnd, 5);
        Assert.Same(found, _protocol.EnterReading(found, read, Quantity.Zero, SettleEnd));
    }

    /// <summary>A restored backup may use an identifier again that Stripe knows from another event.</summary>
    [Fact]
    public void Duplicate_AnswerOfStripe_IsLookedForInTheMinute()
    {
        var document = _documents.Told(_documents.Raised(5), Noon, AttemptResult.Duplicate);
        Assert.Equal(Quantity.FromInteger(5), document.Periods[0].Accepted);
        var due = Noon + _rules.FirstReading / 2;
        Assert.Equal(due + (_rules.FirstReading / 2), document.Due);

        var found = _documents.Closed(_documents.Read(document, document.Due!.Value, 5), Noon).Document;
        Assert.Equal((Quantity.FromInteger(5), 0), (found.Periods[0].Accepted, found.Checking.Count));

        var missing = _documents.Closed(_documents.Read(document, SettleEnd, 0), SettleEnd).Document;
        Assert.Equal((Quantity.Zero, 0, 2), (missing.Periods[0].Accepted, missing.Checking.Count, missing.Closings));
        Assert.Equal(Quantity.FromInteger(5), missing.Periods[0].Outstanding);
    }

    [Fact]
    public void Report_OnAClosedIntent_RejectsItOnceItsMinuteIsEmpty()
    {
        var sent = _documents.Applied(_documents.Attempted(_documents.Raised(5), Noon), AttemptResult.Accepted, Noon);
        var step = _documents.Closed(sent, Noon);
        var document = _protocol.EnterReport(step.Document, step.Intent.Identifier, step.Intent, "no such customer", Noon);
        Assert.Equal(Noon, document.Due);
        Assert.Same(document, _protocol.EnterReport(document, "sm_other", null, "unknown", Noon));

        var believed = _documents.Closed(_documents.Read(document, Noon, 0), Noon);
        Assert.Equal((IntentState.Rejected, 2), (believed.Intent.State, believed.Intent.Closing));
        Assert.Equal((Quantity.Zero, 1, "no such customer"), (believed.Document.Periods[0].Accepted, believed.Document.Rejections, believed.Document.Problem));
        Assert.Same(
            believed.Document,
            _protocol.EnterReport(believed.Document, step.Intent.Identifier, believed.Intent, "no such customer", Noon));

        var refuted = _documents.Closed(_documents.Read(document, Noon, 5), Noon).Document;
        Assert.Equal((Quantity.FromInteger(5), 0), (refuted.Periods[0].Accepted, refuted.Rejections));
    }

    /// <summary>The minute was empty because the summaries lagged, and by the time of the report it is not any more.</summary>
    [Fact]
    public void Report_DuringAReading_IsJudgedByTheNextOne()
    {
        var document = _documents.Told(_documents.Raised(5), Noon, AttemptResult.Duplicate);
        var read = _documents.Sought(document, document.Due!.Value);
        document = _protocol.EnterReport(document, read.Identifier, null, "no such customer", Noon);

        Assert.Same(document, _protocol.EnterReading(document, read, Quantity.Zero, Noon));

        var refuted = _documents.Closed(_documents.Read(document, Noon, 5), Noon);
        Assert.Equal((IntentState.Confirmed, Quantity.FromInteger(5)), (refuted.Intent.State, refuted.Document.Periods[0].Accepted));
    }

    [Fact]
    public void Report_OnAnIntentInDoubt_IsHeardOnceItIsSettled()
    {
        var document = InDoubt();
        document = _protocol.EnterReport(document, document.Open!.Identifier, null, "no such customer", Noon);
        var later = Noon + TimeSpan.FromHours(1);

        document = _documents.Told(document, later, AttemptResult.Duplicate);

        var believed = _documents.Closed(_documents.Read(document, later + _rules.FirstReading, 0), later);
        Assert.Equal(IntentState.Rejected, believed.Intent.State);
    }

    [Fact]
    public void Rejections_AfterAccepted_EndInParkingAndNotInALoop()
    {
        var document = _documents.Raised(5);
        var now = Noon;
        for (var rejection = 0; rejection < _rules.MaximumRejections; rejection++)
        {
            Assert.Null(document.ParkedSince);
            now = Instant.Max(now, document.HeldUntil ?? now);
            var step = _documents.Closed(_documents.Applied(_documents.Attempted(document, now), AttemptResult.Accepted, now), now);
            document = _protocol.EnterReport(step.Document, step.Intent.Identifier, step.Intent, "no such customer", now);
            document = _documents.Closed(_documents.Read(document, now, 0), now).Document;
        }

        Assert.NotNull(document.ParkedSince);
        Assert.Equal(Quantity.FromInteger(5), document.Periods[0].Outstanding);
    }

    [Fact]
    public void Rejections_OnceOneIsFound_BeginAnew()
    {
        var refused = _documents.Told(_documents.Raised(5), Noon, AttemptResult.Refused);
        var now = refused.HeldUntil!.Value;
        var accepted = _documents.Told(refused, now);
        Assert.Equal((1, 1), (accepted.Rejections, accepted.Checking.Count));

        var found = _documents.Closed(_documents.Read(accepted, now + _rules.FirstReading, 5), now).Document;

        Assert.Equal((0, 0), (found.Rejections, found.Checking.Count));
    }

    [Fact]
    public void Doubt_BeyondItsLimit_TakesWhatThereIsRoomFor()
    {
        var accepted = Enumerable.Range(0, _rules.MaximumChecks + 5).Select(number => new PushIntent
        {
            Identifier = $"sm_{number}", Number = number, Meter = Meter, Period = March, Value = Quantity.One, Minute = Noon,
            Created = Noon, State = IntentState.Accepted,
        }).ToList();

        var document = _protocol.Doubt(_protocol.Doubt(Empty, accepted, Noon), accepted, Noon);

        Assert.Equal(_rules.MaximumChecks, document.Checking.Count);
    }

    private DeltaDocument InDoubt(bool isAnswered = true)
    {
        var sent = _documents.Attempted(_documents.Raised(5), Noon);
        return isAnswered ? _documents.Applied(sent, AttemptResult.Unknown, Noon) : sent;
    }
}
