using System.Net;
using Stripe;

namespace StripeMeter.StripeDouble.Tests.Kit;

internal static class Refused
{
    /// <summary>The error with which a call is refused.</summary>
    public static async Task<StripeException> AsAsync(HttpStatusCode status, Func<Task> call)
    {
        var refusal = await Assert.ThrowsAsync<StripeException>(call);
        Assert.Equal(status, refusal.HttpStatusCode);
        return refusal;
    }
}
