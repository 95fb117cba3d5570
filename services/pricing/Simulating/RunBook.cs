using System.Buffers.Binary;
using Grpc.Core;
using StripeMeter.Defaults.Errors;
using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Pricing;
using StripeMeter.Metering.Pricing.Scenarios;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Time;
using StripeMeter.V1;

namespace StripeMeter.Pricing.Simulating;

/// <summary>
/// The runs of one tenant. Before a run is kept, its name is written down as work to do, and crossed out when the run is at
/// its end; so what crashes between is done again. Doing it twice comes to the same: the first who writes the end wins.
/// </summary>
internal sealed class RunBook(ITenantStore tenant, SimulationOptions options, TimeProvider clock)
{
    /// <summary>After this time work without a run is what a crash left before the run was kept.</summary>
    private static readonly TimeSpan Orphaned = TimeSpan.FromMinutes(5);

    private readonly IDocuments _documents = tenant.Documents;

    public async Task<SimulationRun> StartAsync(SimulationRun draft, CancellationToken cancellation)
    {
        await KeepAsync([draft], cancellation).ConfigureAwait(false);
        return draft;
    }

    /// <summary>Starts runs together. Nobody has the name of the batch before it and all of its runs are kept.</summary>
    public async Task<SimulationBatch> StartBatchAsync(SimulationBatch draft, IReadOnlyList<SimulationRun> runs, CancellationToken cancellation)
    {
        await KeepAsync(runs, cancellation).ConfigureAwait(false);
        (draft.Id, draft.TenantId, draft.CreateTime) = (Guid.CreateVersion7(clock.GetUtcNow()).ToString(), tenant.Tenant.Value, runs[0].CreateTime);
        draft.RunIds.AddRange(runs.Select(run => run.Id));
        await _documents.WriteAsync(DocumentKind.SimulationBatch, [KeptMessages.Write(draft.Id, draft, 0)], cancellation).ConfigureAwait(false);
        await _documents.TrimAsync(DocumentKind.SimulationBatch, options.RunsKept, cancellation).ConfigureAwait(false);
        return draft;
    }

    /// <summary>A batch, and those of its runs that are still kept.</summary>
    /// <exception cref="RpcException">NOT_FOUND.</exception>
    public async Task<(SimulationBatch Batch, IReadOnlyList<SimulationRun> Runs)> GetBatchAsync(string id, CancellationToken cancellation)
    {
        if (await _documents.GetAsync(DocumentKind.SimulationBatch, SimulationFields.Id(id), cancellation).ConfigureAwait(false) is not { } stored)
            throw RpcErrors.NotFound($"The batch '{id}'");
        var batch = KeptMessages.Read<SimulationBatch>(stored);
        var runs = new List<SimulationRun>();
        foreach (var run in batch.RunIds)
        {
            if (await _documents.GetAsync(DocumentKind.SimulationRun, run, cancellation).ConfigureAwait(false) is { } kept)
                runs.Add(KeptMessages.Read<SimulationRun>(kept));
        }

        return (batch, runs);
    }

    private async Task KeepAsync(IReadOnlyList<SimulationRun> drafts, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        foreach (var draft in drafts)
        {
            draft.Id = Guid.CreateVersion7(now).ToString();
            (draft.TenantId, draft.Status, draft.CreateTime) = (tenant.Tenant.Value, RunStatus.Pending, Instant.Of(now).ToTimestamp());
        }

        await _documents.WriteAsync(DocumentKind.SimulationWork, [.. drafts.Select(draft => new StoredDocument(draft.Id, "{}", 0))], cancellation).ConfigureAwait(false);
        await _documents.WriteAsync(DocumentKind.SimulationRun, [.. drafts.Select(draft => KeptMessages.Write(draft.Id, draft, 0))], cancellation).ConfigureAwait(false);
        await _documents.TrimAsync(DocumentKind.SimulationRun, options.RunsKept, cancellation).ConfigureAwait(false);
    }

    /// <exception cref="RpcException">NOT_FOUND.</exception>
    public async Task<SimulationRun> GetAsync(string id, CancellationToken cancellation) =>
        await _documents.GetAsync(DocumentKind.SimulationRun, SimulationFields.Id(id), cancellation).ConfigureAwait(false) is { } stored
            ? KeptMessages.Read<SimulationRun>(stored)
            : throw RpcErrors.NotFound($"The run '{id}'");

