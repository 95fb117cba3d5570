using System.Text.Json.Nodes;

namespace StripeMeter.StripeDouble.Tests.Contract;

/// <summary>The table tells what breaks it.</summary>
public sealed class ContractTableTests
{
    private const string Stream = "/v2/billing/meter_event_stream";

    private static readonly ContractTable Table = new();

    [Theory]
    [InlineData("POST", "/v1/billing/meter_events", "event_name=x&payload[value]=1&colour=red", "colour is unknown")]
    [InlineData("POST", "/v1/billing/meter_events", "payload[value]=1", "event_name is missing")]
    [InlineData("POST", "/v1/billing/meter_events", "event_name=x&payload[value]=1&timestamp=now", "timestamp is no integer")]
    [InlineData("GET", "/v1/billing/meters", "status=broken", "status is none of [\"active\",\"inactive\"]")]
    [InlineData("POST", "/v1/billing/meters", "display_name=x&event_name=x&default_aggregation[formula]=sum&customer_mapping[type]=by_id", "customer_mapping[event_payload_key] is missing")]
    [InlineData("POST", Stream, "events[0][event_name]=x&events[0][payload][a]=1&events[1][event_name]=x", "events[*][payload][*] is missing")]
    [InlineData("POST", Stream, "events[0][event_name]=x&events[0][payload][a]=1&events[0][colour]=red", "events[0][colour] is unknown")]
    [InlineData("POST", Stream, "events[0][event_name]=x&events[0][payload][a]=1&events[0][timestamp]=1", "events[0][timestamp] is no date and time")]
    public void Request_ThatBreaksARule_IsTold(string method, string path, string form, string fault)
    {
        var parameters = form.Split('&').Select(static pair => KeyValuePair.Create(pair.Split('=')[0], pair.Split('=')[1])).ToList();
        Assert.Equal([fault], Table.Faults(method, path, parameters));
    }

    [Fact]
    public void Request_WithoutElements_LacksWhatEachMustHave() =>
        Assert.Equal(["events[*][event_name] is missing", "events[*][payload][*] is missing"], Table.Faults("POST", Stream, new List<KeyValuePair<string, string>>()));

    [Fact]
    public void Request_WithTooManyElements_IsTold()
    {
        var events = Enumerable.Range(0, 101).SelectMany(static index => new KeyValuePair<string, string>[]
        {
            new($"events[{index}][event_name]", "x"), new($"events[{index}][payload][a]", "1"),
        }).ToList();
        Assert.Equal(["events[*] is there more than 100 times"], Table.Faults("POST", Stream, events));
        Assert.Empty(Table.Faults("POST", Stream, events[2..]));
    }

    [Theory]
    [InlineData("POST", "/v1/subscription_items/si_1/usage_records", """{"object":"usage_record","id":"1","livemode":false,"quantity":"5","subscription_item":"si_1","timestamp":1}""", "quantity is string, not number")]
    [InlineData("POST", "/v1/subscription_items/si_1/usage_records", """{"object":"usage_record","id":"1","livemode":false,"quantity":5,"timestamp":1}""", "subscription_item is null, not string")]
    [InlineData("POST", "/v1/subscription_items/si_1/usage_records", """{"object":"usage_record","id":"1","livemode":true,"quantity":5,"subscription_item":"si_1","timestamp":1}""", "livemode is true, not one of [false]")]
    [InlineData("GET", "/v1/customers", """{"object":"list","url":"/v1/customers","has_more":false,"data":[]}""", "data[] has no elements")]
    [InlineData("GET", "/v1/invoices", """{"object":"list","url":"/v1/customers","has_more":false,"data":[]}""", "url is \"/v1/customers\", not one of [\"/v1/invoices\"]", "data[] has no elements")]
    [InlineData("POST", Stream, """{"object":"list"}""", "it is something")]
    public void Reply_ThatBreaksARule_IsTold(string method, string path, string reply, params string[] faults) =>
        Assert.Equal(faults, Table.Faults(method, path, JsonNode.Parse(reply)!.AsObject()));

    [Fact]
    public void EveryRow_SaysHowSureItIs()
    {
        Assert.NotEmpty(Table.Rows);
        Assert.Empty(Table.Rows.Where(static row => !ContractTable.Marks.Contains((string?)row.Row["sure"])).Select(static row => row.About));
    }
}
