using StripeMeter.Metering.Work;
using StripeMeter.Pusher.StripeApi;
using StripeMeter.Pusher.Waking;

namespace StripeMeter.Pusher.Webhooks;

/// <summary>Does something about events of some types. Doing it twice, or late, changes nothing.</summary>
internal interface IStripeEventHandler
{
    bool Handles(string type);

    /// <param name="about">The event.</param>
    /// <param name="account">Its account, as delta documents name it.</param>
    /// <param name="calls">Calls to it.</param>
    /// <param name="cancellation">Ends the work.</param>
    Task HandleAsync(StripeEvent about, Metering.Pushing.AccountMode account, StripeCalls calls, CancellationToken cancellation);
}

/// <summary>
/// Works through the events that were taken. What fails is tried again at the cadence, and holds up no other; after days it
/// is given up, loudly.
/// </summary>
internal sealed partial class WebhookWorker(
    WebhookInbox inbox, StripeAccounts accounts, IEnumerable<IStripeEventHandler> handlers, PusherOptions options, TimeProvider clock,
    ILogger<WebhookWorker> logger) : BackgroundService
{
    private readonly IStripeEventHandler[] _handlers = [.. handlers];
    private readonly WakeSignal _signal = new(clock);

    public bool Handles(string type) => _handlers.Any(handler => handler.Handles(type));

    public void Wake() => _signal.Wake();

    public override void Dispose()
    {
        base.Dispose();
        _signal.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await WorkAsync(stoppingToken).ConfigureAwait(false);
            }
            catch (Exception problem) when (problem.IsOfThePiece(stoppingToken))
            {
                LogSearchFailed(logger, problem);
            }

            await _signal.WaitAsync(TimeSpan.Zero, options.Interval, stoppingToken).ConfigureAwait(false);
        }
    }

    private async Task WorkAsync(CancellationToken cancellation)
    {
        StripeEvent? after = null;
        while (true)
        {
            var page = await inbox.WaitingAsync(after, cancellation).ConfigureAwait(false);
            foreach (var waiting in page)
                await WorkOnAsync(waiting, cancellation).ConfigureAwait(false);
            if (page.Count < options.WorkPage)
                return;
            after = page[^1];
        }
    }

    private async Task WorkOnAsync(StripeEvent waiting, CancellationToken cancellation)
    {
        try
        {
            var calls = waiting.Account.Length > 0
                ? await accounts.OfAsync(waiting.Account, waiting.Livemode, cancellation).ConfigureAwait(false)
                : accounts.OwnOf(waiting.Livemode);
            var named = waiting.Account.Length > 0 ? waiting.Account : StripeCalls.OwnAccount;
            if (calls is null || await StripeAccounts.ResolveAsync(calls, named, cancellation).ConfigureAwait(false) is not { } account)
                throw new InvalidOperationException("There is no key for its account, or the account of the key is not known now.");
            foreach (var handler in _handlers.Where(handler => handler.Handles(waiting.Type)))
                await handler.HandleAsync(waiting, account, calls, cancellation).ConfigureAwait(false);
        }
        catch (Exception problem) when (problem.IsOfThePiece(cancellation))
        {
            var said = StripeCalls.Explain(problem);
            if (clock.GetUtcNow() - DateTimeOffset.FromUnixTimeSeconds(waiting.CreatedSeconds) < options.StripeEventPatience)
            {
                LogFailed(logger, waiting.Id, waiting.Type, said);
                return;
            }

            LogGivenUp(logger, waiting.Id, waiting.Type, said);
        }

        await inbox.DoneAsync(waiting, cancellation).ConfigureAwait(false);
    }

    [LoggerMessage(353, LogLevel.Warning, "Events that wait could not be looked for; the next round tries again")]
    private static partial void LogSearchFailed(ILogger logger, Exception problem);

    [LoggerMessage(354, LogLevel.Warning, "Nothing could be done about the event {EventId}, {Type}; the next round tries again: {Problem}")]
    private static partial void LogFailed(ILogger logger, string eventId, string type, string problem);

    [LoggerMessage(355, LogLevel.Error, "Nothing could be done about the event {EventId}, {Type}, for days, and it is given up: {Problem}")]
    private static partial void LogGivenUp(ILogger logger, string eventId, string type, string problem);
}
