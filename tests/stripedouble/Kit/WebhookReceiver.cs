using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Stripe;

namespace StripeMeter.StripeDouble.Tests.Kit;

/// <summary>Whoever listens to a double: keeps what is delivered, and answers as it is told.</summary>
internal sealed class WebhookReceiver : IAsyncDisposable
{
    public const string Secret = "whsec_tests";

    /// <summary>Signatures bear the machine's time, and tests may stand anywhere.</summary>
    private const long AnyAgeSeconds = 100L * 365 * 86_400;

    private readonly WebApplication _application;
    private readonly ConcurrentQueue<(string Body, string Signature)> _deliveries = [];

    private WebhookReceiver(WebApplication application) => _application = application;

    public int Status { get; set; } = 200;

    public Uri Url { get; private set; } = null!;

    /// <summary>Bodies and signatures as they came.</summary>
    public IReadOnlyList<(string Body, string Signature)> Deliveries => [.. _deliveries];

    public IReadOnlyList<Event> Snapshots => [.. _deliveries.Where(static one => !IsThin(one.Body))
        .Select(static one => EventUtility.ConstructEvent(one.Body, one.Signature, Secret, AnyAgeSeconds))];

    public IReadOnlyList<string> Types => [.. Snapshots.Select(static one => one.Type)];

    public IReadOnlyList<T> Thin<T>(StripeClient client) where T : Stripe.V2.Core.EventNotification =>
        [.. _deliveries.Where(static one => IsThin(one.Body)).Select(one => client.ParseEventNotification(one.Body, one.Signature, Secret, AnyAgeSeconds)).OfType<T>()];

    public static async Task<WebhookReceiver> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        var receiver = new WebhookReceiver(builder.Build());
        receiver._application.Run(receiver.TakeAsync);
        await receiver._application.StartAsync();
        var addresses = receiver._application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!;
        receiver.Url = new Uri(addresses.Addresses.Single() + "/hook");
        return receiver;
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    private static bool IsThin(string body) => body.Contains("\"v2.core.event\"", StringComparison.Ordinal);

    private async Task TakeAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        var body = await reader.ReadToEndAsync();
        if (Status == 200)
            _deliveries.Enqueue((body, context.Request.Headers["Stripe-Signature"].ToString()));
        context.Response.StatusCode = Status;
    }
}
