using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using StripeMeter.StripeDouble.Accounts;
using StripeMeter.StripeDouble.Faults;
using StripeMeter.StripeDouble.MeterEvents;

namespace StripeMeter.StripeDouble.Control;

/// <summary><c>/_double/</c>: what the double has seen, and what is to go wrong. No key, as it is no part of Stripe's API.</summary>
internal sealed class ControlApi(StripeDoubleHost host, AccountBook accounts, RequestLog log, StripeDoubleFaults faults)
{
    public const string Prefix = "/_double";

    private const int MaximumEventsPerPage = 1_000;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    public async Task ServeAsync(HttpContext context)
    {
        try
        {
            await AnswerAsync(context).ConfigureAwait(false);
        }
        catch (Exception problem) when (problem is JsonException or ArgumentException or InvalidOperationException or FormatException or OverflowException)
        {
            await ReplyAsync(context, new { message = problem.Message }, StatusCodes.Status400BadRequest).ConfigureAwait(false);
        }
    }

    private Task AnswerAsync(HttpContext context) => (context.Request.Method, context.Request.Path.Value) switch
    {
        ("GET", Prefix or $"{Prefix}/") when WantsPage(context) => ControlPage.WriteAsync(context, AccountOf(context), State()),
        ("GET", Prefix or $"{Prefix}/") => ReplyAsync(context, State()),
        ("GET", $"{Prefix}/requests") => ReplyAsync(context, new { data = log.Read() }),
        ("GET", $"{Prefix}/events") => ReplyAsync(context, new { data = Events(context) }),
        ("GET", $"{Prefix}/faults") => ReplyAsync(context, faults.State),
        ("POST", $"{Prefix}/faults") => SetFaultsAsync(context),
        ("DELETE", $"{Prefix}/faults") => ClearFaultsAsync(context),
        ("POST", $"{Prefix}/clock") => MoveClockAsync(context),
        ("POST", $"{Prefix}/webhook") => ListenAsync(context),
        ("POST", $"{Prefix}/settle") => SettleAsync(context),
        _ => ReplyAsync(context, new { message = "There is no such control." }, StatusCodes.Status404NotFound),
    };

    private DoubleState State() => new(
        host.AccountId, [.. accounts.All.Select(static account => account.Account.Id)], host.Now,
        accounts.Own.File.Read(MeterEventTable.Count), log.Total, faults.State);

    private static bool WantsPage(HttpContext context) =>
        context.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase);

    private AccountData AccountOf(HttpContext context) => context.Request.Query["account"].ToString() is { Length: > 0 } named
        ? accounts.Find(named) ?? throw new ArgumentException($"There is no account {named}.")
        : accounts.Own;

    private IReadOnlyList<MeterEvent> Events(HttpContext context)
    {
        var after = context.Request.Query["after"].ToString();
        var number = long.TryParse(after, NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given : 0;
        return AccountOf(context).File.Read(session => MeterEventTable.Read(session, number, MaximumEventsPerPage));
    }

    private async Task SetFaultsAsync(HttpContext context)
    {
        var given = await BodyAsync(context).ConfigureAwait(false);
        faults.Change(state => With(state, given));
        await ReplyAsync(context, faults.State).ConfigureAwait(false);
    }

    private Task ClearFaultsAsync(HttpContext context)
    {
        faults.Clear();
        return ReplyAsync(context, faults.State);
    }

    private async Task MoveClockAsync(HttpContext context)
    {
        var given = await BodyAsync(context).ConfigureAwait(false);
        var seconds = (long?)given["advance_seconds"] ?? throw new ArgumentException("advance_seconds is required.");
        await host.AdvanceAsync(TimeSpan.FromSeconds(seconds), context.RequestAborted).ConfigureAwait(false);
        await ReplyAsync(context, State()).ConfigureAwait(false);
    }

    private async Task ListenAsync(HttpContext context)
    {
        var given = await BodyAsync(context).ConfigureAwait(false);
        if (!Uri.TryCreate((string?)given["url"], UriKind.Absolute, out var url) || (string?)given["secret"] is not { Length: > 0 } secret)
            throw new ArgumentException("url must be an address, and secret is required.");
        await host.ListenAsync(url, secret, context.RequestAborted).ConfigureAwait(false);
        await ReplyAsync(context, State()).ConfigureAwait(false);
    }

    private async Task SettleAsync(HttpContext context)
    {
        await host.SettleAsync(context.RequestAborted).ConfigureAwait(false);
        await ReplyAsync(context, State()).ConfigureAwait(false);
    }

    private static async Task<JsonObject> BodyAsync(HttpContext context) =>
        await context.Request.ReadFromJsonAsync<JsonObject>(Json, context.RequestAborted).ConfigureAwait(false) ?? [];

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

/// <summary>What the controls show of the double as a whole.</summary>
/// <param name="Account">The keys' own account.</param>
/// <param name="Accounts">It and those connected to it.</param>
/// <param name="Now">The double's time.</param>
/// <param name="EventsAccepted">Meter events of the keys' own account.</param>
/// <param name="RequestsAnswered">Since the start.</param>
/// <param name="Faults">Still to come.</param>
internal sealed record DoubleState(
    string Account, IReadOnlyList<string> Accounts, DateTimeOffset Now, long EventsAccepted, long RequestsAnswered, FaultState Faults);
