using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using StripeMeter.Sqlite;
using StripeMeter.StripeDouble.Accounts;
using StripeMeter.StripeDouble.Faults;
using StripeMeter.StripeDouble.MeterEvents;

namespace StripeMeter.StripeDouble.Control;

/// <summary><c>/_double/</c>: what the double has seen, and what is to go wrong. No key, as it is no part of Stripe's API.</summary>
internal sealed class ControlApi(SqliteFile file, Account account, RequestLog log, StripeDoubleFaults faults)
{
    public const string Prefix = "/_double";

    private const int MaximumEventsPerPage = 1_000;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    public Task ServeAsync(HttpContext context) => (context.Request.Method, context.Request.Path.Value) switch
    {
        ("GET", Prefix or $"{Prefix}/") => ReplyAsync(context, State()),
        ("GET", $"{Prefix}/requests") => ReplyAsync(context, new { data = log.Read() }),
        ("GET", $"{Prefix}/events") => ReplyAsync(context, new { data = Events(context.Request.Query["after"]) }),
        ("GET", $"{Prefix}/faults") => ReplyAsync(context, faults.State),
        ("POST", $"{Prefix}/faults") => SetFaultsAsync(context),
        ("DELETE", $"{Prefix}/faults") => ClearFaultsAsync(context),
        _ => ReplyAsync(context, new { message = "There is no such control." }, StatusCodes.Status404NotFound),
    };

    private object State() => new
    {
        Account = account.Id, EventsAccepted = file.Read(MeterEventTable.Count), RequestsAnswered = log.Total, Faults = faults.State,
    };

    private IReadOnlyList<MeterEvent> Events(string? after)
    {
        var number = long.TryParse(after, NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given : 0;
        return file.Read(session => MeterEventTable.Read(session, number, MaximumEventsPerPage));
    }

    private async Task SetFaultsAsync(HttpContext context)
    {
        try
        {
            var given = await context.Request.ReadFromJsonAsync<JsonObject>(Json, context.RequestAborted).ConfigureAwait(false) ?? [];
            faults.Change(state => With(state, given));
            await ReplyAsync(context, faults.State).ConfigureAwait(false);
        }
        catch (Exception problem) when (problem is JsonException or ArgumentException or InvalidOperationException)
        {
            await ReplyAsync(context, new { message = problem.Message }, StatusCodes.Status400BadRequest).ConfigureAwait(false);
        }
    }

    private Task ClearFaultsAsync(HttpContext context)
    {
        faults.Clear();
        return ReplyAsync(context, faults.State);
    }

    /// <summary>Replaces the settings that are given; the others stay.</summary>
    private static FaultState With(FaultState state, JsonObject given)
    {
        var merged = JsonSerializer.SerializeToNode(state, Json)!.AsObject();
        foreach (var (name, value) in given)
            merged[name] = value?.DeepClone();
        return merged.Deserialize<FaultState>(Json)!;
    }

    private static Task ReplyAsync(HttpContext context, object body, int status = StatusCodes.Status200OK)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(body, body.GetType(), Json, context.RequestAborted);
    }
}
