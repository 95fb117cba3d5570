using Microsoft.Extensions.DependencyInjection;
using StripeMeter.Gateway.Errors;
using StripeMeter.Gateway.Events;
using StripeMeter.Gateway.Tests.Kit;
using StripeMeter.V1;
using Xunit;

namespace StripeMeter.Gateway.Tests.Events;

public sealed class IngestDispatcherTests : IAsyncLifetime
{
    private readonly RunningGateway _gateway = new();
    private readonly TaskCompletionSource _hold = new();
    private readonly List<int> _batches = [];

    public async ValueTask InitializeAsync()
    {
        _gateway.Settings["GATEWAY_PENDING_EVENTS"] = "1000";
        _gateway.Settings["GATEWAY_INGEST_CALLS"] = "1";
        _gateway.Settings["GATEWAY_CALL_TIMEOUT_SECONDS"] = "2";
        await _gateway.InitializeAsync();
        _gateway.Backend.Hold = _hold.Task;
        _gateway.Backend.Ingest = request =>
        {
            lock (_batches)
                _batches.Add(request.Events.Count);
            return IngestRules.Answer(request);
        };
    }

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Fact]
    public async Task Ingest_MoreThanMayWait_IsRefusedAndTheOthersAreStored()
    {
        var waiting = Dispatcher.IngestAsync(Events(600));

        var refusal = await Assert.ThrowsAsync<ProblemException>(() => Dispatcher.IngestAsync(Events(401)));
        _hold.SetResult();
        await waiting;

        Assert.Equal(503, refusal.Problem.Status);
        Assert.NotNull(refusal.Problem.RetryAfter);
        Assert.Equal([600], _batches);
        Assert.Equal(1_000, (await Dispatcher.IngestAsync(Events(1_000))).Count);
    }

    [Fact]
    public async Task Ingest_WhileACallIsUnderWay_OthersShareTheNext()
    {
        var waiting = Enumerable.Range(0, 50).Select(number => Dispatcher.IngestAsync(Events(10, $"request {number}:"))).ToArray();
        _hold.SetResult();

        var results = await Task.WhenAll(waiting);

        Assert.Equal(500, _batches.Sum());
        Assert.InRange(_batches.Count, 1, 2);
        for (var number = 0; number < results.Length; number++)
            Assert.Equal(Enumerable.Range(0, 10).Select(index => $"request {number}:{index}"), results[number].Select(result => result.IdempotencyKey));
    }

    [Fact]
    public async Task Ingest_ThatDoesNotAnswer_Is503InTime()
    {
        var answer = await _gateway.PostAsync(
            "/v1/events/ingest", """{"events":[{"tenantId":"a","metric":"m","customerRef":"c","quantity":1,"ts":"2026-01-01T00:00:00Z"}]}""")
            .WaitAsync(TimeSpan.FromSeconds(30));

        answer.Problem(503);
        Assert.NotEmpty(answer.Headers["Retry-After"]);
        _hold.SetResult();
    }

    private IngestDispatcher Dispatcher => _gateway.App.Services.GetRequiredService<IngestDispatcher>();

    private static UsageEvent[] Events(int count, string keyPrefix = "k") => [.. Enumerable.Range(0, count).Select(index => new UsageEvent
    {
        TenantId = "acme",
        Metric = "m",
        CustomerRef = "c",
        Quantity = "1",
        Timestamp = new() { Seconds = 1767225600 },
        IdempotencyKey = $"{keyPrefix}{index}",
    })];
}
