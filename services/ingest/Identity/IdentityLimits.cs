namespace StripeMeter.Ingest.Identity;

/// <summary>Bounds of keys and tokens.</summary>
internal static class IdentityLimits
{
    public const int NormalPage = 100;
    public const int MaximumPage = 1_000;

    /// <summary>How long a key that is rotated serves beside the new one, unless the request says otherwise.</summary>
    public static readonly TimeSpan NormalOverlap = TimeSpan.FromHours(24);
    public static readonly TimeSpan MaximumOverlap = TimeSpan.FromDays(30);

    /// <summary>How long a customer's token is good, unless the request says otherwise.</summary>
    public static readonly TimeSpan NormalToken = TimeSpan.FromHours(1);
    public static readonly TimeSpan ShortestToken = TimeSpan.FromMinutes(1);
    public static readonly TimeSpan LongestToken = TimeSpan.FromHours(24);
}
