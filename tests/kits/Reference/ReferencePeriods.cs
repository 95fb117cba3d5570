using StripeMeter.Metering.Ledger;

namespace StripeMeter.Kits.Reference;

/// <summary>The periods of one customer, computed anew from all anchor changes each time, with arithmetic of its own.</summary>
internal sealed class ReferencePeriods(IEnumerable<LoggedRecord> customerLog)
{
    private readonly List<(DateTime From, int Day, int Minute)> _anchors = Read(customerLog);

    public (DateTime Start, DateTime End) Of(DateTime moment) => Of(_anchors, moment);

    private static List<(DateTime From, int Day, int Minute)> Read(IEnumerable<LoggedRecord> log)
    {
        List<(DateTime From, int Day, int Minute)> anchors = [(DateTime.MinValue, 1, 0)];
        var closed = DateTime.MinValue;
        foreach (var change in log.Where(logged => logged.Record.Kind == RecordKind.AnchorChanged).OrderBy(logged => logged.Position))
        {
            var control = change.Record.Control!;
            closed = control.ClosedBefore.ToUtc() > closed ? control.ClosedBefore.ToUtc() : closed;
            var firstOpen = Of(anchors, closed).Start;
            var wished = control.At.ToUtc();
            var from = wished > firstOpen ? wished : firstOpen;
            anchors.RemoveAll(anchor => anchor.From >= from);
            anchors.Add((from, control.Anchor!.Value.Day, control.Anchor.Value.Minute));
        }

        return anchors;
    }

    private static (DateTime Start, DateTime End) Of(List<(DateTime From, int Day, int Minute)> anchors, DateTime moment)
    {
        var anchor = anchors.Last(candidate => candidate.From <= moment);
        var month = new DateTime(moment.Year, moment.Month, 1, 0, 0, 0, DateTimeKind.Utc);
        var boundaries = Enumerable.Range(-1, 3).Select(months => month.AddMonths(months)).Select(first =>
            first.AddDays(Math.Min(anchor.Day, first.AddMonths(1).AddDays(-1).Day) - 1).AddMinutes(anchor.Minute)).ToArray();
        var start = boundaries.Last(boundary => boundary <= moment);
        var end = boundaries.First(boundary => boundary > moment);
        var next = anchors.Where(candidate => candidate.From > anchor.From).Select(candidate => candidate.From);
        return (start > anchor.From ? start : anchor.From, next.Append(end).Min());
    }
}
