using System.Net;
using Google.Protobuf.WellKnownTypes;
using StripeMeter.Gateway.Tests.Kit;
using StripeMeter.V1;
using Xunit;

namespace StripeMeter.Gateway.Tests.Mappings;

public sealed class MappingRouteTests : IClassFixture<RunningGateway>
{
    private const string Path = "/v1/mappings";
    private const string Body = """{"tenantId":"acme","metric":"m","aggregation":"max","priceId":"price_1"}""";
    private readonly RunningGateway _gateway;

    public MappingRouteTests(RunningGateway gateway)
    {
        _gateway = gateway;
        _gateway.Backend.Reset();
    }

    [Fact]
    public async Task Create_Mapping_IsAnsweredWhereItCanBeRead()
    {
        var created = await _gateway.PostAsync(
            Path,
            """
            {"tenantId":"acme","metric":"m","aggregation":"count","stripeAccount":"acct_1","meterId":"mtr_1","meterEventName":"e",
             "currency":"eur","active":false,"customers":{"prefix":"x_","table":{"a":"cus_a"},"tableOnly":true}}
            """);
        var read = await _gateway.GetAsync(created.Headers["Location"] + "?tenantId=acme");

        Assert.Equal(HttpStatusCode.Created, created.Status);
        Assert.Equal(created.Text, read.Text);
        Assert.Equal(
            """
            {"id":"map_0001","tenantId":"acme","metric":"m","aggregation":"count","stripeAccount":"acct_1","priceId":"","meterId":"mtr_1","meterEventName":"e","subscriptionItemId":"","currency":"eur","active":false,"shadow":false,"shadowStripeAccount":"","shadowPriceId":"","shadowMeterId":"","shadowMeterEventName":"","shadowSubscriptionItemId":"","customers":{"prefix":"x_","table":{"a":"cus_a"},"tableOnly":true}}
            """,
            created.Text);
    }

    [Fact]
    public async Task Create_LeastBody_IsActiveInTheDefaultAccount()
    {
        var created = (await _gateway.PostAsync(Path, Body)).Json;

        Assert.True(created.GetProperty("active").GetBoolean());
        Assert.Equal("default", created.GetProperty("stripeAccount").GetString());
        Assert.False(created.GetProperty("customers").GetProperty("tableOnly").GetBoolean());
    }

    [Fact]
    public async Task Create_SecondLiveMapping_Is409()
    {
        await _gateway.PostAsync(Path, Body);

        (await _gateway.PostAsync(Path, Body)).Problem(409);
    }

    [Theory]
    [InlineData("""{"metric":"m","aggregation":"sum"}""", "tenantId")]
    [InlineData("""{"tenantId":"a","aggregation":"sum"}""", "metric")]
    [InlineData("""{"tenantId":"a","metric":"m"}""", "aggregation")]
    [InlineData("""{"tenantId":"a","metric":"m","aggregation":"avg"}""", "aggregation")]
    [InlineData("""{"tenantId":"a","metric":"m","aggregation":"sum","active":"yes"}""", "active")]
    [InlineData("""{"tenantId":"a","metric":"m","aggregation":"sum","priceId":5}""", "priceId")]
    [InlineData("""{"tenantId":"a","metric":"m","aggregation":"sum","price":"price_1"}""", "price")]
    [InlineData("""{"tenantId":"a","metric":"m","aggregation":"sum","metric":"n"}""", "metric")]
    [InlineData("""{"tenantId":"a","metric":"m","aggregation":"sum","id":"mine"}""", "id")]
    [InlineData("""{"tenantId":"a","metric":"m\ud800","aggregation":"sum"}""", "metric")]
    [InlineData("""{"tenantId":"a","metric":"m","aggregation":"sum","customers":[]}""", "customers")]
    [InlineData("""{"tenantId":"a","metric":"m","aggregation":"sum","customers":{"prefix":1}}""", "customers.prefix")]
    [InlineData("""{"tenantId":"a","metric":"m","aggregation":"sum","customers":{"table":{"x":1}}}""", "customers.table.x")]
    [InlineData("""{"tenantId":"a","metric":"m","aggregation":"sum","customers":{"rows":{}}}""", "customers.rows")]
    [InlineData("""{"tenantId":"a","metric":"m","aggregation":"sum","customers":{"table":{"\ud800":"c"}}}""", "body")]
    [InlineData("""{"\ud800":1}""", "body")]
    [InlineData("{", "body")]
    [InlineData("", "body")]
    public async Task Create_WrongBody_IsAProblemThatNamesTheField(string body, string field)
    {
        var problem = (await _gateway.PostAsync(Path, body)).Problem(400);

        Assert.Equal(field, problem.GetProperty("errors")[0].GetProperty("field").GetString());
        Assert.Empty(_gateway.Backend.Mappings);
    }

