using System.Text;
using StripeMeter.Defaults.Errors;
using StripeMeter.Gateway.Tests.Kit;
using StripeMeter.V1;
using Xunit;

namespace StripeMeter.Gateway.Tests.Webhooks;

public sealed class WebhookRouteTests : IClassFixture<RunningGateway>
{
    private const string Path = "/v1/webhooks/stripe";
    private readonly RunningGateway _gateway;
    private ReceiveStripeEventRequest _received = new();

    public WebhookRouteTests(RunningGateway gateway)
    {
        _gateway = gateway;
        _gateway.Backend.Reset();
        _gateway.Backend.StripeEvent = request =>
        {
            _received = request;
            return new ReceiveStripeEventResponse { EventId = "evt_1", Type = "invoice.created", Already = true };
        };
    }

    [Fact]
    public async Task Event_IsPassedOnByteForByteWithItsSignature()
    {
        var body = Encoding.UTF8.GetBytes("{ \"id\" : \"evt_1\",\r\n\t\"type\":\"invoice.created\", \"text\":\"ü\\u00fc\" }\n");

        var answer = await _gateway.SendAsync(
            HttpMethod.Post, Path, body, "application/json; charset=utf-8", ("Stripe-Signature", "t=1,v1=ab,v0=cd"));

        Assert.Equal("""{"received":true,"already":true,"ignored":false}""", answer.Text);
        Assert.Equal(body, _received.Payload.ToByteArray());
        Assert.Equal("t=1,v1=ab,v0=cd", _received.Signature);
    }

    [Fact]
    public async Task Event_WithAWrongSignature_IsAnsweredWithWhatIsWrong()
    {
        _gateway.Backend.StripeEvent = _ => throw RpcErrors.Invalid("Stripe-Signature", "is not one that Stripe made");

        var problem = (await _gateway.PostAsync(Path, "{}")).Problem(400);

        Assert.Contains("signature", problem.GetProperty("errors")[0].GetProperty("field").GetString(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Event_WhileThePusherCannotKeepIt_IsToBeSentAgain()
    {
        _gateway.Backend.StripeEvent = _ => throw RpcErrors.Unavailable("not now", TimeSpan.FromSeconds(1));

        (await _gateway.PostAsync(Path, "{}")).Problem(503);
    }
}
