namespace StripeMeter.StripeDouble.Tests.Kit;

/// <summary>Waiting with an end.</summary>
internal static class Patience
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    /// <summary>Looks until the condition holds.</summary>
    public static async Task UntilAsync(Func<Task<bool>> holds, string what)
    {
        using var end = new CancellationTokenSource(Limit);
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (!await holds())
        {
            try
            {
                await pulse.WaitForNextTickAsync(end.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"not within {Limit.TotalSeconds} s: {what}");
            }
        }
    }
}
