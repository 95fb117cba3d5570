using System.Text;
using Grpc.Core;
using Stripe;
using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Billing;
using StripeMeter.Defaults.Errors;
using StripeMeter.Pusher.Telemetry;
using StripeMeter.V1;

namespace StripeMeter.Pusher.Webhooks;

/// <summary>The gRPC face of Stripe's webhooks: checks who speaks, keeps what is said, and answers.</summary>
internal sealed partial class WebhookServiceEndpoint(
    StripeOptions stripe, WebhookInbox inbox, WebhookWorker worker, PusherOptions options, PusherInstruments instruments, TimeProvider clock,
    ILogger<WebhookServiceEndpoint> logger) : WebhookService.WebhookServiceBase
{
    // As Stripe advises: a delivery that was listened to is of no use later.
    private const long ToleranceSeconds = 300;
    private const int IdLength = 255;

    [Access(AccessKind.Open)]
    public override async Task<ReceiveStripeEventResponse> ReceiveStripeEvent(ReceiveStripeEventRequest request, ServerCallContext context)
    {
        try
        {
            var response = await ReceiveAsync(request, context.CancellationToken).ConfigureAwait(false);
            instruments.WebhookReceived(response.Ignored ? "ignored" : response.Already ? "already" : "taken");
            return response;
        }
        catch (RpcException refusal) when (refusal.StatusCode is StatusCode.InvalidArgument or StatusCode.FailedPrecondition)
        {
            instruments.WebhookReceived("refused");
            throw;
        }
    }

    private async Task<ReceiveStripeEventResponse> ReceiveAsync(ReceiveStripeEventRequest request, CancellationToken cancellation)
    {
        if (stripe.WebhookSecrets.Count == 0)
            throw RpcErrors.FailedPrecondition("NO_WEBHOOK_SECRET", "No signing secret is configured, so no event can be believed: set STRIPE_WEBHOOK_SECRET.");
        if (request.Payload.IsEmpty || request.Payload.Length > options.StripeEventBytes)
            throw RpcErrors.Invalid("payload", $"must have 1 to {options.StripeEventBytes} bytes");
        var signer = SignerOf(request);
        if (StripeEvent.Read(request.Payload.Memory, signer.Account) is not { Id.Length: <= IdLength, Type.Length: <= IdLength } taken)
            throw RpcErrors.Invalid("payload", "is not an event of Stripe");
        var response = new ReceiveStripeEventResponse { EventId = taken.Id, Type = taken.Type };
        if (!worker.Handles(taken.Type))
        {
            response.Ignored = true;
            return response;
        }

        response.Already = !await inbox.TakeAsync(taken, cancellation).ConfigureAwait(false);
        if (!response.Already)
            LogTaken(logger, taken.Id, taken.Type);
        worker.Wake();
        return response;
    }

    /// <summary>The secret by which the payload is signed, over the bytes as they came.</summary>
    private WebhookSecret SignerOf(ReceiveStripeEventRequest request)
    {
        var payload = Encoding.UTF8.GetString(request.Payload.Span);
        StripeException? refusal = null;
        foreach (var secret in stripe.WebhookSecrets)
        {
            try
            {
                EventUtility.ValidateSignature(payload, request.Signature, secret.Reveal(), ToleranceSeconds, clock.GetUtcNow().ToUnixTimeSeconds());
                return secret;
            }
            catch (StripeException problem)
            {
                refusal = problem;
            }
        }

        LogRefused(logger, refusal!.Message);
        throw RpcErrors.Invalid("Stripe-Signature", "is not one that Stripe made for this body with a configured secret in the last five minutes");
    }

    [LoggerMessage(351, LogLevel.Debug, "Took the event {EventId}, {Type}")]
    private static partial void LogTaken(ILogger logger, string eventId, string type);

    [LoggerMessage(352, LogLevel.Warning, "A webhook request was refused: {Problem}")]
    private static partial void LogRefused(ILogger logger, string problem);
}