    [Fact]
    public async Task Update_Members_AreChangedAndTheOthersStay()
    {
        await _gateway.PostAsync(
            Path, """{"tenantId":"acme","metric":"m","aggregation":"max","priceId":"price_1","currency":"usd","customers":{"prefix":"x"}}""");

        var changed = (await _gateway.PutAsync(Path + "/map_0001", """{"tenantId":"acme","aggregation":"last","currency":null}""")).Json;

        Assert.Equal("last", changed.GetProperty("aggregation").GetString());
        Assert.Equal("", changed.GetProperty("currency").GetString());
        Assert.Equal("price_1", changed.GetProperty("priceId").GetString());
        Assert.Equal("x", changed.GetProperty("customers").GetProperty("prefix").GetString());
    }

    [Theory]
    [InlineData(4, HttpStatusCode.OK)]
    [InlineData(5, HttpStatusCode.ServiceUnavailable)]
    public async Task Update_WhileOthersUpdate_KeepsWhatTheyChanged(int others, HttpStatusCode status)
    {
        await _gateway.PostAsync(Path, Body);
        _gateway.Backend.MappingUpdating = () =>
        {
            if (others-- > 0)
                (_gateway.Backend.Mappings["map_0001"].Active, _gateway.Backend.Mappings["map_0001"].UpdatedTime) = (false, new Timestamp { Seconds = others });
        };

        var changed = await _gateway.PutAsync(Path + "/map_0001", """{"tenantId":"acme","currency":"usd"}""");

        Assert.Equal(status, changed.Status);
        Assert.Equal((false, status == HttpStatusCode.OK ? "usd" : ""), (_gateway.Backend.Mappings["map_0001"].Active, _gateway.Backend.Mappings["map_0001"].Currency));
    }

    [Fact]
    public async Task Update_WithTheAnswerItself_ChangesNothing()
    {
        var created = await _gateway.PostAsync(Path, Body);

        var changed = await _gateway.PutAsync(Path + "/map_0001", created.Text);

        Assert.Equal(created.Text, changed.Text);
    }

    [Fact]
    public async Task Update_TenantInAddressThatHidesAnother_IsAProblem()
    {
        await _gateway.PostAsync(Path, Body);

        (await _gateway.PutAsync(Path + "/map_0001?tenantId=other", """{"tenantId":"acme","aggregation":"sum"}""")).Problem(400);
    }

    [Fact]
    public async Task UnknownOrForeignId_Is404Everywhere()
    {
        await _gateway.PostAsync(Path, Body);

        (await _gateway.GetAsync(Path + "/none?tenantId=acme")).Problem(404);
        (await _gateway.GetAsync(Path + "/map_0001?tenantId=other")).Problem(404);
        (await _gateway.PutAsync(Path + "/none", """{"tenantId":"acme"}""")).Problem(404);
        (await _gateway.PutAsync(Path + "/map_0001", """{"tenantId":"other"}""")).Problem(404);
        (await _gateway.SendAsync(new HttpRequestMessage(HttpMethod.Delete, Path + "/none?tenantId=acme"))).Problem(404);
        (await _gateway.SendAsync(new HttpRequestMessage(HttpMethod.Delete, Path + "/map_0001?tenantId=other"))).Problem(404);
        Assert.Single(_gateway.Backend.Mappings);
    }

    [Fact]
    public async Task Delete_Mapping_Is204()
    {
        await _gateway.PostAsync(Path, Body);

        var deleted = await _gateway.SendAsync(new HttpRequestMessage(HttpMethod.Delete, Path + "/map_0001?tenantId=acme"));

        Assert.Equal(HttpStatusCode.NoContent, deleted.Status);
        Assert.Empty(_gateway.Backend.Mappings);
    }

    [Fact]
    public async Task List_Pages_AreLinkedUntilAllAreRead()
    {
        for (var number = 0; number < 5; number++)
        {
            _gateway.Backend.Mappings.Add(
                $"m{number}", new Mapping { Id = $"m{number}", TenantId = "acme", Metric = $"metric {number}", Active = number != 3 });
        }

        var read = new List<string?>();
        var path = Path + "?tenantId=acme&active=true&limit=2";
        while (path is not null)
        {
            var page = await _gateway.GetAsync(path);
            read.AddRange(page.Json.EnumerateArray().Select(mapping => mapping.GetProperty("id").GetString()));
            path = page.Headers.TryGetValue("Link", out var link) ? link[1..link.IndexOf('>', StringComparison.Ordinal)] : null;
        }

        Assert.Equal(["m0", "m1", "m2", "m4"], read);
    }
}
