using StripeMeter.Metering.Pushing;
using StripeMeter.Pusher.StripeApi;
using StripeMeter.V1;

namespace StripeMeter.Pusher.Webhooks;

/// <summary>Prices that change: pricing reads them again.</summary>
internal sealed class PriceHandler(PricingService.PricingServiceClient pricing, StripeAccounts accounts) : IStripeEventHandler
{
    public bool Handles(string type) => type is "price.created" or "price.updated" or "price.deleted";

    public async Task HandleAsync(StripeEvent about, AccountMode account, StripeCalls calls, CancellationToken cancellation)
    {
        var isOwn = await StripeAccounts.ResolveAsync(accounts.BilledOf(StripeCalls.OwnAccount), StripeCalls.OwnAccount, cancellation).ConfigureAwait(false) == account;
        // Mappings, and so the prices that pricing holds, name the own account by a general name.
        var request = new RefreshPriceRequest { StripeAccount = isOwn ? StripeCalls.OwnAccount : account.Id, PriceId = about.ObjectId };
        await pricing.RefreshPriceAsync(request, cancellationToken: cancellation).ConfigureAwait(false);
    }
}
