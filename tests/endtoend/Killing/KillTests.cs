using System.Globalization;
using StripeMeter.Defaults.Hosting;
using StripeMeter.Metering.Ledger;
using Xunit;

namespace StripeMeter.EndToEnd.Tests.Killing;

/// <summary>
/// Separate processes under load from several senders, of which services and sidecars are killed at random. Then the books
/// balance: what was acknowledged is counted once, and what is counted was sent.
/// </summary>
/// <remarks>
/// <c>STRIPEMETER_KILL_MINUTES</c> has it go on for so long; without it a few are killed. <c>STRIPEMETER_KILL_SEED</c> chooses
/// whom and when, as far as processes let themselves be led.
/// </remarks>
public sealed class KillTests
{
    private const int ShortKills = 5;
    private const int Senders = 4;
    private const int MostEventsBetweenKills = 400;

    private static readonly TimeSpan RestPatience = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Pulse = TimeSpan.FromMilliseconds(20);

    [Fact]
    public async Task KillAtRandom_UnderLoad_TheBooksBalance()
    {
        var seed = (int)Setting("STRIPEMETER_KILL_SEED", 20_260_101);
        var length = TimeSpan.FromMinutes(Setting("STRIPEMETER_KILL_MINUTES", 0));
        await using var system = new ApartSystem();
        await system.StartAsync();
        var load = new KillLoad(system, Senders, seed);

        var kills = await KillAsync(system, load, new Random(seed), length);
        await load.StopAsync();
        await using var books = new StoredBooks(system.DataDirectory);
        await RestAsync(books);

        Assert.Empty(load.WrongAnswers);
        await AssertBalanceAsync(books, load);
        TestContext.Current.TestOutputHelper?.WriteLine(FormattableString.Invariant(
            $"seed {seed}: {kills} kills, {load.Sent.Count:N0} events sent, {load.Acknowledged.Count:N0} acknowledged, {load.Failures:N0} calls without an answer"));
    }

    /// <summary>Kills one after the other, each once some more events have been acknowledged. Returns how many.</summary>
    private static async Task<int> KillAsync(ApartSystem system, KillLoad load, Random random, TimeSpan length)
    {
        var started = TimeProvider.System.GetTimestamp();
        var apps = AppCatalogue.All;
        var kills = 0;
        while (length == TimeSpan.Zero ? kills < ShortKills : TimeProvider.System.GetElapsedTime(started) < length)
        {
            await load.UntilAcknowledgedAsync(load.Acknowledged.Count + random.Next(1, MostEventsBetweenKills));
            // The first two are the ones that hold what is being counted; the others are drawn.
            var app = kills < 2 ? apps[kills] : apps[random.Next(apps.Count)];
            if (kills % 2 == 0)
                await system.KillAndRestartAppAsync(app.Id);
            else
                await system.KillAndRestartSidecarAsync(app.Id);
            kills++;
        }

        return kills;
    }

    private static async Task AssertBalanceAsync(StoredBooks books, KillLoad load)
    {
        var log = (await books.LogAsync()).Where(logged => logged.Record.Kind == RecordKind.Event).ToArray();
        var standing = log.ToDictionary(logged => logged.Record.Key, logged => logged.Record.Fingerprint);

        Assert.DoesNotContain(load.Acknowledged, sent => standing.GetValueOrDefault(sent.Key) != sent.Value);
        Assert.DoesNotContain(standing, stands => !load.Sent.ContainsKey(stands.Value));
        Assert.Empty(await books.DifferencesAsync());
    }

    private static async Task RestAsync(StoredBooks books)
    {
        using var limit = new CancellationTokenSource(RestPatience);
        using var timer = new PeriodicTimer(Pulse);
        while (!await books.RestAsync())
            await timer.WaitForNextTickAsync(limit.Token);
    }

    private static long Setting(string name, long otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? long.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
