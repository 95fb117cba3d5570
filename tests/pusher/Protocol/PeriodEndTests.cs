using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;
using static StripeMeter.Pusher.Tests.Protocol.Documents;

namespace StripeMeter.Pusher.Tests.Protocol;

/// <summary>What happens to a period at its end.</summary>
public sealed class PeriodEndTests
{
    private readonly PushRules _rules = new();
    private readonly PushProtocol _protocol;
    private readonly Documents _documents;

    public PeriodEndTests()
    {
        _protocol = new PushProtocol(_rules, () => 0);
        _documents = new Documents(_protocol);
    }

    private Instant Deadline => March.End + _rules.Grace - _rules.DeadlineMargin;

    [Fact]
    public void Usage_WithinTheGrace_IsToldInItsPeriod()
    {
        var now = Deadline - TimeSpan.FromSeconds(1);
        var intent = _documents.Attempted(_documents.Raised(5, now: now), now).Open!;

        Assert.Equal((March.Start, true), (intent.Period.Start, March.Contains(intent.Minute)));
    }

    [Fact]
    public void Usage_BehindTheDeadline_IsCarriedIntoThePeriodThatRuns()
    {
        var carried = Carried(_documents.Raised(5, now: Deadline), Deadline, out var entry);

        Assert.Equal((IntentState.Carried, Quantity.FromInteger(5), March.Start, April.Start), (entry.State, entry.Value, entry.Period.Start, entry.CarriedTo));
        Assert.Equal(Quantity.Zero, carried.Find(March.Start)!.Outstanding);
        Assert.Equal(
            (April, Quantity.FromInteger(5)), (carried.Find(April.Start)!.Period, carried.Find(April.Start)!.Outstanding));
        var intent = _documents.Attempted(carried, Deadline).Open!;
        Assert.Equal((April.Start, true), (intent.Period.Start, April.Contains(intent.Minute)));
    }

    [Fact]
    public void Correction_BehindTheDeadline_IsCarriedAsACredit()
    {
        var told = _documents.Told(_documents.Raised(5), Noon);
        var carried = Carried(_documents.Raised(3, now: Deadline, document: told, version: 2), Deadline, out var entry);

        Assert.Equal(Quantity.FromInteger(-2), entry.Value);
        Assert.Equal(
            (Quantity.FromInteger(5), Quantity.FromInteger(3), Quantity.FromInteger(-2)),
            (carried.Find(March.Start)!.Accepted, carried.Find(March.Start)!.Target, carried.Find(April.Start)!.Outstanding));
    }

    [Fact]
    public void Usage_WhenOnlyAnAlertIsWanted_StaysUnbilledAndShown()
    {
        var protocol = new PushProtocol(_rules with { Carry = CarryPolicy.AlertOnly }, () => 0);
        var document = new Documents(protocol).Raised(5);

        var ended = Assert.IsType<PushStep.Keep>(protocol.Next(document, Deadline, 1)).Document;

        Assert.Equal((null, null), (ended.Due, ended.BehindSince));
        Assert.Equal(Quantity.FromInteger(5), protocol.Ends.UnbilledOf(ended.Periods[0], Deadline));
        Assert.IsType<PushStep.Rest>(protocol.Next(ended, Deadline, 1));
    }

    [Fact]
    public void Intent_StillPendingAtTheDeadline_ExpiresAndIsCarried()
    {
        var pending = _documents.Applied(_documents.Attempted(_documents.Raised(5), Noon), AttemptResult.NotExecuted, Noon);

        var expired = Assert.IsType<PushStep.Keep>(_protocol.Next(pending, Deadline, 1)).Document;
        var step = _documents.Closed(expired, Deadline);

        Assert.Equal(IntentState.Expired, step.Intent.State);
        Assert.Equal(Quantity.FromInteger(5), Carried(step.Document, Deadline, out _).Find(April.Start)!.Outstanding);
    }

    /// <summary>Sent again it might be taken now, and be on no invoice. So its minute decides.</summary>
    [Fact]
    public void Intent_InDoubtAtTheDeadline_IsLookedForAndNotSent()
    {
        var sentAt = Deadline - TimeSpan.FromHours(1);
        var document = _documents.Applied(_documents.Attempted(_documents.Raised(5, now: sentAt), sentAt), AttemptResult.Unknown, sentAt);

        var found = _documents.Closed(_documents.Read(document, Deadline, 5), Deadline);
        Assert.Equal((IntentState.Confirmed, Quantity.FromInteger(5)), (found.Intent.State, found.Document.Periods[0].Accepted));

        var settled = sentAt + _rules.ResendWindow + _rules.SettleTime;
        var missing = _documents.Closed(_documents.Read(document, settled, 0), settled);
        Assert.Equal(IntentState.Missing, missing.Intent.State);
        Assert.Equal(Quantity.FromInteger(5), Carried(missing.Document, settled, out _).Find(April.Start)!.Outstanding);
    }

