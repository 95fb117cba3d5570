using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using StripeMeter.Sqlite;
using StripeMeter.StripeDouble.Accounts;
using StripeMeter.StripeDouble.MeterEvents;
using StripeMeter.StripeDouble.MeterEventStreams;
using StripeMeter.StripeDouble.Meters;
using StripeMeter.StripeDouble.Notices;
using StripeMeter.StripeDouble.Subscriptions;

namespace StripeMeter.StripeDouble.Control;

/// <summary>One page for people: what an account holds, the newest of each first. It loads nothing from anywhere.</summary>
internal static class ControlPage
{
    private const int MaximumRows = 50;

    private const string Head =
        """
        <!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Stripe double</title>
        <style>body{font:14px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#222}
        h1{font-size:1.3rem}h2{font-size:1rem;margin-top:2rem}table{border-collapse:collapse;width:100%}
        th,td{text-align:left;padding:.2rem .8rem .2rem 0;border-bottom:1px solid #ddd;vertical-align:top}th{color:#666;font-weight:500}
        p{color:#666}</style>
        """;

    public static Task WriteAsync(HttpContext context, AccountData account, DoubleState state)
    {
        context.Response.ContentType = "text/html; charset=utf-8";
        context.Response.Headers.ContentSecurityPolicy = "default-src 'none'; style-src 'unsafe-inline'";
        return context.Response.WriteAsync(account.File.Read(session => Page(session, account, state)), context.RequestAborted);
    }

    private static string Page(SqliteSession session, AccountData account, DoubleState state)
    {
        var page = new StringBuilder(Head)
            .Append("<h1>Stripe double</h1><p>Account ").Append(Encode(account.Account.Id)).Append(" at ").Append(Encode(Time(state.Now)))
            .Append(". Nothing here is Stripe's.</p>");
        var others = state.Accounts.Where(id => id != account.Account.Id).ToList();
        if (others.Count > 0)
            page.Append("<p>Other accounts: ").AppendJoin(", ", others.Select(static id => $"<a href=\"?account={Uri.EscapeDataString(id)}\">{Encode(id)}</a>")).Append("</p>");
        var objects = new BillingObjects();
        var events = MeterEventTable.Newest(session, MaximumRows);
        Table(page, "Meters", ["id", "event name", "formula", "window", "status"],
            MeterTable.All(session).Take(MaximumRows).Select(static meter => (string?[])[meter.Id, meter.EventName, meter.Formula, meter.EventTimeWindow, meter.Status]));
        Table(page, "Meter events", ["received", "event name", "customer", "value", "timestamp", "identifier", "does not count"],
            events.Select(static one => (string?[])[Time(one.Received), one.EventName, one.Customer, one.Value, Time(one.Timestamp), one.Identifier, one.Excluded]));
        Table(page, "Rejected after the answer", ["received", "meter", "identifier", "code"],
            RejectionTable.Newest(session, MaximumRows).Select(static one => (string?[])[Moment(one.ReceivedMs), one.MeterId, one.Identifier, one.Code]));
        Table(page, "Stream sessions", ["id", "created", "expires", "meter events"],
            StreamSessionTable.Newest(session, MaximumRows).Select(static one => (string?[])[one.Id, Time(one.Created), Time(one.Expires), Text(one.Events)]));
        Table(page, "Subscriptions", ["id", "customer", "status", "period"],
            objects.Subscriptions.All(session).Reverse().Take(MaximumRows).Select(static one => (string?[])[Text(one, "id"), Text(one, "customer"), Text(one, "status"), PeriodOf(one)]));
        Table(page, "Invoices", ["id", "customer", "status", "total", "lines"],
            objects.Invoices.All(session).Reverse().Take(MaximumRows).Select(static one => (string?[])[Text(one, "id"), Text(one, "customer"), Text(one, "status"), $"{one["total"]} {one["currency"]}", LinesOf(one)]));
        Webhooks(page, session);
        return page.Append("<p>Faults still to come: ").Append(Encode(state.Faults.ToString())).Append("</p></html>").ToString();
    }

    private static void Webhooks(StringBuilder page, SqliteSession session) => Table(
        page, "Events and their webhooks", ["id", "type", "sent", "became", "last answer"],
        NoticeTable.Newest(session, MaximumRows).Select(static one => (string?[])
        [
            one.Notice.Id, one.Notice.Type, $"{Text(one.Notice.Attempts)} times",
            one.State switch
            {
                DeliveryState.Unheard => "nobody listened",
                DeliveryState.Waiting => "to be sent",
                DeliveryState.Failing => "failed, sent again later",
                DeliveryState.Taken => "taken",
                _ => "given up",
            },
            one.Last is { } last ? $"{last.Status?.ToString(CultureInfo.InvariantCulture) ?? "none"} at {Moment(last.SentMs)}" : "",
        ]));

    private static void Table(StringBuilder page, string title, string[] headers, IEnumerable<string?[]> rows)
    {
        page.Append("<h2>").Append(title).Append("</h2><table><tr>");
        foreach (var header in headers)
            page.Append("<th>").Append(header).Append("</th>");
        page.Append("</tr>");
        foreach (var row in rows)
        {
            page.Append("<tr>");
            foreach (var cell in row)
                page.Append("<td>").Append(Encode(cell ?? "")).Append("</td>");
            page.Append("</tr>");
        }

        page.Append("</table>");
    }

    private static string? Text(JsonObject body, string name) => (string?)body[name];

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string PeriodOf(JsonObject subscription)
    {
        var (start, end) = BillingObjects.PeriodOf(subscription);
        return $"{Time(DateTimeOffset.FromUnixTimeSeconds(start))} to {Time(DateTimeOffset.FromUnixTimeSeconds(end))}";
    }

    private static string LinesOf(JsonObject invoice) =>
        string.Join("; ", invoice["lines"]!["data"]!.AsArray().Select(static line => $"{line!["description"]} = {line["amount"]}"));

    private static string Moment(long unixMs) => Time(DateTimeOffset.FromUnixTimeMilliseconds(unixMs));

    private static string Time(DateTimeOffset moment) => moment.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string Encode(string text) => WebUtility.HtmlEncode(text);
}
