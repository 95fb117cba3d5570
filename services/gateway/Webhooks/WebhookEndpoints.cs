using Google.Protobuf;
using StripeMeter.Defaults.Access;
using StripeMeter.Gateway.Access;
using StripeMeter.Gateway.OpenApi;
using StripeMeter.Gateway.Requests;
using StripeMeter.V1;

namespace StripeMeter.Gateway.Webhooks;

/// <summary>An event as Stripe sends it. Only what it is about is read; what that is now is asked of Stripe.</summary>
/// <param name="Id">evt_…</param>
/// <param name="Type">Such as invoice.created.</param>
public sealed record StripeEventBody(string Id, string Type);

/// <summary>What became of an event.</summary>
/// <param name="Received">It was taken, now or before.</param>
/// <param name="Already">It had been taken before.</param>
/// <param name="Ignored">Nothing is done about events of its type.</param>
public sealed record WebhookAnswer(bool Received, bool Already, bool Ignored);

/// <summary>Where Stripe sends its events. They prove themselves by their signature, and need no key of ours.</summary>
internal static class WebhookEndpoints
{
    private const string SignatureHeader = "Stripe-Signature";

    public static void MapWebhooks(this IEndpointRouteBuilder routes) =>
        routes.MapPost("/v1/webhooks/stripe", ReceiveAsync)
            .Describe("Webhooks", "ReceiveStripeEvent", "Takes an event of Stripe, signed in the header `Stripe-Signature`")
            .Allows(AccessKind.Open)
            .WithMetadata(new ProvenBy(AccessTransformer.StripeSignature))
            .Takes<StripeEventBody>()
            .Refuses(StatusCodes.Status422UnprocessableEntity);

    private static async Task<WebhookAnswer> ReceiveAsync(HttpContext context, WebhookService.WebhookServiceClient webhooks, GatewayOptions options)
    {
        using var body = await RequestBody.ReadAsync(context, options.BodyBytes).ConfigureAwait(false);
        var request = new ReceiveStripeEventRequest
        {
            Payload = ByteString.CopyFrom(body.Utf8), Signature = context.Request.Headers[SignatureHeader].ToString(),
        };
        var taken = await webhooks.ReceiveStripeEventAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return new WebhookAnswer(Received: true, taken.Already, taken.Ignored);
    }
}
