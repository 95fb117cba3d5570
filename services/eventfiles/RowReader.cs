using StripeMeter.Metering.Events;
using StripeMeter.Metering.Time;

namespace StripeMeter.EventFiles;

/// <summary>Collects the fields of a row into a draft.</summary>
internal sealed class RowReader(EventFileDefaults defaults)
{
    private EventDraft _draft = new();
    private FieldError? _problem;
    private bool _hasSource;

    public void Begin()
    {
        (_draft, _problem, _hasSource) = (new EventDraft(), null, false);
    }

    public void Refuse(string field, string reason) => _problem ??= new FieldError(field, reason);

    /// <summary>Takes the text of a field.</summary>
    public void Take(string field, string text)
    {
        switch (field)
        {
            case EventColumns.Tenant: _draft = _draft with { Tenant = text }; break;
            case EventColumns.Metric: _draft = _draft with { Metric = text }; break;
            case EventColumns.Customer: _draft = _draft with { Customer = text }; break;
            case EventColumns.Resource: _draft = _draft with { Resource = text }; break;
            case EventColumns.Quantity: _draft = _draft with { Quantity = text }; break;
            case EventColumns.Meta: _draft = _draft with { Meta = text }; break;
            case EventColumns.Key: _draft = _draft with { Key = text }; break;
            case EventColumns.Timestamp: TakeTimestamp(text); break;
            default: TakeSource(text); break;
        }
    }

    public EventRow End(long line, long number)
    {
        Complete(number);
        if (defaults.OnlyTenant && _draft.Tenant != defaults.Tenant)
            Refuse(EventColumns.Tenant, $"must be '{defaults.Tenant}', the tenant of the file");
        return new EventRow(line, number, _draft, _problem);
    }

    private void Complete(long number)
    {
        _draft = _draft with
        {
            Tenant = OrElse(_draft.Tenant, defaults.Tenant),
            Metric = OrElse(_draft.Metric, defaults.Metric),
            Customer = OrElse(_draft.Customer, defaults.Customer),
            Source = _hasSource ? _draft.Source : defaults.Source,
            Key = defaults.KeyPrefix.Length > 0
                ? OrElse(_draft.Key, FormattableString.Invariant($"{defaults.KeyPrefix}:{number}"))
                : _draft.Key,
        };
    }

    private void TakeTimestamp(string text)
    {
        if (text.Length == 0)
            return;
        var problem = InstantText.Read(text, out var instant) switch
        {
            InstantTextError.None => null,
            InstantTextError.NoZone => "must have a zone, such as Z or +01:00",
            InstantTextError.TooFine => "must be in steps of 100 ns",
            _ => "must be an RFC 3339 date-time, such as 2026-01-31T23:59:59Z",
        };
        _draft = problem is null ? _draft with { Timestamp = instant } : _draft with { TimestampProblem = problem };
    }

    private void TakeSource(string text)
    {
        if (text.Length == 0)
            return;
        if (!EventColumns.TryReadSource(text, out var source))
            Refuse(EventColumns.Source, $"must be one of {EventColumns.SourceWords}");
        (_draft, _hasSource) = (_draft with { Source = source }, true);
    }

    private static string? OrElse(string? text, string? otherwise) => string.IsNullOrEmpty(text) ? otherwise : text;
}