    /// <summary>Runs, newest first, and how many match.</summary>
    public async Task<CountedPage<SimulationRun>> ListAsync(ListRunsRequest request, CancellationToken cancellation)
    {
        var (size, offset) = SimulationFields.Page(request.PageSize, request.Offset);
        var after = SimulationFields.Cursor<string>(request.PageToken);
        var page = new CountedPage<SimulationRun>(offset, size);
        var query = new DocumentQuery(DocumentKind.SimulationRun) { Descending = true, Limit = options.Page };
        await foreach (var run in KeptMessages.ReadAllAsync<SimulationRun>(_documents, query, cancellation).ConfigureAwait(false))
        {
            if (Matches(request, run))
                page.Add(run, after is null || string.CompareOrdinal(run.Id, after) < 0);
        }

        return page;
    }

    /// <summary>Ids of runs that are not at their end, the oldest of them.</summary>
    public async Task<IReadOnlyList<string>> UnfinishedAsync(CancellationToken cancellation)
    {
        var query = new DocumentQuery(DocumentKind.SimulationWork) { Limit = options.Page };
        return [.. (await _documents.ListAsync(query, cancellation).ConfigureAwait(false)).Select(work => work.Id)];
    }

    /// <summary>Computes a run, unless it is at its end, and crosses its work out. Returns what it came to; null if nothing was to be done.</summary>
    public async Task<SimulationRun?> FinishAsync(string id, CancellationToken cancellation)
    {
        var stored = await _documents.GetAsync(DocumentKind.SimulationRun, id, cancellation).ConfigureAwait(false);
        if (stored is null)
        {
            // It is about to be kept, or never was, or was dropped as too old.
            if (Age(id) > Orphaned)
                await CrossOutAsync(id, cancellation).ConfigureAwait(false);
            return null;
        }

        var run = KeptMessages.Read<SimulationRun>(stored.Value);
        var ended = run.Status is RunStatus.Completed or RunStatus.Failed;
        if (!ended)
            run = await ComputeAsync(run, stored.Value.Revision, cancellation).ConfigureAwait(false);
        if (run is not null)
            await CrossOutAsync(id, cancellation).ConfigureAwait(false);
        return ended ? null : run;
    }

    /// <summary>Null when somebody else wrote the run meanwhile.</summary>
    private async Task<SimulationRun?> ComputeAsync(SimulationRun run, long revision, CancellationToken cancellation)
    {
        (run.Status, run.StartTime) = (RunStatus.Running, Instant.Of(clock.GetUtcNow()).ToTimestamp());
        if (!await WriteAsync(run, revision, cancellation).ConfigureAwait(false))
            return null;
        Compute(run);
        run.EndTime = Instant.Of(clock.GetUtcNow()).ToTimestamp();
        return await WriteAsync(run, revision + 1, cancellation).ConfigureAwait(false) ? run : null;
    }

    private static void Compute(SimulationRun run)
    {
        try
        {
            var result = ScenarioRunner.Run(ScenarioReader.ReadFlat(SimulationFields.Document("document_json", run.DocumentJson)));
            run.Invoice = WireInvoices.ToWire(result.Invoice, ScenarioText.NotesOf(result));
            run.Differences.AddRange(result.Differences.Select(WireInvoices.ToWire));
            if (result.Passed is { } passed)
                run.Passed = passed;
            run.Status = RunStatus.Completed;
        }
        catch (PricingException refusal)
        {
            // What was accepted once may be refused by a newer version.
            run.Problems.AddRange(refusal.Problems.Select(problem => new SimulationProblem { Field = problem.Path, Reason = problem.Reason }));
            run.Status = RunStatus.Failed;
        }
    }

    private async Task<bool> WriteAsync(SimulationRun run, long revision, CancellationToken cancellation) =>
        (await _documents.WriteAsync(DocumentKind.SimulationRun, [KeptMessages.Write(run.Id, run, revision)], cancellation).ConfigureAwait(false))[0];

    private Task<int> CrossOutAsync(string id, CancellationToken cancellation) =>
        _documents.DeleteAsync(DocumentKind.SimulationWork, id, 1, cancellation);

    /// <summary>Ids begin with 48 bits of Unix milliseconds (RFC 9562, version 7).</summary>
    private TimeSpan Age(string id) => Guid.TryParse(id, out var guid)
        ? clock.GetUtcNow() - DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64BigEndian(guid.ToByteArray(bigEndian: true)) >>> 16)
        : TimeSpan.MaxValue;

    private static bool Matches(ListRunsRequest request, SimulationRun run) =>
        (request.ScenarioId.Length == 0 || request.ScenarioId == run.ScenarioId)
        && (request.Status == RunStatus.Unspecified || request.Status == run.Status)
        && (request.Type == RunType.Unspecified || request.Type == run.Type);
}
