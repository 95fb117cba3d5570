using StripeMeter.StripeDouble.Tests.Kit;

namespace StripeMeter.StripeDouble.Tests;

public sealed class ClockTests
{
    [Fact]
    public async Task Advance_ADay_EndsTheIdentifierWindow_AndOutlivesARestart()
    {
        await using var stripe = await TestDouble.StartAsync();
        var meter = await stripe.CreateMeterAsync();
        var at = stripe.Now;
        await stripe.SendAsync("1", "id", at);
        await stripe.Host.AdvanceAsync(TimeSpan.FromHours(24));
        await stripe.RestartAsync();
        Assert.Equal(at + TimeSpan.FromHours(24), stripe.Host.Now.UtcDateTime);
        await stripe.SendAsync("1", "id", at);
        Assert.Equal(2, await stripe.TotalAsync(meter));
    }

    [Fact]
    public async Task Control_Clock_GoesForwardOnly()
    {
        await using var stripe = await TestDouble.StartAsync();
        var ahead = await PostAsync(stripe, """{"advance_seconds": 90}""");
        Assert.Equal((200, stripe.Now.AddSeconds(90)), (ahead.Status, ((DateTimeOffset)ahead.Json["now"]!).UtcDateTime));
        foreach (var body in new[] { """{"advance_seconds": -1}""", "{}", """{"advance_seconds": "soon"}""" })
            Assert.Equal(400, (await PostAsync(stripe, body)).Status);
    }

    private static Task<RawReply> PostAsync(TestDouble stripe, string body) => stripe.SendRawAsync(
        HttpMethod.Post, "/_double/clock", key: null, change: request => request.Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json"));
}