    [Fact]
    public void Deadline_FromStripe_IsTheOneThatCounts()
    {
        var final = March.End + TimeSpan.FromHours(72);
        var invoice = new InvoiceEnd("in_1", final, Noon);
        var document = _protocol.EnterInvoice(_documents.Raised(5), March.Start, invoice, Noon);
        var now = March.End + TimeSpan.FromHours(70);

        Assert.Equal(March.Start, _documents.Attempted(document, now).Open!.Period.Start);
        Assert.True(_protocol.Ends.IsClosed(document.Periods[0], final));
        Assert.Same(document, _protocol.EnterInvoice(document, March.Start, invoice, now));
        Assert.Same(document, _protocol.EnterInvoice(document, April.Start, invoice, now));
    }

    [Fact]
    public void Deadline_OfWhatStripeSaidLast_HoldsWhateverIsEnteredLast()
    {
        var draft = new InvoiceEnd("in_1", March.End + TimeSpan.FromHours(72), March.End);
        var final = new InvoiceEnd("in_1", March.End + TimeSpan.FromHours(2), March.End + TimeSpan.FromHours(2));

        var inOrder = Entered(draft, final);
        var outOfOrder = Entered(final, draft);

        Assert.Equal(final.Final, inOrder.Deadline);
        Assert.Equal(inOrder.Invoices, outOfOrder.Invoices);
        Assert.Equal(draft.Final, Entered(final, draft with { Asked = final.Asked + TimeSpan.FromTicks(1) }).Deadline);
    }

    /// <summary>Two subscriptions bill by one meter: what is told once the first of their invoices is final may be on neither.</summary>
    [Fact]
    public void Deadline_OfSeveralInvoices_IsThatOfTheFirstToBeFinal()
    {
        var (early, late) = (March.End + TimeSpan.FromHours(1), March.End + TimeSpan.FromHours(72));

        var delta = Entered(new InvoiceEnd("in_1", early, March.End), new InvoiceEnd("in_2", late, March.End + TimeSpan.FromMinutes(5)));

        Assert.Equal(early, delta.Deadline);
        var many = Enumerable.Range(1, 2 * PeriodDelta.MaximumInvoices)
            .Select(hours => new InvoiceEnd($"in_{100 - hours}", March.End + TimeSpan.FromHours(100 - hours), March.End));
        Assert.Equal(PeriodDelta.MaximumInvoices, Entered([.. many]).Invoices.Count);
        Assert.Equal(March.End + TimeSpan.FromHours(100 - (2 * PeriodDelta.MaximumInvoices)), Entered([.. many]).Deadline);
    }

    [Fact]
    public void Deadline_HoweverLate_IsWithinWhatStripeTakes()
    {
        var endless = new PeriodDelta { Period = March, Invoices = [new InvoiceEnd("in_1", Instant.Maximum, March.End)] };

        Assert.True(_protocol.Ends.DeadlineOf(endless) < March.End + _rules.OldestMinute);
        Assert.True(_protocol.Ends.IsClosed(new PeriodDelta { Period = March }, Instant.Maximum));
        Assert.False(_protocol.Ends.IsClosed(new PeriodDelta { Period = new BillingPeriod(March.Start, Instant.Maximum) }, Noon));
    }

    [Fact]
    public void Carry_WhenThePeriodThatRunsIsBilledAlready_WaitsForTheNext()
    {
        var now = April.Start + TimeSpan.FromDays(2);
        var document = _protocol.EnterInvoice(_documents.Raised(1, April, now), April.Start, new InvoiceEnd("in_1", now, now), now);
        document = _documents.Raised(5, March, now, document, version: 2);

        Assert.IsType<PushStep.Rest>(_protocol.Next(document, now, 1));
        Assert.InRange((document.Due!.Value - now).Ticks, 1, TimeSpan.TicksPerHour);
        var carried = Carried(document, April.End, out _);
        Assert.Equal(April.End, carried.Periods[^1].Period.Start);
    }

    private PeriodDelta Entered(params InvoiceEnd[] invoices) =>
        invoices.Aggregate(_documents.Raised(5), (document, invoice) => _protocol.EnterInvoice(document, March.Start, invoice, Noon)).Find(March.Start)!;

    private DeltaDocument Carried(DeltaDocument document, Instant now, out PushIntent entry)
    {
        var carried = Assert.IsType<PushStep.Keep>(_protocol.Next(document, now, 1)).Document;
        var step = _documents.Closed(carried, now);
        entry = step.Intent;
        return step.Document;
    }
}
