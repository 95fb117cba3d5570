using System.Text;
using System.Text.Json.Nodes;
using StripeMeter.StripeDouble.Tests.Kit;

namespace StripeMeter.StripeDouble.Tests.Contract;

/// <summary>Every error of the table, brought about at the running double.</summary>
public sealed class ErrorContractTests
{
    private static readonly ContractTable Table = new();

    public static TheoryData<string> Cases { get; } = [.. Table.Errors.Select(static error => error.Case)];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Error_BroughtAbout_SaysWhatTheTableSays(string name)
    {
        await using var stripe = await PreparedDouble.StartAsync();
        var error = Table.Errors.Single(error => error.Case == name);
        if (error.Faults is { } faults)
            await SetFaultsAsync(stripe, faults);
        if (error.Before is { } before)
            Assert.Equal(200, (await SendAsync(stripe, error, before)).Status);
        await stripe.Double.Host.AdvanceAsync(error.Later);

        var reply = error.During is { } during ? await SendDuringAsync(stripe, error, during) : await SendAsync(stripe, error, error.With);

        Assert.True(error.Status == reply.Status, $"{reply.Status} {reply.Body}");
        Assert.Equal((error.Type, error.Code, error.Parameter), (reply.Type, reply.Code, reply.Parameter));
        Assert.Equal((error.ShouldRetry, error.LimitedReason), (reply.Header("Stripe-Should-Retry"), reply.Header("Stripe-Rate-Limited-Reason")));
        Assert.Contains(error.Says, (string)reply.Error["message"]!, StringComparison.Ordinal);
        Assert.Equal(["error"], reply.Json.Select(static member => member.Key));
        Assert.Equal(error.Members, reply.Error.Select(static member => member.Key).Order(StringComparer.Ordinal));
        Assert.StartsWith("req_", reply.Header("Request-Id"), StringComparison.Ordinal);
    }

    /// <summary>Sends it while another request is in work, which is taken all the same.</summary>
    private static async Task<RawReply> SendDuringAsync(PreparedDouble stripe, ContractError error, JsonObject during)
    {
        using var held = stripe.Double.Faults.HoldEvents();
        var first = SendAsync(stripe, error, during);
        await held.ArrivedAsync().WaitAsync(Patience.Limit);
        var reply = await SendAsync(stripe, error, error.With);
        held.Dispose();
        Assert.Equal(200, (await first).Status);
        return reply;
    }

    private static Task<RawReply> SendAsync(PreparedDouble stripe, ContractError error, JsonObject changes)
    {
        var parameters = Table.Call(error.Call).Example();
        foreach (var (name, value) in changes)
        {
            if (value is null)
                parameters.Remove(name);
            else
                parameters[name] = (string)value!;
        }

        return stripe.SendAsync(Table.Call(error.Call).At(error.Path, error.Id), parameters, error.Key, request =>
        {
            if (error.IdempotencyKey is { } key)
                request.Headers.Add("Idempotency-Key", stripe.Fill(key));
            if (error.Account is { } account)
                request.Headers.Add("Stripe-Account", account);
        });
    }

    private static async Task SetFaultsAsync(PreparedDouble stripe, JsonObject faults)
    {
        var reply = await stripe.Double.SendRawAsync(HttpMethod.Post, "/_double/faults", change: request =>
            request.Content = new StringContent(faults.ToJsonString(), Encoding.UTF8, "application/json"));
        Assert.True(reply.Status == 200, reply.Body);
    }
}
