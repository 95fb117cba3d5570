using System.Diagnostics;

namespace StripeMeter.Defaults.Telemetry;

/// <summary>
/// Spans of work that is done behind an answer, for many requests at once. Work that comes from one trace goes on in it;
/// work that comes from several is a trace of its own with links to them.
/// </summary>
public static class ServiceTracing
{
    private static readonly ActivitySource Source = new(ServiceTelemetry.Prefix + "Work");

    /// <summary>Starts a span. Null: the work comes from no trace, or nobody traces.</summary>
    /// <param name="name">Such as <c>pusher.sweep</c>.</param>
    /// <param name="traceParents">The spans it comes from, as W3C's <c>traceparent</c>.</param>
    public static Activity? Start(string name, IReadOnlyCollection<string> traceParents)
    {
        ArgumentNullException.ThrowIfNull(traceParents);
        var causes = new List<ActivityContext>(traceParents.Count);
        foreach (var traceParent in traceParents)
        {
            if (ActivityContext.TryParse(traceParent, null, isRemote: true, out var cause))
                causes.Add(cause);
        }

        return causes.Count switch
        {
            0 => null,
            1 => Source.StartActivity(name, ActivityKind.Internal, causes[0]),
            _ => Source.StartActivity(
                name, ActivityKind.Internal, default(ActivityContext), links: causes.Select(cause => new ActivityLink(cause))),
        };
    }
}
