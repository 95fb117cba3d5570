using System.Net;
using StripeMeter.Gateway.Tests.Kit;
using StripeMeter.V1;
using Xunit;

namespace StripeMeter.Gateway.Tests.Events;

public sealed class ListEventsTests : IClassFixture<RunningGateway>
{
    private readonly RunningGateway _gateway;
    private ListEventsRequest _asked = new();

    public ListEventsTests(RunningGateway gateway)
    {
        _gateway = gateway;
        _gateway.Backend.Reset();
        _gateway.Backend.ListEvents = request =>
        {
            _asked = request;
            return Page();
        };
    }

    [Fact]
    public async Task List_AllParameters_ReachTheService()
    {
        await _gateway.GetAsync(
            "/v1/events?tenantId=acme&metric=m&customerRef=c&source=etl&startTime=2026-01-01T00:00:00Z"
            + "&endTime=2026-01-31T23:59:59.9999999Z&late=true&sort=customerRef&sortDir=asc&limit=7&offset=3");

        Assert.Equal(
            new ListEventsRequest
            {
                TenantId = "acme",
                Metric = "m",
                CustomerRef = "c",
                Source = EventSource.Etl,
                StartTime = new() { Seconds = 1767225600 },
                EndTime = new() { Seconds = 1769903999, Nanos = 999999900 },
                LateOnly = true,
                Sort = EventSort.CustomerRef,
                Ascending = true,
                PageSize = 7,
                Offset = 3,
                IncludeTotal = true,
            },
            _asked);
    }

    [Fact]
    public async Task List_Event_IsShownExactly()
    {
        var answer = await _gateway.GetAsync("/v1/events?tenantId=acme");

        Assert.Equal(
            """
            {"total":41,"events":[{"id":"k","tenantId":"acme","metric":"m","customerRef":"ü","quantity":999999999999.999999,"timestamp":"2026-01-01T00:00:00.0000001Z","meta":"{\"a\":1}","source":"http","receivedAt":"2026-01-04T00:00:00Z","late":true,"held":true,"shard":2,"position":9}],"nextCursor":"next"}
            """,
            answer.Text);
        Assert.Equal((25, false, 0), (_asked.PageSize, _asked.Ascending, _asked.Offset));
    }

    [Fact]
    public async Task List_ByCursor_CountsNothing()
    {
        var answer = await _gateway.GetAsync("/v1/events?tenantId=acme&cursor=next");

        Assert.False(_asked.IncludeTotal);
        Assert.Equal("next", _asked.PageToken);
        Assert.False(answer.Json.TryGetProperty("total", out _));
    }

    [Theory]
    [InlineData("", "tenantId")]
    [InlineData("tenantId=", "tenantId")]
    [InlineData("tenantId=a&tenantId=b", "tenantId")]
    [InlineData("tenantId=a&limit=0", "limit")]
    [InlineData("tenantId=a&limit=101", "limit")]
    [InlineData("tenantId=a&limit=ten", "limit")]
    [InlineData("tenantId=a&offset=-1", "offset")]
    [InlineData("tenantId=a&offset=99999999999", "offset")]
    [InlineData("tenantId=a&sort=size", "sort")]
    [InlineData("tenantId=a&sortDir=up", "sortDir")]
    [InlineData("tenantId=a&source=moon", "source")]
    [InlineData("tenantId=a&startTime=2026-01-01", "startTime")]
    [InlineData("tenantId=a&endTime=yesterday", "endTime")]
    [InlineData("tenantId=a&late=maybe", "late")]
    [InlineData("tenantId=a&cursor=x&offset=1", "offset")]
    public async Task List_WrongParameter_IsAProblemThatNamesItInTheOldEnvelope(string query, string field)
    {
        var answer = await _gateway.GetAsync($"/v1/events?{query}");

        var problem = answer.Problem(400);
        Assert.Equal(field, problem.GetProperty("errors")[0].GetProperty("field").GetString());
        Assert.Equal(0, problem.GetProperty("total").GetInt32());
        Assert.Empty(problem.GetProperty("events").EnumerateArray());
        Assert.Empty(_gateway.Backend.Called);
    }

    [Fact]
    public async Task List_RefusalOfTheService_IsToldInTheSpellingOfRest()
    {
        _gateway.Backend.ListEvents = _ => throw Defaults.Errors.RpcErrors.Invalid("page_token", "is not one that a listing gave");

        var answer = await _gateway.GetAsync("/v1/events?tenantId=acme&cursor=x");

        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Equal("cursor is not one that a listing gave", answer.Problem(400).GetProperty("detail").GetString());
    }

    private static ListEventsResponse Page()
    {
        var page = new ListEventsResponse { NextPageToken = "next", TotalCount = 41 };
        page.Events.Add(new LedgerEvent
        {
            Event = new UsageEvent
            {
                TenantId = "acme",
                Metric = "m",
                CustomerRef = "ü",
                Quantity = "999999999999.999999",
                Timestamp = new() { Seconds = 1767225600, Nanos = 100 },
                MetaJson = """{"a":1}""",
                IdempotencyKey = "k",
                Source = EventSource.Http,
            },
            ReceivedTime = new() { Seconds = 1767484800 },
            Late = true,
            Shard = 2,
            Position = 9,
        });
        return page;
    }
}
