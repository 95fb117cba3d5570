namespace StripeMeter.StripeDouble.Meters;

/// <summary>Hours and days in UTC.</summary>
internal static class TimeWindow
{
    public const string Hour = "hour";

    public const string Day = "day";

    public static long Seconds(string window) => window == Hour ? 3_600 : 86_400;

    /// <summary>The start of the window that holds an instant.</summary>
    public static long Floor(long instantSeconds, long windowSeconds) =>
        instantSeconds - (((instantSeconds % windowSeconds) + windowSeconds) % windowSeconds);

    /// <summary>The first start of a window at or after an instant.</summary>
    public static long Ceiling(long instantSeconds, long windowSeconds) => -Floor(-instantSeconds, windowSeconds);
}
