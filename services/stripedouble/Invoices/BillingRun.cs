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
    private readonly InvoiceLines _lines = new(objects);

    public bool IsDue(SqliteSession session, DateTimeOffset now) => NextOf(session) is { } next && next.At <= now.ToUnixTimeSeconds();

    public void Settle(SqliteSession session, DateTimeOffset now)
    {
        for (var step = 0; step < options.BillingsPerRound && NextOf(session) is { } next && next.At <= now.ToUnixTimeSeconds(); step++)
            next.Do(session);
    }

    /// <summary>Makes a draft final: what the meters hold now is what is billed.</summary>
    public JsonObject MakeFinal(SqliteSession session, JsonObject invoice, DateTimeOffset now)
    {
        Fill(session, invoice, now);
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
        var finals = objects.Invoices.All(session).Where(Invoice.IsDraft)
            .Select(invoice => new NextStep((long)invoice["automatically_finalizes_at"]!, writer =>
                MakeFinal(writer, invoice, DateTimeOffset.FromUnixTimeSeconds((long)invoice["automatically_finalizes_at"]!))));
        return ends.Concat(finals).MinBy(static step => step.At);
    }

    private void EndPeriod(SqliteSession session, JsonObject subscription)
    {
        var (start, end) = BillingObjects.PeriodOf(subscription);
        var now = DateTimeOffset.FromUnixTimeSeconds(end);
        var invoice = Invoice.Create(subscription, (start, end), end, (now + options.FinalizeAfter).ToUnixTimeSeconds());
        if ((bool)subscription["cancel_at_period_end"]!)
            BillingObjects.End(subscription, end);
        else
            Advance(session, subscription, end);
        subscription["latest_invoice"] = (string?)invoice["id"];
        objects.Subscriptions.Replace(session, subscription);
        objects.Invoices.Add(session, invoice);
        Fill(session, invoice, now);
        objects.Invoices.Replace(session, invoice);
        board.Snapshot(session, "invoice.created", invoice, now);
        board.Snapshot(session, $"customer.subscription.{((string?)subscription["status"] == "active" ? "updated" : "deleted")}", subscription, now);
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

    /// <summary>The lines as they are now, of the period that the invoice is about.</summary>
    private void Fill(SqliteSession session, JsonObject invoice, DateTimeOffset now)
    {
        var subscription = objects.Subscriptions.Get(session, (string)invoice["parent"]!["subscription_details"]!["subscription"]!);
        long? next = (string?)subscription["status"] == "active" ? BillingObjects.PeriodOf(subscription).End : null;
        foreach (var item in BillingObjects.ItemsOf(subscription))
        {
            item["current_period_start"] = (long)invoice["period_start"]!;
            item["current_period_end"] = (long)invoice["period_end"]!;
        }

        Invoice.SetLines(invoice, _lines.Of(session, subscription, (string)invoice["id"]!, now, next));
    }

    private sealed record NextStep(long At, Action<SqliteSession> Do);
}
