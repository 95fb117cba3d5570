using System.Globalization;
using StripeMeter.Metering.Time;

namespace StripeMeter.Gateway.Requests;

/// <summary>Reads what clients send where a period is meant: a day (its midnight in UTC) or a moment.</summary>
internal static class DayText
{
    public const string Reason = "must be a day, such as 2026-01-31, or an RFC 3339 date-time";

    public static bool TryRead(string text, out Instant instant)
    {
        if (DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day))
        {
            instant = Instant.OfDate(day.Year, day.Month, day.Day);
            return true;
        }

        return InstantText.Read(text, out instant) == InstantTextError.None;
    }
}

/// <summary>A day or a moment in a query.</summary>
public sealed record DayParameter(string Name, string Description) : QueryParameter<Instant?>(Name, Description)
{
    public override Microsoft.OpenApi.OpenApiSchema ToSchema() => new() { Type = Microsoft.OpenApi.JsonSchemaType.String };

    public override string? Read(string text, out Instant? value)
    {
        var isRead = DayText.TryRead(text, out var instant);
        value = isRead ? instant : null;
        return isRead ? null : DayText.Reason;
    }
}
