using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Wire;
using StripeMeter.Gateway.Access;
using StripeMeter.Gateway.OpenApi;
using StripeMeter.Gateway.Requests;
using StripeMeter.Metering.Identity;
using StripeMeter.V1;

namespace StripeMeter.Gateway.Counters;

/// <summary>Counters of a tenant.</summary>
/// <param name="Counters">In the order of metric, customer and period.</param>
/// <param name="NextCursor">Where the next page begins. Absent on the last.</param>
public sealed record CounterPage(IReadOnlyList<CounterAnswer> Counters, string? NextCursor);

/// <summary>The aggregates of a metric of a customer in a billing period.</summary>
/// <param name="Metric">The metric.</param>
/// <param name="CustomerRef">The customer.</param>
/// <param name="PeriodStart">Start of the billing period, inclusive.</param>
/// <param name="PeriodEnd">Its end, exclusive.</param>
/// <param name="Sum">Sum of the quantities.</param>
/// <param name="Count">Number of events.</param>
/// <param name="Min">Smallest quantity.</param>
/// <param name="Max">Greatest quantity.</param>
/// <param name="Last">Quantity of the newest event.</param>
/// <param name="Watermark">Timestamp of the newest event counted.</param>
/// <param name="Version">Which records of the ledger it holds.</param>
public sealed record CounterAnswer(
    string Metric, string CustomerRef, string? PeriodStart, string? PeriodEnd, ExactNumber Sum, long Count, ExactNumber? Min,
    ExactNumber? Max, ExactNumber? Last, string? Watermark, CounterVersionAnswer Version);

/// <summary>Which records of the ledger a counter holds.</summary>
/// <param name="RecutPosition">Position of the last record that made it be counted anew; 0 if none did.</param>
/// <param name="Position">Position of the last record folded in.</param>
public sealed record CounterVersionAnswer(long RecutPosition, long Position);

/// <summary>How far a tenant's ledger is counted.</summary>
/// <param name="CaughtUp">Whether everything appended is counted.</param>
/// <param name="Shards">One entry per shard.</param>
public sealed record CountingProgress(bool CaughtUp, IReadOnlyList<ShardProgressAnswer> Shards);

/// <summary>How far a shard is counted.</summary>
/// <param name="Shard">The shard, from 0.</param>
/// <param name="Head">Last position of its log.</param>
/// <param name="Projected">Everything up to here is counted and visible.</param>
public sealed record ShardProgressAnswer(int Shard, long Head, long Projected);

/// <summary>What recounting counters from the ledger found.</summary>
/// <param name="Matching">Counters that equal their recount.</param>
/// <param name="Undecided">Counters that are just being counted anew.</param>
/// <param name="Mismatches">Counters that do not equal their recount.</param>
/// <param name="NextCursor">Where the next page begins. Absent on the last.</param>
public sealed record CounterAudit(long Matching, long Undecided, IReadOnlyList<CounterMismatch> Mismatches, string? NextCursor);

/// <summary>A counter that is not what the ledger says.</summary>
/// <param name="Projected">As it is shown and billed.</param>
/// <param name="Recounted">As the ledger has it.</param>
public sealed record CounterMismatch(CounterAnswer Projected, CounterAnswer Recounted);

/// <summary>What is counted, and how far.</summary>
internal static class CounterEndpoints
{
    private const string Tag = "Counters";
    private static readonly IntegerParameter Limit = CommonParameters.Limit(1_000, 100);
    private static readonly MomentParameter At = new("at", "Only counters of the billing period of this instant.");

    public static void MapCounters(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/v1/counters", ListAsync).Describe(
            Tag, "ListCounters", "The counters of a tenant",
            CommonParameters.Tenant, CommonParameters.Metric, CommonParameters.Customer, At, Limit, CommonParameters.Cursor)
            .Allows(AccessKind.Read, Scopes.UsageRead);
        routes.MapGet("/v1/counters/query", CounterQueryEndpoint.HandleAsync).Describe(
            Tag, "QueryCounters", "Usage of a metric in windows of time, by customer, resource or a member of meta",
            CounterQueryEndpoint.Parameters)
            .Allows(AccessKind.Read, Scopes.UsageRead);
        routes.MapGet("/v1/counters/progress", ProgressAsync).Describe(
            Tag, "GetProgress", "How far the ledger of a tenant is counted", CommonParameters.Tenant)
            .Allows(AccessKind.Read, Scopes.UsageRead);
        routes.MapGet("/v1/counters/audit", AuditAsync).Describe(
            Tag, "AuditCounters", "Recounts counters from the ledger, page by page, and says which differ; changes nothing",
            CommonParameters.Tenant, CommonParameters.Metric, CommonParameters.Customer, Limit, CommonParameters.Cursor)
            .Allows(AccessKind.Read, Scopes.ReconciliationRead);
    }

    private static async Task<CounterPage> ListAsync(HttpContext context, CounterService.CounterServiceClient counters)
    {
        var query = new QueryReader(context);
        var request = new ListCountersRequest
        {
            TenantId = query.Text(CommonParameters.Tenant),
            Metric = query.Text(CommonParameters.Metric),
            CustomerRef = query.Text(CommonParameters.Customer),
            AtTime = query.Read(At)?.ToTimestamp(),
            PageSize = query.Read(Limit),
            PageToken = query.Text(CommonParameters.Cursor),
        };
        query.Check();

        var page = await counters.ListCountersAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return new CounterPage(
            [.. page.Counters.Select(ToAnswer)], page.NextPageToken.OrNull());
    }

    private static async Task<CountingProgress> ProgressAsync(HttpContext context, CounterService.CounterServiceClient counters)
    {
        var query = new QueryReader(context);
        var request = new GetProgressRequest { TenantId = query.Text(CommonParameters.Tenant) };
        query.Check();

        var progress = await counters.GetProgressAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return new CountingProgress(
            progress.Shards.All(shard => shard.Projected >= shard.Head),
            [.. progress.Shards.Select(shard => new ShardProgressAnswer(shard.Shard, shard.Head, shard.Projected))]);
    }

    private static async Task<CounterAudit> AuditAsync(HttpContext context, AuditService.AuditServiceClient audits)
    {
        var query = new QueryReader(context);
        var request = new AuditCountersRequest
        {
            TenantId = query.Text(CommonParameters.Tenant),
            Metric = query.Text(CommonParameters.Metric),
            CustomerRef = query.Text(CommonParameters.Customer),
            PageSize = query.Read(Limit),
            PageToken = query.Text(CommonParameters.Cursor),
        };
        query.Check();

        var page = await audits.AuditCountersAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return new CounterAudit(
            page.MatchingCount, page.UndecidedCount,
            [.. page.Mismatches.Select(mismatch => new CounterMismatch(ToAnswer(mismatch.Projected), ToAnswer(mismatch.Recounted)))],
            page.NextPageToken.OrNull());
    }

    internal static CounterAnswer ToAnswer(Counter counter) => new(
        counter.Metric,
        counter.CustomerRef,
        RestTime.Write(counter.PeriodStart),
        RestTime.Write(counter.PeriodEnd),
        new ExactNumber(counter.Sum),
        counter.Count,
        ExactNumber.OfText(counter.Min),
        ExactNumber.OfText(counter.Max),
        ExactNumber.OfText(counter.Last),
        RestTime.Write(counter.Watermark),
        new CounterVersionAnswer(counter.Version?.RecutPosition ?? 0, counter.Version?.Position ?? 0));
}
