using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace StripeMeter.LocalDapr.Tests.PubSub;

/// <summary>An event as an app received it.</summary>
public sealed record ReceivedEvent(string EntryId, JsonElement Event, int Request);

/// <summary>Subscribes by hand-written answers, records what arrives and answers as a test says.</summary>
public sealed class Inbox
{
    private readonly Lock _lock = new();
    private readonly List<ReceivedEvent> _received = [];
    private int _requests;

    /// <summary>The status for an event; null leaves it out of the answer.</summary>
    public Func<ReceivedEvent, string?> Answer { get; set; } = static _ => "SUCCESS";

    /// <summary>When set, this is the whole answer.</summary>
    public IResult? Result { get; set; }

    public IReadOnlyList<ReceivedEvent> Received
    {
        get
        {
            lock (_lock)
                return [.. _received];
        }
    }

    /// <summary>The texts that arrived, in order.</summary>
    public IReadOnlyList<string> Texts => [.. Received.Select(static received => TextOf(received.Event))];

    public int Requests => Volatile.Read(ref _requests);

    public static string TextOf(JsonElement cloudEvent) =>
        cloudEvent.TryGetProperty("data_base64", out var bytes) ? System.Text.Encoding.UTF8.GetString(bytes.GetBytesFromBase64())
            : cloudEvent.GetProperty("data").ToString();

    public static void MapSubscribe(WebApplication app, params object[] subscriptions) =>
        app.MapGet("/dapr/subscribe", () => Results.Json(subscriptions));

    public void MapSingle(WebApplication app, string route) => app.MapPost(route, async (HttpRequest request) =>
    {
        using var document = await JsonDocument.ParseAsync(request.Body);
        var received = Add("", document.RootElement, Interlocked.Increment(ref _requests));
        return Result ?? Results.Json(new { status = Answer(received) });
    });

    public void MapBulk(WebApplication app, string route) => app.MapPost(route, async (HttpRequest request) =>
    {
        using var document = await JsonDocument.ParseAsync(request.Body);
        var number = Interlocked.Increment(ref _requests);
        var entries = document.RootElement.GetProperty("entries").EnumerateArray()
            .Select(entry => Add(entry.GetProperty("entryId").GetString()!, entry.GetProperty("event"), number)).ToList();
        return Result ?? Results.Json(new
        {
            statuses = entries.Select(entry => (entry.EntryId, Status: Answer(entry))).Where(static pair => pair.Status is not null)
                .Select(static pair => new { entryId = pair.EntryId, status = pair.Status }),
        });
    });

    private ReceivedEvent Add(string entryId, JsonElement cloudEvent, int request)
    {
        var received = new ReceivedEvent(entryId, cloudEvent.Clone(), request);
        lock (_lock)
            _received.Add(received);
        return received;
    }
}
