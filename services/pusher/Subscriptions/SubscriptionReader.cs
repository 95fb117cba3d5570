using System.Net;
using Stripe;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Time;
using StripeMeter.Metering.Work;
using StripeMeter.Pusher.Raising;
using StripeMeter.Pusher.StripeApi;
using StripeMeter.Pusher.Waking;

namespace StripeMeter.Pusher.Subscriptions;

/// <summary>
/// Reads all subscriptions of the mapped accounts when it starts, when a mapping was made or changed, and now and then, where
/// that is wished for: those that were there before their mapping are followed too, and those of which no notice came.
/// </summary>
internal sealed partial class SubscriptionReader(
    IMeterStore store, StripeAccounts accounts, PusherOptions options, SubscriptionFollower follower, TimeProvider clock,
    ILogger<SubscriptionReader> logger) : BackgroundService
{
    private const int PageSubscriptions = 100;

    /// <summary>After which what could not be read is read again.</summary>
    private static readonly TimeSpan Again = TimeSpan.FromMinutes(1);

    private readonly WakeSignal _signal = new(clock);

    public void Wake() => _signal.Wake();

    public override void Dispose()
    {
        base.Dispose();
        _signal.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (options.SubscriptionsInterval > TimeSpan.Zero && !stoppingToken.IsCancellationRequested)
        {
            var isWhole = false;
            try
            {
                isWhole = await ReadAllAsync(stoppingToken).ConfigureAwait(false);
            }
            catch (Exception problem) when (problem.IsOfThePiece(stoppingToken))
            {
                LogFailed(logger, StripeCalls.Explain(problem));
            }

            await _signal.WaitAsync(options.WakeDelay, isWhole ? options.SubscriptionsInterval : Again, stoppingToken).ConfigureAwait(false);
        }
    }

    /// <summary>False if some could not be followed.</summary>
    private async Task<bool> ReadAllAsync(CancellationToken cancellation)
    {
        var named = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var (_, mapping) in TenantMappings.OfAllAsync(store, options, cancellation).ConfigureAwait(false))
            named.Add(mapping.StripeAccount);
        var (read, isWhole) = (new HashSet<AccountMode>(), true);
        foreach (var name in named)
        {
            var calls = accounts.BilledOf(name);
            if (await StripeAccounts.ResolveAsync(calls, name, cancellation).ConfigureAwait(false) is not { } account)
                isWhole = false;
            else if (read.Add(account))
                isWhole &= await TryReadAsync(account, calls!, cancellation).ConfigureAwait(false);
        }

        return isWhole;
    }

    /// <summary>One account that fails does not stop the others. A key that may not read them will not in a minute either.</summary>
    private async Task<bool> TryReadAsync(AccountMode account, StripeCalls calls, CancellationToken cancellation)
    {
        try
        {
            return await ReadAsync(account, calls, cancellation).ConfigureAwait(false);
        }
        catch (Exception problem) when (problem.IsOfThePiece(cancellation))
        {
            LogAccountFailed(logger, account.Id, StripeCalls.Explain(problem));
            return StripeCalls.Is(problem, HttpStatusCode.Unauthorized, HttpStatusCode.Forbidden);
        }
    }

    private async Task<bool> ReadAsync(AccountMode account, StripeCalls calls, CancellationToken cancellation)
    {
        var customers = await BilledCustomers.LoadAsync(store, accounts, options, account, cancellation).ConfigureAwait(false);
        var listed = calls.Client.V1.Subscriptions.ListAutoPagingAsync(
            new SubscriptionListOptions { Limit = PageSubscriptions }, calls.RequestFor(account.Id), cancellation);
        var (settled, elsewhere) = (new HashSet<BilledCustomer>(), new Dictionary<BilledCustomer, string>());
        var (count, others) = (0, 0);
        await foreach (var one in listed.ConfigureAwait(false))
        {
            count++;
            if (FollowedSubscription.Of(one, account) is not { } subscription)
                continue;
            await follower.EnterBeginningsAsync(subscription, customers, BeganWithinPeriod, cancellation).ConfigureAwait(false);
            if (subscription.OtherInterval is not null)
            {
                others++;
                continue;
            }

            foreach (var customer in customers.Of(subscription))
            {
                if (await follower.IsThereAsync(subscription, customer, cancellation).ConfigureAwait(false))
                    settled.Add(customer);
                else
                    elsewhere.TryAdd(customer, subscription.Id);
            }
        }

        // Who has several subscriptions stays with the one it is at; the newest stands first.
        var moving = elsewhere.Where(entry => !settled.Contains(entry.Key)).ToList();
        LogRead(logger, count, account.Id, moving.Count, others);
        return await MoveAsync(moving, account, calls, cancellation).ConfigureAwait(false);
    }

    /// <summary>Asks for each subscription again, since a notice may have been faster than the list. One failure does not stop the others.</summary>
    private async Task<bool> MoveAsync(
        IReadOnlyList<KeyValuePair<BilledCustomer, string>> moving, AccountMode account, StripeCalls calls, CancellationToken cancellation)
    {
        var isWhole = true;
        foreach (var (customer, id) in moving)
        {
            try
            {
                var now = await calls.Client.V1.Subscriptions.GetAsync(id, null, calls.RequestFor(account.Id), cancellation).ConfigureAwait(false);
                if (FollowedSubscription.Of(now, account) is { OtherInterval: null } subscription)
                    await follower.MoveAsync(subscription, customer, $"{id}/{clock.GetUtcNow().ToUnixTimeMilliseconds()}", cancellation).ConfigureAwait(false);
            }
            catch (Exception problem) when (problem.IsOfThePiece(cancellation))
            {
                LogNotFollowed(logger, id, StripeCalls.Explain(problem));
                isWhole = false;
            }
        }

        return isWhole;
    }

    /// <summary>What began before the period that runs cannot make a stamp in it too early.</summary>
    private static Instant? BeganWithinPeriod(SubscriptionItem item) =>
        FollowedSubscription.BeganOf(item) is var began && began >= Instant.Of(item.CurrentPeriodStart) ? began : null;

    [LoggerMessage(359, LogLevel.Information, "{Count} subscriptions of {Account} were read: {Moving} customers' periods begin elsewhere than here, {Others} subscriptions are not billed by the month")]
    private static partial void LogRead(ILogger logger, int count, string account, int moving, int others);

    [LoggerMessage(362, LogLevel.Warning, "The subscriptions of {Account} could not be read, so those that no webhook told of are not followed: {Problem}")]
    private static partial void LogAccountFailed(ILogger logger, string account, string problem);

    [LoggerMessage(360, LogLevel.Warning, "The accounts whose subscriptions are followed could not be found, and are looked for again in a minute: {Problem}")]
    private static partial void LogFailed(ILogger logger, string problem);

    [LoggerMessage(361, LogLevel.Warning, "The subscription {Subscription} could not be followed, and is read again in a minute: {Problem}")]
    private static partial void LogNotFollowed(ILogger logger, string subscription, string problem);
}
