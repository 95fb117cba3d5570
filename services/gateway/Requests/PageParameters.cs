namespace StripeMeter.Gateway.Requests;

/// <summary>By what listings are read page by page, where they are not read by a cursor alone.</summary>
internal static class PageParameters
{
    public static readonly IntegerParameter Limit = CommonParameters.Limit(100, 20);
    public static readonly IntegerParameter Offset = new("offset", "Entries to pass over, from the cursor on.", 0, 100_000);
}
