namespace StripeMeter.Gateway.Requests;

/// <summary>The protocol writes a text that is absent as an empty one; REST leaves it out.</summary>
internal static class AbsentText
{
    public static string? OrNull(this string text) => text.Length > 0 ? text : null;
}
