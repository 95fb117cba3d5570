using StripeMeter.Pusher.Tests.Kit;

namespace StripeMeter.Pusher.Tests.Telemetry;

/// <summary>What is shown of what Stripe does not know yet.</summary>
[Collection(nameof(WholeProcess))]
public sealed class BacklogTests
{
    [Fact]
    public async Task Backlog_OfWhatCannotBeTold_IsShownWithTheTimeItTakesAtLeast()
    {
        await using var subject = await PusherUnderTest.StartAsync(1, ("STRIPE_RATE_PER_SECOND", "2"));
        await Patience.UntilEqualAsync(("0", "0"), () => ShownAsync(subject));

        for (var account = 1; account <= 5; account++)
            await subject.PushIntoTheVoidAsync($"acct_{account}");

        // Five calls, two a second.
        await Patience.UntilEqualAsync(("5", "3"), () => ShownAsync(subject));
    }

    private static async Task<(string Documents, string DrainSeconds)> ShownAsync(PusherUnderTest subject)
    {
        var lines = (await subject.MetricsAsync()).Split('\n');
        return (ValueOf("push_backlog"), ValueOf("push_backlog_drain_seconds"));

        string ValueOf(string name) => lines
            .SingleOrDefault(line => line.StartsWith(name + "{", StringComparison.Ordinal) || line.StartsWith(name + " ", StringComparison.Ordinal))?
            .Split('}')[^1].Split(' ', StringSplitOptions.RemoveEmptyEntries)[^1] ?? "";
    }
}
