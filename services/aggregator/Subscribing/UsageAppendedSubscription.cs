using System.Text.Json.Serialization;
using Dapr;
using Dapr.AspNetCore;
using Google.Protobuf;
using StripeMeter.Aggregator.CounterShards;
using StripeMeter.Defaults.Hosting;
using StripeMeter.Defaults.Telemetry;
using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Tenants;
using StripeMeter.V1;

namespace StripeMeter.Aggregator.Subscribing;

/// <summary>
/// Receives what ingest appended, in bulk, and hands each shard what arrived for it in one call. A message that cannot
/// be read, or a shard that cannot fold now, costs time only: the catch-up walks the log.
/// </summary>
internal static partial class UsageAppendedSubscription
{
    private const string Route = "/subscriptions/usage-appended";
    private const int MaximumWaitMs = 20;

    public static void MapUsageAppended(this WebApplication app) =>
        app.MapPost(Route, HandleAsync)
            .WithTopic(new TopicOptions { PubsubName = DaprNames.PubSub, Name = DaprNames.UsageAppendedTopic })
            .WithMetadata(new BulkSubscribeAttribute(DaprNames.UsageAppendedTopic, BulkDelivery.Messages, MaximumWaitMs));

    private static async Task<BulkSubscribeAppResponse> HandleAsync(
        BulkEnvelope envelope, CounterShardClient shards, ILogger<BulkEnvelope> logger)
    {
        var statuses = new BulkSubscribeAppResponseStatus[envelope.Entries.Count];
        var requests = new Dictionary<ShardId, (FoldRequest Request, List<int> Entries)>();
        for (var index = 0; index < statuses.Length; index++)
        {
            if (!TryRead(envelope.Entries[index], out var shard, out var range))
            {
                LogUnreadable(logger, envelope.Entries[index].EntryId);
                statuses[index] = BulkSubscribeAppResponseStatus.DROP;
                continue;
            }

            if (!requests.TryGetValue(shard, out var request))
                requests.Add(shard, request = (new FoldRequest(), []));
            request.Request.Ranges.Add(range);
            request.Entries.Add(index);
        }

        await Task.WhenAll(requests.Select(async request =>
        {
            var status = await FoldAsync(shards, request.Key, request.Value.Request, logger).ConfigureAwait(false);
            foreach (var index in request.Value.Entries)
                statuses[index] = status;
        })).ConfigureAwait(false);
        return new BulkSubscribeAppResponse([.. envelope.Entries.Zip(
            statuses, (entry, status) => new BulkSubscribeAppResponseEntry(entry.EntryId, status))]);
    }

    private static async Task<BulkSubscribeAppResponseStatus> FoldAsync(
        CounterShardClient shards, ShardId shard, FoldRequest request, ILogger logger)
    {
        var traces = new TraceBatch();
        traces.AddRange(request.Ranges.SelectMany(range => range.TraceParents));
        using var activity = ServiceTracing.Start("aggregator.fold", traces.Take());
        try
        {
            await shards.FoldAsync(shard, request).ConfigureAwait(false);
            return BulkSubscribeAppResponseStatus.SUCCESS;
        }
        catch (Exception problem)
        {
            LogFoldFailed(logger, problem, shard.Shard);
            return BulkSubscribeAppResponseStatus.RETRY;
        }
    }

    private static bool TryRead(BulkEntry entry, out ShardId shard, out UsageAppended range)
    {
        (shard, range) = (default, new UsageAppended());
        try
        {
            range = UsageAppended.Parser.ParseFrom(entry.Event.Data ?? []);
        }
        catch (InvalidProtocolBufferException)
        {
            return false;
        }

        if (!TenantId.IsValid(range.TenantId) || !range.IsRange())
            return false;
        shard = new ShardId(new TenantId(range.TenantId), range.Shard);
        return true;
    }

    [LoggerMessage(201, LogLevel.Warning, "The message {EntryId} cannot be read and is dropped; the catch-up will find its records")]
    private static partial void LogUnreadable(ILogger logger, string entryId);

    [LoggerMessage(202, LogLevel.Warning, "Shard {Shard} could not fold; its messages are sent again")]
    private static partial void LogFoldFailed(ILogger logger, Exception problem, int shard);
}

/// <summary>What a sidecar posts to a bulk subscriber. The SDK's own model has no member for binary data.</summary>
internal sealed record BulkEnvelope([property: JsonPropertyName("entries")] IReadOnlyList<BulkEntry> Entries);

internal sealed record BulkEntry(
    [property: JsonPropertyName("entryId")] string EntryId, [property: JsonPropertyName("event")] BulkEvent Event);

internal sealed record BulkEvent([property: JsonPropertyName("data_base64")] byte[]? Data);
