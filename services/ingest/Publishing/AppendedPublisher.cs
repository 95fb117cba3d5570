using System.Diagnostics.Metrics;
using System.Threading.Channels;
using Dapr.Client;
using Google.Protobuf;
using StripeMeter.Defaults.Hosting;
using StripeMeter.Defaults.Telemetry;
using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Work;

namespace StripeMeter.Ingest.Publishing;

/// <summary>
/// Tells the aggregator what was appended, by bulk publish. Works behind the answers: what was acknowledged is durable
/// in the log, and a message is a hint that happens to carry the data. While one publish is under way, what comes in
/// gathers into the next.
/// </summary>
public sealed partial class AppendedPublisher : BackgroundService
{
    private readonly Channel<Appended> _pending = Channel.CreateUnbounded<Appended>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Dictionary<ShardId, string> _logIds = [];
    private readonly IMeterStore _store;
    private readonly DaprClient _dapr;
    private readonly PublishingOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger<AppendedPublisher> _logger;
    private readonly Counter<long> _published;
    private readonly Counter<long> _left;
    private int _pendingRecords;

    public AppendedPublisher(
        IMeterStore store, DaprClient dapr, PublishingOptions options, TimeProvider clock,
        IMeterFactory meters, ILogger<AppendedPublisher> logger)
    {
        (_store, _dapr, _options, _clock, _logger) = (store, dapr, options, clock, logger);
        var meter = meters.Create(new MeterOptions(ServiceTelemetry.Prefix + "Publishing"));
        _published = meter.CreateCounter<long>("records_published", description: "Records told to the aggregator.");
        _left = meter.CreateCounter<long>("records_left_to_catch_up", description: "Records not published; the catch-up finds them.");
    }

    /// <summary>Hands over records of one shard. Never waits: if too many are pending, they are left to the catch-up.</summary>
    public void Offer(ShardId shard, IReadOnlyList<Countable> records)
    {
        ArgumentNullException.ThrowIfNull(records);
        if (Interlocked.Add(ref _pendingRecords, records.Count) > _options.PendingRecords)
        {
            Interlocked.Add(ref _pendingRecords, -records.Count);
            _left.Add(records.Count);
            return;
        }

        _pending.Writer.TryWrite(new Appended(shard, records, TraceBatch.Current));
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (await _pending.Reader.WaitToReadAsync(stoppingToken).ConfigureAwait(false))
        {
            var (shards, records, traces) = Gather();
            try
            {
                await PublishAsync(shards, traces, stoppingToken).ConfigureAwait(false);
                _published.Add(records);
                await Task.Delay(TimeSpan.FromMilliseconds(_options.PauseMs), _clock, stoppingToken).ConfigureAwait(false);
            }
            catch (Exception problem) when (problem.IsOfThePiece(stoppingToken))
            {
                LogPublishFailed(_logger, problem, records);
                _left.Add(records);
                await Task.Delay(_options.FailurePause, _clock, stoppingToken).ConfigureAwait(false);
            }
            finally
            {
                Interlocked.Add(ref _pendingRecords, -records);
            }
        }
    }

    /// <summary>Takes what is pending, up to the limit of one publish.</summary>
    private (Dictionary<ShardId, List<Countable>> Shards, int Records, IReadOnlyList<string> Traces) Gather()
    {
        var traces = new TraceBatch();
        var shards = new Dictionary<ShardId, List<Countable>>();
        var count = 0;
        while (count < _options.PublishRecords && _pending.Reader.TryRead(out var appended))
        {
            if (!shards.TryGetValue(appended.Shard, out var records))
                shards.Add(appended.Shard, records = []);
            records.AddRange(appended.Records);
            traces.Add(appended.TraceParent);
            count += appended.Records.Count;
        }

        return (shards, count, traces.Take());
    }

    private async Task PublishAsync(
        Dictionary<ShardId, List<Countable>> shards, IReadOnlyList<string> traces, CancellationToken cancellation)
    {
        using var activity = ServiceTracing.Start("ingest.publish", traces);
        var messages = new List<byte[]>();
        foreach (var (shard, records) in shards)
        {
            var logId = await LogIdAsync(shard, cancellation).ConfigureAwait(false);
            records.Sort((left, right) => left.Position.CompareTo(right.Position));
            foreach (var range in Ranges(records, logId))
            {
                var message = range.ToWire(shard);
                message.TraceParents.AddRange(traces);
                AddMessages(messages, message);
            }
        }

        var response = await _dapr.BulkPublishEventAsync(
            DaprNames.PubSub, DaprNames.UsageAppendedTopic, messages, cancellationToken: cancellation).ConfigureAwait(false);
        if (response.FailedEntries.Count > 0)
            LogEntriesFailed(_logger, response.FailedEntries.Count, response.FailedEntries[0].ErrorMessage);
    }

    /// <summary>Cuts records in order of position into ranges without gaps.</summary>
    private IEnumerable<RecordRange> Ranges(List<Countable> records, string logId)
    {
        var start = 0;
        for (var index = 1; index <= records.Count; index++)
        {
            if (index < records.Count && index - start < _options.MessageRecords
                && records[index].Position == records[index - 1].Position + 1)
            {
                continue;
            }

            yield return new RecordRange(logId, records.GetRange(start, index - start));
            start = index;
        }
    }

    /// <summary>Adds a message, halved until its parts are small enough.</summary>
    private void AddMessages(List<byte[]> messages, V1.UsageAppended message)
    {
        if (message.CalculateSize() <= _options.MessageBytes || message.Records.Count == 1)
        {
            messages.Add(message.ToByteArray());
            return;
        }

        var half = message.Records.Count / 2;
        var second = message.Clone();
        second.Records.Clear();
        second.Records.AddRange(message.Records.Skip(half));
        second.FirstPosition += half;
        while (message.Records.Count > half)
            message.Records.RemoveAt(message.Records.Count - 1);
        AddMessages(messages, message);
        AddMessages(messages, second);
    }

    private async Task<string> LogIdAsync(ShardId shard, CancellationToken cancellation)
    {
        if (_logIds.TryGetValue(shard, out var known))
            return known;
        var head = await _store.Of(shard.Tenant).Ledger.HeadAsync(shard.Shard, cancellation).ConfigureAwait(false);
        if (_logIds.Count >= _options.HeldLogIds)
            _logIds.Clear();
        _logIds.Add(shard, head.LogId);
        return head.LogId;
    }

    private readonly record struct Appended(ShardId Shard, IReadOnlyList<Countable> Records, string? TraceParent);

    [LoggerMessage(101, LogLevel.Warning, "{Records} records could not be published; the catch-up will find them")]
    private static partial void LogPublishFailed(ILogger logger, Exception problem, int records);

    [LoggerMessage(102, LogLevel.Warning, "{Entries} messages were not taken: {Reason}; the catch-up will find their records")]
    private static partial void LogEntriesFailed(ILogger logger, int entries, string reason);
}
