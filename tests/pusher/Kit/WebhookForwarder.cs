using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using StripeMeter.V1;

namespace StripeMeter.Pusher.Tests.Kit;

/// <summary>Stands where the gateway is: hands what the double delivers to a pusher, word by word.</summary>
internal sealed class WebhookForwarder : IAsyncDisposable
{
    public const string Secret = "whsec_forwarded";

    private readonly WebApplication _app;

    private WebhookForwarder(WebApplication app) => _app = app;

    /// <summary>Listens to the double of a subject from now on.</summary>
    public static async Task<WebhookForwarder> StartAsync(PusherUnderTest subject)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.Run(async context =>
        {
            var request = new ReceiveStripeEventRequest
            {
                Payload = await ByteString.FromStreamAsync(context.Request.Body, context.RequestAborted),
                Signature = context.Request.Headers["Stripe-Signature"].ToString(),
            };
            try
            {
                await subject.Webhooks.ReceiveStripeEventAsync(request);
            }
            catch (RpcException)
            {
                context.Response.StatusCode = StatusCodes.Status400BadRequest;
            }
        });
        await app.StartAsync();
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        await subject.Double.ListenAsync(new Uri(address), Secret);
        return new WebhookForwarder(app);
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();
}
