using Xunit;

namespace StripeMeter.EndToEnd.Tests;

/// <summary>
/// The example on its excerpt, against the system as a process: its totals must be those of the file in the counters, in
/// the current usage and at Stripe, however it is sent and whenever the process is killed.
/// </summary>
public sealed class LlmTokensTests : IAsyncLifetime
{
    private readonly SystemProcess _system = new();
    private LlmTokensScenario _example = null!;

    public async ValueTask InitializeAsync()
    {
        await _system.StartAsync();
        _example = new LlmTokensScenario(_system.Rest, _system.StripeBase);
    }

    public ValueTask DisposeAsync() => _system.DisposeAsync();

    [Fact]
    public async Task Send_Twice_IsAllDuplicatesAndNoTotalMoves()
    {
        Assert.Equal(0, await _example.SendAsync());
        await _example.AssertTotalsAsync();
        Assert.Equal(0, await _example.SendAsync("--shuffle", "7", "--senders", "4", "--batch", "1"));
        await _example.AssertTotalsAsync();
    }

    [Fact]
    public async Task Send_ShuffledFromFourSenders_EndsInTheSameTotals()
    {
        Assert.Equal(0, await _example.SendAsync("--shuffle", "11", "--senders", "4", "--batch", "7"));
        await _example.AssertTotalsAsync();
    }

    [Fact]
    public async Task Send_WhileTheProcessIsKilledAgainAndAgain_EndsInTheSameTotals()
    {
        var sending = _example.SendAsync("--batch", "2", "--senders", "2");
        for (var kill = 1; kill <= 4; kill++)
        {
            await _example.UntilAppendedAsync(kill * 50, sending);
            await _system.KillAsync();
            await _system.StartAsync();
        }

        await sending;
        // What was counted and pushed when the example looked may have been on its way; send again and look again.
        Assert.Equal(0, await _example.SendAsync());
        await _example.AssertTotalsAsync();
    }

    [Fact]
    public async Task Terminate_ARunningSystem_EndsCleanlyAndARestartGoesOn()
    {
        Assert.Equal(0, await _example.SendAsync());
        Assert.Equal(0, await _system.TerminateAsync());
        await _system.StartAsync();
        await _example.AssertTotalsAsync();
    }

    [Fact]
    public async Task Start_OnATakenPort_SaysSoAndFails()
    {
        await using var second = new SystemProcess();
        var (code, error) = await second.StartOnTakenPortAsync();
        Assert.NotEqual(0, code);
        Assert.Contains("address already in use", error, StringComparison.OrdinalIgnoreCase);
    }
}
