using CsCheck;
using StripeMeter.Gateway.Tests.Kit;
using Xunit;

namespace StripeMeter.Gateway.Tests.Events;

public sealed class IngestFuzzTests(RunningGateway gateway) : IClassFixture<RunningGateway>
{
    [Fact]
    public async Task Ingest_AnyBytes_NeverAnswers500()
    {
        gateway.Backend.Reset();
        await Gen.Byte.Array[0, 120].SampleAsync(
            async bytes => Assert.Equal(400, (int)(await gateway.SendAsync(
                HttpMethod.Post, "/v1/events/ingest", bytes, "application/json")).Status),
            iter: 500);
    }
}
