using StripeMeter.Defaults.Hosting;
using Xunit;

namespace StripeMeter.EndToEnd.Tests;

/// <summary>The example against separate processes, while one after the other is killed.</summary>
public sealed class ApartTests
{
    [Fact]
    public async Task Send_WhileEachServiceAndASidecarIsKilled_EndsInTheTotalsOfTheFile()
    {
        await using var system = new ApartSystem();
        await system.StartAsync();
        var example = new LlmTokensScenario(system.Rest, system.StripeBase);

        var sending = example.SendAsync("--batch", "2", "--senders", "2");
        var appended = 0;
        foreach (var app in (AppDefinition[])[AppCatalogue.Ingest, AppCatalogue.Aggregator, AppCatalogue.Pusher, AppCatalogue.Gateway])
        {
            await example.UntilAppendedAsync(appended += 40, sending);
            await system.KillAndRestartAppAsync(app.Id);
        }

        await system.KillAndRestartSidecarAsync(AppCatalogue.Aggregator.Id);
        await sending;
        Assert.Equal(0, await example.SendAsync());
        await example.AssertTotalsAsync();
    }
}
