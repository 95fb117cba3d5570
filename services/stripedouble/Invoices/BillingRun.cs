using System.Text.Json.Nodes;
using StripeMeter.Sqlite;
using StripeMeter.StripeDouble.Notices;
using StripeMeter.StripeDouble.Settling;
using StripeMeter.StripeDouble.Subscriptions;

namespace StripeMeter.StripeDouble.Invoices;

/// <summary>
/// Bills subscriptions as time goes by: a draft when a period ends, final some time later, with what the meters hold then.
/// When the clock leaps, everything in between happens in its order and at its time.
/// </summary>
internal sealed class BillingRun(StripeDoubleOptions options, BillingObjects objects, NoticeBoard board) : ISettled
{
    private const string InvoiceCreated = "invoice.created";

    private readonly InvoiceLines _lines = new(objects);

    public bool IsDue(SqliteSession session, DateTimeOffset now) => NextOf(session) is { } next && next.At <= now.ToUnixTimeSeconds();

    public void Settle(SqliteSession session, DateTimeOffset now)
    {
        for (var step = 0; step < options.BillingsPerRound && NextOf(session) is { } next && next.At <= now.ToUnixTimeSeconds(); step++)
            next.Do(session);
    }

    /// <summary>
    /// The first invoice of a subscription, final at once: licences of its first period, and no usage, as there is none yet.
    /// A first period that an anchor cuts short has its licences for nothing, since nothing is prorated here.
    /// </summary>
    public void Begin(SqliteSession session, JsonObject subscription, DateTimeOffset now)
    {
        var (start, end) = BillingObjects.PeriodOf(subscription);
        var invoice = Invoice.Create(subscription, (start, start), start, start, "subscription_create");
        subscription["latest_invoice"] = (string?)invoice["id"];
        objects.Subscriptions.Replace(session, subscription);
        objects.Invoices.Add(session, invoice);
        if ((long)subscription["billing_cycle_anchor"]! == start)
            Invoice.SetLines(invoice, _lines.Licensed(session, subscription, (string)invoice["id"]!, (start, end)));
        board.Snapshot(session, InvoiceCreated, invoice, now);
        Close(session, invoice, now);
    }

    /// <summary>Makes a draft final: what the meters hold now is what is billed. Licences stay as they are in the draft.</summary>
    public JsonObject MakeFinal(SqliteSession session, JsonObject invoice, DateTimeOffset now)
    {
        var period = PeriodOf(invoice);
        var subscription = objects.Subscriptions.Get(session, (string)invoice["parent"]!["subscription_details"]!["subscription"]!);
        var licensed = invoice["lines"]!["data"]!.AsArray().Select(static line => line!.DeepClone().AsObject())
            .Where(line => (long)line["period"]!["start"]! >= period.End);
        Invoice.SetLines(invoice, [.. _lines.Metered(session, subscription, (string)invoice["id"]!, period, now), .. licensed]);
        return Close(session, invoice, now);
    }

    private JsonObject Close(SqliteSession session, JsonObject invoice, DateTimeOffset now)
    {
        invoice["status"] = Invoice.Open;
        invoice["automatically_finalizes_at"] = null;
        invoice["status_transitions"]!["finalized_at"] = now.ToUnixTimeSeconds();
        invoice["number"] = $"D-{((string)invoice["id"]!)[^8..].ToUpperInvariant()}";
        objects.Invoices.Replace(session, invoice);
        board.Snapshot(session, "invoice.finalized", invoice, now);
        return invoice;
    }

    private NextStep? NextOf(SqliteSession session)
    {
        var ends = objects.Subscriptions.All(session).Where(static subscription => (string?)subscription["status"] == "active")
            .Select(subscription => new NextStep(BillingObjects.PeriodOf(subscription).End, writer => EndPeriod(writer, subscription)));
        var answers = new Lazy<(long? FailedSeconds, long TakenMs)>(() =>
            (NoticeTable.NewestFailedSeconds(session, InvoiceCreated), NoticeTable.LastTakenMs(session, InvoiceCreated)));
        var finals = objects.Invoices.All(session).Where(Invoice.IsDraft).Select(invoice =>
        {
            var at = FinalAt(invoice, answers.Value.FailedSeconds, answers.Value.TakenMs);
            return new NextStep(at, writer => MakeFinal(writer, invoice, DateTimeOffset.FromUnixTimeSeconds(at)));
        });
        return ends.Concat(finals).MinBy(static step => step.At);
    }

    /// <summary>
    /// When a draft becomes final: as planned, unless an <c>invoice.created</c> of the account fails to be taken, which holds
    /// up all of them until it is, or until a limit. See https://docs.stripe.com/billing/subscriptions/webhooks.
    /// </summary>
    /// <remarks>
    /// Unverified, as Stripe does not say: that a draft whose time is over becomes final as soon as the event is taken, and
    /// that it goes on showing the time that was planned.
    /// </remarks>
    private long FinalAt(JsonObject invoice, long? failedSeconds, long takenMs)
    {
        var planned = (long)invoice["automatically_finalizes_at"]!;
        var limitSeconds = (long)options.FinalizeAtLastAfter.TotalSeconds;
        return failedSeconds > planned - limitSeconds
            ? Math.Max(planned, (long)invoice["created"]! + limitSeconds)
            : Math.Max(planned, takenMs / 1_000);
    }

    private void EndPeriod(SqliteSession session, JsonObject subscription)
    {
        var (period, before) = (BillingObjects.PeriodOf(subscription), subscription.DeepClone().AsObject());
        var now = DateTimeOffset.FromUnixTimeSeconds(period.End);
        var invoice = Invoice.Create(subscription, period, period.End, (now + options.FinalizeAfter).ToUnixTimeSeconds(), "subscription_cycle");
        var id = (string)invoice["id"]!;
        var lines = _lines.Metered(session, subscription, id, period, now).ToList();
        if ((bool)subscription["cancel_at_period_end"]!)
        {
            BillingObjects.End(subscription, period.End);
        }
        else
        {
            Advance(session, subscription, period.End);
            lines.AddRange(_lines.Licensed(session, subscription, id, BillingObjects.PeriodOf(subscription)));
        }

        subscription["latest_invoice"] = id;
        objects.Subscriptions.Replace(session, subscription);
        Invoice.SetLines(invoice, lines);
        objects.Invoices.Add(session, invoice);
        board.Snapshot(session, InvoiceCreated, invoice, now);
        if ((string?)subscription["status"] == "active")
            board.Snapshot(session, "customer.subscription.updated", subscription, now, before);
        else
            board.Snapshot(session, "customer.subscription.deleted", subscription, now);
    }

    private void Advance(SqliteSession session, JsonObject subscription, long end)
    {
        foreach (var item in BillingObjects.ItemsOf(subscription))
        {
            var price = objects.Prices.Get(session, (string)item["price"]!["id"]!);
            item["current_period_start"] = end;
            item["current_period_end"] = SubscriptionItem.CycleOf(price, (long)subscription["billing_cycle_anchor"]!).NextAfter(end);
        }
    }

    private static (long Start, long End) PeriodOf(JsonObject invoice) => ((long)invoice["period_start"]!, (long)invoice["period_end"]!);

    private sealed record NextStep(long At, Action<SqliteSession> Do);
}
