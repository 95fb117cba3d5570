using System.Runtime.CompilerServices;
using Xunit;

namespace StripeMeter.Kits.Waiting;

/// <summary>Waiting with an end.</summary>
public static class Patience
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Pulse = TimeSpan.FromMilliseconds(10);

    /// <summary>Looks until a condition holds, and fails with its text if it does not come to hold.</summary>
    public static Task UntilAsync(Func<bool> holds, [CallerArgumentExpression(nameof(holds))] string what = "") =>
        UntilAsync(() => Task.FromResult(holds()), what);

    /// <inheritdoc cref="UntilAsync(Func{bool}, string)"/>
    public static async Task UntilAsync(Func<Task<bool>> holds, [CallerArgumentExpression(nameof(holds))] string what = "")
    {
        if (!await IsMetAsync(holds))
            Assert.Fail($"not within {Limit.TotalSeconds} s: {what}");
    }

    /// <summary>Looks until the values are the same, and fails with both if they do not become so.</summary>
    public static async Task UntilEqualAsync<T>(T expected, Func<Task<T>> look)
    {
        var actual = default(T);
        await IsMetAsync(async () => EqualityComparer<T>.Default.Equals(expected, actual = await look()));
        Assert.Equal(expected, actual);
    }

    private static async Task<bool> IsMetAsync(Func<Task<bool>> holds)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!await holds())
        {
            if (TimeProvider.System.GetElapsedTime(start) > Limit)
                return false;
            await Task.Delay(Pulse, TimeProvider.System);
        }

        return true;
    }
}
