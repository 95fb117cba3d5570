using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Net.Client;
using StripeMeter.Metering.Events;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;
using StripeMeter.V1;
using Xunit;
using EventSource = StripeMeter.Metering.Events.EventSource;
using UsageEvent = StripeMeter.Metering.Events.UsageEvent;

namespace StripeMeter.EndToEnd.Tests.Killing;

/// <summary>
/// Senders that send batches one after the other, half of them by REST and half by gRPC, and each until it is answered. Some
/// events are sent twice, some without a key, and some under the key of another.
/// </summary>
internal sealed class KillLoad
{
    private const string Tenant = "kill";
    private const int NewEvents = 8;

    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly ApartSystem _system;
    private readonly Task _senders;
    private readonly Instant _start = new Instant(Instant.Of(TimeProvider.System.GetUtcNow()).Ticks).ToMinute();
    private volatile bool _isEnding;
    private int _failures;

    public KillLoad(ApartSystem system, int senders, int seed)
    {
        _system = system;
        _senders = Task.WhenAll(Enumerable.Range(0, senders).Select(number => Task.Run(() => RunAsync(number, new Random(seed + number)))));
    }

    /// <summary>By key, what was said to stand.</summary>
    public ConcurrentDictionary<string, Fingerprint> Acknowledged { get; } = new();

    /// <summary>Every event that was sent, whatever became of it.</summary>
    public ConcurrentDictionary<Fingerprint, bool> Sent { get; } = new();

    /// <summary>Answers that cannot be true.</summary>
    public ConcurrentQueue<string> WrongAnswers { get; } = new();

    /// <summary>Calls that were not answered.</summary>
    public int Failures => _failures;

    /// <summary>Returns when so many events are acknowledged.</summary>
    public async Task UntilAcknowledgedAsync(int events)
    {
        using var timer = new PeriodicTimer(Pause);
        while (Acknowledged.Count < events)
        {
            Assert.False(_senders.IsFaulted, _senders.Exception?.ToString());
            await timer.WaitForNextTickAsync();
        }
    }

    /// <summary>Has every sender end with the batch it is at.</summary>
    public async Task StopAsync()
    {
        _isEnding = true;
        await _senders;
    }

    private async Task RunAsync(int number, Random random)
    {
        using var http = new HttpClient { BaseAddress = _system.Rest, Timeout = CallLimit };
        using var channel = GrpcChannel.ForAddress(_system.Ingest);
        var ingest = new IngestService.IngestServiceClient(channel);
        KeyedEvent[] events = [];
        for (var batch = 0; !_isEnding; batch++)
        {
            events = Draw(number, batch, random, events);
            foreach (var (usage, _) in events)
                Sent.TryAdd(Fingerprint.Of(usage), true);
            await UntilAnsweredAsync(events, () => number % 2 == 0 ? SendAsync(http, events) : SendAsync(ingest, events));
        }
    }

    /// <summary>New events, one of them without a key, and of the batch before one again and one changed.</summary>
    private KeyedEvent[] Draw(int number, int batch, Random random, KeyedEvent[] before)
    {
        var events = Enumerable.Range(0, NewEvents)
            .Select(index => new KeyedEvent(NewEvent(random), index == 0 ? null : FormattableString.Invariant($"s{number}-{batch}-{index}")));
        return before.Length == 0 ? [.. events] : [.. events, before[1], before[2] with { Event = NewEvent(random) }];
    }

    private UsageEvent NewEvent(Random random) => new(
        $"metric_{random.Next(2)}", $"cus_{random.Next(5)}", "", new Quantity(random.NextInt64(1, long.MaxValue)),
        _start - TimeSpan.FromTicks(random.NextInt64(TimeSpan.TicksPerHour)), "", EventSource.Http);

    private async Task UntilAnsweredAsync(KeyedEvent[] events, Func<Task<(string Key, string Status)[]>> send)
    {
        using var timer = new PeriodicTimer(Pause);
        while (true)
        {
            try
            {
                var answers = await send();
                for (var index = 0; index < events.Length; index++)
                    Note(events[index], answers[index].Key, answers[index].Status);
                return;
            }
            catch (Exception failure) when (failure is HttpRequestException or RpcException or OperationCanceledException)
            {
                Interlocked.Increment(ref _failures);
                await timer.WaitForNextTickAsync();
            }
        }
    }

    private void Note(KeyedEvent sent, string key, string status)
    {
        var fingerprint = Fingerprint.Of(sent.Event);
        var isTrue = status switch
        {
            "accepted" or "duplicate" => Acknowledged.GetOrAdd(key, fingerprint) == fingerprint,
            "conflict" => Acknowledged.TryGetValue(key, out var standing) && standing != fingerprint,
            _ => false,
        };
        if (!isTrue)
            WrongAnswers.Enqueue($"{sent} was answered {status} under {key}.");
    }

    private static async Task<(string Key, string Status)[]> SendAsync(HttpClient http, KeyedEvent[] events)
    {
        var body = new
        {
            events = events.Select(sent => new
            {
                tenantId = Tenant, metric = sent.Event.Metric, customerRef = sent.Event.Customer, quantity = sent.Event.Quantity.ToString(),
                ts = sent.Event.Timestamp.ToString(), idempotencyKey = sent.Key,
            }),
        };
        using var response = await http.PostAsJsonAsync(new Uri("/v1/events/ingest", UriKind.Relative), body);
        var answer = await response.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonNode>();
        return [.. answer!["results"]!.AsArray().Select(result => ((string)result!["idempotencyKey"]!, (string)result["status"]!))];
    }

    private static async Task<(string Key, string Status)[]> SendAsync(IngestService.IngestServiceClient ingest, KeyedEvent[] events)
    {
        var request = new IngestEventsRequest();
        request.Events.AddRange(events.Select(sent => new V1.UsageEvent
        {
            TenantId = Tenant, Metric = sent.Event.Metric, CustomerRef = sent.Event.Customer, Quantity = sent.Event.Quantity.ToString(),
            Timestamp = Timestamp.FromDateTimeOffset(sent.Event.Timestamp.ToOffset()), IdempotencyKey = sent.Key ?? "",
        }));
        var answer = await ingest.IngestEventsAsync(request, deadline: TimeProvider.System.GetUtcNow().UtcDateTime + CallLimit);
        return [.. answer.Results.Select(result => (result.IdempotencyKey, result.Status.ToString().ToLowerInvariant()))];
    }
}
