using System.Net;
using System.Net.Http.Headers;
using System.Text;
using StripeMeter.Gateway.Tests.Kit;
using StripeMeter.Kits.Waiting;
using Xunit;

namespace StripeMeter.Gateway.Tests.Backfilling;

/// <summary>Files as bodies: read as they come, handed over in order, and given up when they break off.</summary>
public sealed class ImportFileTests(RunningGateway gateway) : IClassFixture<RunningGateway>
{
    private const string Address = "/v1/events/backfill?tenantId=acme&metric=m&customerRef=c&reason=r";
    private const int RowBytes = 30_000;

    /// <summary>What sockets and servers on the way may hold; a file held whole is several times as large.</summary>
    private const long MaximumAheadBytes = 24 * 1024 * 1024;

    [Fact]
    public async Task File_MuchLargerThanTheBuffers_IsHandedOverWhileItComes()
    {
        gateway.Backend.Reset();
        const int Rows = 96 * 1024 * 1024 / RowBytes;
        using var file = new GeneratedFile(Rows);
        var (staged, largestLead) = (0L, 0L);
        gateway.Backend.Stage = request =>
        {
            staged += request.Events.Count;
            largestLead = Math.Max(largestLead, file.Written - (staged * RowBytes));
        };

        using var answer = await gateway.Http.PostAsync(new Uri(Address, UriKind.Relative), file);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(Rows, staged);
        Assert.True(largestLead < MaximumAheadBytes, $"{largestLead} bytes had been sent and not been handed over.");
        Assert.Equal([$"committed {Rows}"], gateway.Backend.Decided);
    }

    [Fact]
    public async Task File_WhoseSenderGoesAway_IsGivenUp()
    {
        gateway.Backend.Reset();
        using var file = new GeneratedFile(2_000, breaksOffBehind: 200);

        await Assert.ThrowsAnyAsync<HttpRequestException>(() => gateway.Http.PostAsync(new Uri(Address, UriKind.Relative), file));

        await Patience.UntilAsync(() => gateway.Backend.Decided.Count > 0);
        Assert.Equal(["given up: The upload broke off."], gateway.Backend.Decided);
    }

    [Fact]
    public async Task File_OfAnotherType_IsRefusedBeforeAnythingIsOpened()
    {
        gateway.Backend.Reset();

        var answer = await gateway.SendAsync(HttpMethod.Post, Address, Encoding.UTF8.GetBytes("x"), "text/plain");

        answer.Problem(415);
        Assert.Empty(gateway.Backend.Called);
    }

    [Fact]
    public async Task File_WithRowsThatCannotBeRead_HandsThemOverWithTheirPlaces()
    {
        gateway.Backend.Reset();
        var problems = new List<string>();
        gateway.Backend.Stage = request => problems.AddRange(request.RowProblems.Select(problem => $"{problem.Row} {problem.Line} {problem.Error.Field}"));
        const string Csv = "quantity,ts\n1,2026-01-01T00:00:00Z\n1,yesterday\n1,2,3\n";

        var answer = await gateway.SendAsync(HttpMethod.Post, Address, Encoding.UTF8.GetBytes(Csv), "text/csv");

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal(["2 3 timestamp", "3 4 event"], problems);
        Assert.Equal(["committed 3"], gateway.Backend.Decided);
    }

    [Theory]
    [InlineData("")]
    [InlineData(""","csvData":"customerRef,quantity,ts\n1,1,2026-01-01T00:00:00Z\n" """)]
    [InlineData(""","events":[{"customerRef":"c","quantity":1,"ts":"2026-01-01T00:00:00Z"}]""")]
    public async Task SourceUrl_WhateverStandsBesideIt_IsRefused(string beside)
    {
        gateway.Backend.Reset();

        var answer = await gateway.PostAsync("/v1/events/backfill", $$"""
            {"tenantId":"acme","metric":"m","periodStart":"2026-01-01","reason":"r","sourceUrl":"s3://bucket/key"{{beside}}}
            """);

        Assert.Equal("sourceUrl", Assert.Single(answer.Problem(400).GetProperty("errors").EnumerateArray()).GetProperty("field").GetString());
        Assert.Empty(gateway.Backend.Called);
    }

    /// <summary>A file of JSON Lines that exists only while it is written.</summary>
    private sealed class GeneratedFile : HttpContent
    {
        private readonly int _rows;
        private readonly int _breaksOffBehind;

        public GeneratedFile(int rows, int breaksOffBehind = int.MaxValue)
        {
            (_rows, _breaksOffBehind) = (rows, breaksOffBehind);
            Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
        }

        public long Written { get; private set; }

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            for (var row = 0; row < _rows; row++)
            {
                if (row == _breaksOffBehind)
                    throw new IOException("The sender goes away.");
                var head = FormattableString.Invariant(
                    $"{{\"quantity\":1,\"ts\":\"2026-01-01T00:00:00Z\",\"idempotencyKey\":\"{row:D8}\",\"meta\":{{\"x\":\"");
                const string Tail = "\"}}\n";
                await stream.WriteAsync(Encoding.ASCII.GetBytes(head + new string('x', RowBytes - head.Length - Tail.Length) + Tail));
                Written += RowBytes;
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
