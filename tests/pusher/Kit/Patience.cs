namespace StripeMeter.Pusher.Tests.Kit;

/// <summary>Waiting with an end.</summary>
internal static class Patience
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Pulse = TimeSpan.FromMilliseconds(20);

    /// <summary>Looks until the values are the same, and fails with both if they do not become so.</summary>
    public static async Task UntilEqualAsync<T>(T expected, Func<Task<T>> look)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var actual = await look();
            if (EqualityComparer<T>.Default.Equals(expected, actual))
                return;
            if (TimeProvider.System.GetElapsedTime(start) > Limit)
                Assert.Equal(expected, actual);
            await Task.Delay(Pulse, TimeProvider.System);
        }
    }

    public static Task UntilAsync(Func<Task<bool>> holds) => UntilEqualAsync(true, holds);
}
