using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using StripeMeter.Defaults.Access;
using StripeMeter.Gateway.Errors;
using StripeMeter.Gateway.Events;
using Xunit;

namespace StripeMeter.Gateway.Tests.Events;

public sealed class IngestAdmissionTests
{
    private const int Kibibyte = 1_024;
    private readonly IngestAdmission _admission = new(
        new GatewayOptions { ServedKibibytes = 100 },
        new AccessInstruments(new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<IMeterFactory>()));

    [Fact]
    public void Enter_MoreThanIsServedAtATime_IsRefusedUntilOthersAreDone()
    {
        var first = _admission.Enter(60 * Kibibyte);
        var second = _admission.Enter(30 * Kibibyte);

        var refusal = Assert.Throws<ProblemException>(() => _admission.Enter(30 * Kibibyte));
        Assert.Throws<ProblemException>(() => _admission.Foresee(30 * Kibibyte));
        second.Dispose();
        _admission.Foresee(30 * Kibibyte);
        _admission.Enter(30 * Kibibyte).Dispose();
        first.Dispose();

        Assert.Equal(503, refusal.Problem.Status);
        Assert.NotNull(refusal.Problem.RetryAfter);
    }

    [Fact]
    public void Enter_ALargeRequestAlone_IsLetIn()
    {
        _admission.Foresee(5_000 * Kibibyte);
        using var alone = _admission.Enter(5_000 * Kibibyte);

        Assert.Throws<ProblemException>(() => _admission.Enter(1));
    }

    /// <summary>Small requests cost more than their events do.</summary>
    [Fact]
    public void Enter_ManySmallRequests_AreLetInUpToAFew()
    {
        var served = 0;
        void EnterForEver()
        {
            for (; ; served++)
                _ = _admission.Enter(200);
        }

        Assert.Throws<ProblemException>(EnterForEver);
        Assert.InRange(served, 40, 80);
    }
}
