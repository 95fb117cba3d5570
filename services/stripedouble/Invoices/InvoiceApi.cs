using System.Text.Json.Nodes;
using StripeMeter.Sqlite;
using StripeMeter.StripeDouble.Http;
using StripeMeter.StripeDouble.Subscriptions;

namespace StripeMeter.StripeDouble.Invoices;

/// <summary><c>/v1/invoices</c>: get, list, lines, finalize. They are made by <see cref="BillingRun"/>.</summary>
internal sealed class InvoiceApi(BillingObjects objects, BillingRun billing)
{
    public const string Kind = "invoice";

    private const string Path = "/v1/invoices";

    public IEnumerable<StripeRoute> Routes =>
    [
        new("GET", Path, List),
        new("GET", $"{Path}/{{id}}", Get),
        new("GET", $"{Path}/{{id}}/lines", Lines),
        new("POST", $"{Path}/{{id}}/finalize", MakeFinal),
    ];

    private Operation Get(StripeCall call, SqliteSession session)
    {
        call.Parameters.Expansion();
        call.Parameters.RefuseUnknown();
        return new(reader => objects.Invoices.Get(reader, call.Id));
    }

    private Operation List(StripeCall call, SqliteSession session)
    {
        var page = Page.Read(call.Parameters);
        var customer = call.Parameters.Text("customer");
        var subscription = call.Parameters.Text("subscription");
        var status = call.Parameters.Choice("status", Invoice.Draft, Invoice.Open, "paid", "uncollectible", "void");
        call.Parameters.Expansion();
        call.Parameters.RefuseUnknown();
        return new(reader => objects.Invoices.List(reader, Path, page, invoice =>
            (customer is null || (string?)invoice["customer"] == customer)
            && (subscription is null || (string?)invoice["parent"]!["subscription_details"]!["subscription"] == subscription)
            && (status is null || (string?)invoice["status"] == status)));
    }

    private Operation Lines(StripeCall call, SqliteSession session)
    {
        var page = Page.Read(call.Parameters);
        call.Parameters.Expansion();
        call.Parameters.RefuseUnknown();
        return new(reader =>
        {
            var lines = objects.Invoices.Get(reader, call.Id)["lines"]!["data"]!.AsArray().Select(static line => line!.AsObject()).ToList();
            // First to last, unlike other lists: behind a position means further down.
            return page.List(call.Path, new PagedRows(
                id => lines.FindIndex(line => (string?)line["id"] == id) is >= 0 and var index ? index : throw StripeRefusal.NoSuch("line_item", id, page.CursorName),
                position => (position == long.MaxValue ? lines : lines.Skip((int)position + 1)).Select(Copy),
                position => lines.Take((int)position).Reverse().Select(Copy)));
        });
    }

    private Operation MakeFinal(StripeCall call, SqliteSession session)
    {
        call.Parameters.Boolean("auto_advance");
        call.Parameters.Expansion();
        call.Parameters.RefuseUnknown();
        return new(writer =>
        {
            var invoice = objects.Invoices.Get(writer, call.Id);
            return Invoice.IsDraft(invoice)
                ? billing.MakeFinal(writer, invoice, call.Now)
                : throw StripeRefusal.Invalid("id", $"The invoice {call.Id} is final already.");
        });
    }

    private static JsonObject Copy(JsonObject line) => line.DeepClone().AsObject();
}
