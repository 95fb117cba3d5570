using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace StripeMeter.Gateway.Tests.Kit;

/// <summary>Answers Stripe's <c>GET /v1/prices/{id}</c> with texts that a test sets, failures included, and counts the questions.</summary>
public sealed class PriceList : IAsyncDisposable
{
    private readonly WebApplication _app;

    private PriceList(WebApplication app) => _app = app;

    /// <summary>Price objects by account (empty: the key's own) and id.</summary>
    public Dictionary<(string Account, string Id), string> Prices { get; } = [];

    /// <summary>When set, every question is answered with this status.</summary>
    public int? FailWith { get; set; }

    public int Asked { get; private set; }

    public string Address => _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    public static async Task<PriceList> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var list = new PriceList(builder.Build());
        list._app.MapGet("/v1/prices/{id}", list.Answer);
        await list._app.StartAsync();
        return list;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private IResult Answer(HttpContext context, string id)
    {
        Asked++;
        if (FailWith is { } status)
            return Results.Text("""{"error":{"type":"api_error","message":"down"}}""", "application/json", statusCode: status);
        return Prices.TryGetValue((context.Request.Headers["Stripe-Account"].ToString(), id), out var price)
            ? Results.Text(price, "application/json")
            : Results.Text(
                """{"error":{"type":"invalid_request_error","code":"resource_missing","message":"No such price"}}""",
                "application/json", statusCode: StatusCodes.Status404NotFound);
    }
}
