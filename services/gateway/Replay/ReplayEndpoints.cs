using System.Globalization;
using System.Xml;
using Google.Protobuf.WellKnownTypes;
using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Wire;
using StripeMeter.Gateway.Access;
using StripeMeter.Gateway.OpenApi;
using StripeMeter.Gateway.Requests;
using StripeMeter.Metering.Time;
using StripeMeter.Metering.Identity;
using StripeMeter.V1;
using Replays = StripeMeter.V1.ReplayService.ReplayServiceClient;

namespace StripeMeter.Gateway.Replay;

/// <summary>Counting late events after all, and counting counters anew.</summary>
internal static class ReplayEndpoints
{
    private const string Tag = "Replay";
    private const string Actor = "api";
    private const string Apply = "apply";
    private const string DryRun = "dry-run";
    private const string Now = "now";
    private static readonly HashSet<string> ReplayMembers = ["tenantId", "metrics", "since", "until", "mode", "dryRun", "cursor", "watermark"];
    private static readonly HashSet<string> RebuildMembers = ["tenantId", "customerRef", "rebuildId", "cursor", "limit"];

    public static void MapReplay(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/replay", ReplayAsync)
            .Describe(Tag, "Replay", "Says what counting late events would change, or counts them")
            .Allows(AccessKind.Change, Scopes.EventsWrite).Takes<ReplayBody>();
        routes.MapPost("/v1/rebuild", RebuildAsync)
            .Describe(Tag, "RebuildCounters", "Has counters counted anew from the ledger while counting goes on")
            .Allows(AccessKind.Change).Takes<RebuildBody>();
    }

    private static async Task<ReplayAnswer> ReplayAsync(
        HttpContext context, Replays replays, GatewayOptions options, TimeProvider clock)
    {
        using var body = await JsonBody.ReadAsync(context, options.BodyBytes, ReplayMembers).ConfigureAwait(false);
        var now = Instant.Of(clock.GetUtcNow());
        var request = new ReplayRequest
        {
            TenantId = body.Tenant(),
            Since = ReadTime(body, "since", now),
            Until = ReadTime(body, "until", now),
            Apply = ReadApply(body),
            Cursor = body.Text("cursor") ?? "",
            Actor = Actor,
        };
        request.Metrics.AddRange(body.Texts("metrics"));
        body.Text("watermark");
        body.Check();
        var page = await replays.ReplayAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return ToAnswer(request, page);
    }

    private static async Task<RebuildAnswer> RebuildAsync(HttpContext context, Replays replays, GatewayOptions options)
    {
        using var body = await JsonBody.ReadAsync(context, options.BodyBytes, RebuildMembers).ConfigureAwait(false);
        var request = new RebuildCountersRequest
        {
            TenantId = body.Tenant(),
            CustomerRef = body.Text("customerRef") ?? "",
            RebuildId = body.Text("rebuildId", required: true) ?? "",
            Cursor = body.Text("cursor") ?? "",
            Actor = Actor,
        };
        if (body.Decimal("limit") is { } limit)
        {
            if (int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out var size) && size > 0)
                request.PageSize = size;
            else
                body.Add("limit", "must be a whole number from 1 to 1000");
        }

        body.Check();
        var page = await replays.RebuildCountersAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return new RebuildAnswer(page.CounterCount, page.Cursor.OrNull());
    }

    private static bool ReadApply(JsonBody body)
    {
        var (mode, dryRun) = (body.Text("mode"), body.Flag("dryRun"));
        if (mode is not (null or Apply or DryRun))
            body.Add("mode", $"must be {DryRun} or {Apply}");
        else if (mode is not null && dryRun is { } flag && flag != (mode == DryRun))
            body.Add("dryRun", "must say the same as mode");
        return mode is null ? dryRun == false : mode == Apply;
    }

    /// <summary>A moment, <c>now</c>, or a negative duration before now.</summary>
    private static Timestamp? ReadTime(JsonBody body, string name, Instant now)
    {
        if (body.Text(name) is not { } text)
            return null;
        if (text == Now)
            return now.ToTimestamp();
        if (InstantText.Read(text, out var instant) == InstantTextError.None)
            return instant.ToTimestamp();
        if (TryReadBack(text, now, out instant))
            return instant.ToTimestamp();
        body.Add(name, "must be an RFC 3339 date-time, now, or a negative duration such as -PT24H");
        return null;
    }

    private static bool TryReadBack(string text, Instant now, out Instant instant)
    {
        instant = default;
        try
        {
            var duration = text.StartsWith("-P", StringComparison.Ordinal) ? XmlConvert.ToTimeSpan(text) : TimeSpan.Zero;
            if (duration >= TimeSpan.Zero || now - Instant.Minimum < -duration)
                return false;
            instant = now + duration;
            return true;
        }
        catch (Exception problem) when (problem is FormatException or OverflowException)
        {
            return false;
        }
    }

    private static ReplayAnswer ToAnswer(ReplayRequest request, ReplayResponse page) => new(
        request.Apply ? Apply : DryRun,
        request.TenantId,
        request.Metrics,
        new ReplayTimeRange(RestTime.Write(page.Since), RestTime.Write(page.Until)),
        page.Changes.ToDictionary(
            change => change.Metric,
            change => new ReplayMetric(
                change.EventsFound, change.LateEvents, new ExactNumber(change.CounterDelta), change.AffectedCustomers)),
        page.Cursor.OrNull(),
        RestTime.Write(page.Watermark),
        request.Apply ? page.AppliedCount : null,
        new ReplaySummary(
            page.Changes.Sum(change => change.LateEvents), page.Changes.Count(change => change.LateEvents > 0), page.Cursor.Length == 0));
}
