using StripeMeter.StripeDouble.Tests.Kit;

namespace StripeMeter.StripeDouble.Tests.Contract;

/// <summary>What the double does with requests of the table that are whole, that have too much, lack something, or break a rule.</summary>
public sealed class RequestContractTests
{
    private static readonly ContractTable Table = new();

    public static TheoryData<string> Calls { get; } = [.. Table.Calls.Select(static call => call.Name)];

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task Request_Complete_IsTaken_AndAnsweredAsTheTableSays(string name)
    {
        await using var stripe = await PreparedDouble.StartAsync();
        var call = Table.Call(name);
        var reply = await stripe.SendAsync(call, call.Example());
        Assert.True(reply.Status == 200, reply.Body);
        Assert.StartsWith("req_", reply.Header("Request-Id"), StringComparison.Ordinal);
        var taken = stripe.Double.Host.Requests[^1];
        Assert.Empty(Table.Faults(taken.Method, taken.Path, taken.Parameters));
        Assert.Empty(Table.Faults(taken.Method, taken.Path, reply.Json));
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task Request_UnknownParameter_IsRefused(string name)
    {
        await using var stripe = await PreparedDouble.StartAsync();
        var call = Table.Call(name);
        foreach (var unknown in new[] { "colour", "colour[a][b]" })
        {
            var reply = await stripe.SendAsync(call, call.Example().Append(new(unknown, "red")));
            AssertRefused(call, reply, "parameter_unknown");
            Assert.Equal(call.IsV2 ? null : "colour", reply.Parameter);
        }
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task Request_RequiredParameterMissing_IsRefused(string name)
    {
        await using var stripe = await PreparedDouble.StartAsync();
        var call = Table.Call(name);
        foreach (var rule in call.Rules.Where(static rule => rule.IsRequired || rule.IsRequiredWithin))
        {
            var names = rule.Examples.Select(static example => example.Key).ToList();
            foreach (var removed in names.Select(static name => new List<string> { name }).Append(names))
            {
                var rest = call.Example().Where(parameter => !removed.Contains(parameter.Key)).ToList();
                // A map may lack one of its keys.
                if (!call.Faults(stripe.Fill(rest)).Any())
                    continue;
                var reply = await stripe.SendAsync(call, rest);
                AssertRefused(call, reply, "parameter_missing");
                Assert.StartsWith(reply.Parameter ?? "", removed[0], StringComparison.Ordinal);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task Request_ValueThatBreaksARule_IsRefused(string name)
    {
        await using var stripe = await PreparedDouble.StartAsync();
        var call = Table.Call(name);
        foreach (var (rule, value) in call.Rules.SelectMany(static rule => rule.Broken, static (rule, value) => (rule, value)))
        {
            var broken = call.Example();
            var parameter = rule.Examples.Select(static example => example.Key).FirstOrDefault(rule.Name);
            broken[parameter] = value;
            Assert.NotEmpty(call.Faults(stripe.Fill(broken)));
            var reply = await stripe.SendAsync(call, broken);
            Assert.True(reply.Status == 400, $"{parameter}={value}: {reply.Body}");
            Assert.Equal(call.IsV2 ? null : parameter, reply.Parameter);
        }
    }

    [Fact]
    public async Task Request_MoreElementsThanTheTableSays_IsRefused()
    {
        await using var stripe = await PreparedDouble.StartAsync();
        foreach (var (call, most) in Table.Calls.SelectMany(static call => call.Rules, static (call, rule) => (call, rule.Most)).Where(static pair => pair.Most is not null))
        {
            var first = call.Example().Where(static parameter => parameter.Key.Contains("[0]", StringComparison.Ordinal)).ToList();
            var full = Enumerable.Range(0, most!.Value).SelectMany(index => first.Select(parameter => At(parameter, index))).ToList();
            Assert.Empty(call.Faults(stripe.Fill(full)));
            Assert.Equal(200, (await stripe.SendAsync(call, full)).Status);
            full.AddRange(first.Select(parameter => At(parameter, most.Value)));
            Assert.NotEmpty(call.Faults(stripe.Fill(full)));
            Assert.Equal(400, (await stripe.SendAsync(call, full)).Status);
        }
    }

    private static KeyValuePair<string, string> At(KeyValuePair<string, string> parameter, int index) =>
        new(parameter.Key.Replace("[0]", $"[{index}]", StringComparison.Ordinal), parameter.Value);

    /// <summary>In v2 errors name neither a type nor a parameter.</summary>
    private static void AssertRefused(ContractCall call, RawReply reply, string code) => Assert.Equal(
        call.IsV2 ? (400, "invalid_fields", null) : (400, code, (string?)"invalid_request_error"), (reply.Status, reply.Code, reply.Type));
}
