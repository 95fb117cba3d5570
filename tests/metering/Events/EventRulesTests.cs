using System.Text;
using CsCheck;
using StripeMeter.Metering.Events;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Tests.Events;

public sealed class EventRulesTests
{
    private static readonly Instant Now = Instant.OfDate(2026, 3, 14) + TimeSpan.FromHours(12);
    private static readonly EventRules Rules = new(new EventLimits());

    private static readonly EventDraft Good = new()
    {
        Tenant = "acme", Metric = "api_calls", Customer = "cus_1", Quantity = "1.50", Timestamp = Now,
    };

    public static TheoryData<string, string, EventDraft> Broken() => new()
    {
        { "tenant_id", "is required", Good with { Tenant = null } },
        { "tenant_id", "is required", Good with { Tenant = "" } },
        { "tenant_id", "must have 1 to 128 printable characters", Good with { Tenant = new string('t', 129) } },
        { "tenant_id", "must have 1 to 128 printable characters", Good with { Tenant = "a\nb" } },
        { "metric", "is required", Good with { Metric = null } },
        { "metric", "is required", Good with { Metric = "" } },
        { "metric", "must have at most 100 characters, not 256", Good with { Metric = new string('m', 256) } },
        { "metric", "must be well-formed text without control characters", Good with { Metric = "a\0b" } },
        { "customer_ref", "is required", Good with { Customer = null } },
        { "customer_ref", "must have at most 255 characters, not 256", Good with { Customer = new string('c', 256) } },
        { "customer_ref", "must be well-formed text without control characters", Good with { Customer = "\uD800" } },
        { "resource_id", "must have at most 255 characters, not 256", Good with { Resource = new string('r', 256) } },
        { "resource_id", "must be well-formed text without control characters", Good with { Resource = "a\u2028b" } },
        { "idempotency_key", "must have at most 255 characters, not 256", Good with { Key = new string('k', 256) } },
        { "idempotency_key", "must be well-formed text without control characters", Good with { Key = "\u007F" } },
        { "quantity", "is required", Good with { Quantity = null } },
        { "quantity", "must be a decimal number, such as 12.5", Good with { Quantity = "many" } },
        { "quantity", "must be greater than 0", Good with { Quantity = "0" } },
        { "quantity", "must be greater than 0", Good with { Quantity = "-1" } },
        { "quantity", "must have at most 15 integer digits", Good with { Quantity = "1000000000000000" } },
        { "quantity", "must have at most 12 decimals", Good with { Quantity = "0.0000000000001" } },
        { "timestamp", "is required", Good with { Timestamp = null } },
        { "timestamp", "must have a zone", Good with { Timestamp = null, TimestampProblem = "must have a zone" } },
        { "timestamp", "must be at most 60 minutes ahead of now, 2026-03-14T12:00:00Z", Good with { Timestamp = new Instant(Now.Ticks + TimeSpan.TicksPerHour + 1) } },
        { "timestamp", "must be in the years 1 to 9999", Good with { Timestamp = new Instant(Instant.Minimum.Ticks - 1) } },
        { "timestamp", "must be in the years 1 to 9999", Good with { Timestamp = new Instant(Instant.Maximum.Ticks + 1) } },
        { "meta", "must have at most 4096 bytes, not 5013", Good with { Meta = $$"""{"text": "{{new string('x', 5001)}}"}""" } },
        { "meta", "must have at most 4096 bytes, not 4209", Good with { Meta = $$"""{"t":"{{new string('日', 1400)}}!"}""" } },
        { "meta", "must be a JSON object", Good with { Meta = "[1]" } },
        { "meta", "must be a JSON object", Good with { Meta = "null" } },
        { "meta", "must be a JSON object nested at most 32 deep", Good with { Meta = "{" } },
        { "meta", "must be a JSON object nested at most 32 deep", Good with { Meta = "{\"a\":" + new string('[', 32) + new string(']', 32) + "}" } },
        { "meta", "must be a JSON object of well-formed text that names each member once", Good with { Meta = """{"a":{"b":1,"b":2}}""" } },
        { "meta", "must be a JSON object of well-formed text that names each member once", Good with { Meta = """{"a":"\ud800"}""" } },
        { "meta", "must be a JSON object of well-formed text that names each member once", Good with { Meta = """{"\ud800":1}""" } },
        { "meta", "must be a JSON object of well-formed text that names each member once", Good with { Meta = "{\"a\":\"\uD800\"}" } },
    };

    [Theory]
    [MemberData(nameof(Broken))]
    public void Check_ABrokenRule_NamesFieldAndReason(string field, string reason, EventDraft draft)
    {
        var error = Rules.Check(draft, Now, out _, out var usage);

        Assert.Equal(new FieldError(field, reason), error);
        Assert.Null(usage);
    }

    [Fact]
    public void Check_SeveralBrokenRules_NamesTheFirst() => Assert.Equal(
        "metric", Rules.Check(Good with { Metric = "", Quantity = "0", Timestamp = null }, Now, out _, out _)!.Field);

    [Fact]
    public void Check_AGoodDraft_IsTheEvent()
    {
        var draft = Good with { Resource = "gpu", Meta = """{ "b": 2, "a": 1.0 }""", Source = EventSource.Sdk };

        var error = Rules.Check(draft, Now, out var tenant, out var usage);

        Assert.Null(error);
        Assert.Equal(new TenantId("acme"), tenant);
        Assert.Equal(
            new UsageEvent("api_calls", "cus_1", "gpu", Quantity.Parse("1.5"), Now, """{"a":1.0,"b":2}""", EventSource.Sdk), usage);
    }

    public static TheoryData<EventDraft> AtTheLimit() => new()
    {
        Good with { Tenant = new string('t', 128) },
        Good with { Metric = new string('m', 100) },
        Good with { Customer = new string('c', 255) },
        Good with { Resource = new string('r', 255) },
        Good with { Key = new string('k', 255) },
        Good with { Customer = "日本 😀 a/b?c#d|e" },
        Good with { Quantity = "999999999999999.999999999999" },
        Good with { Quantity = "0.000000000001" },
        Good with { Timestamp = Now + TimeSpan.FromHours(1) },
        Good with { Timestamp = Instant.Minimum },
        Good with { Meta = $$"""{"t":"{{new string('x', 4088)}}"}""" },
        Good with { Meta = "{\"a\":" + new string('[', 31) + new string(']', 31) + "}" },
    };

    [Theory]
    [MemberData(nameof(AtTheLimit))]
    public void Check_AtALimit_IsAccepted(EventDraft draft) => Assert.Null(Rules.Check(draft, Now, out _, out _));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData(" { } ")]
    public void Check_NoMeta_IsEmpty(string? meta)
    {
        Rules.Check(Good with { Meta = meta }, Now, out _, out var usage);

        Assert.Equal("", usage!.Meta);
    }

    [Fact]
    public void Check_AnyText_NeverThrows()
    {
        var text = Gen.String[Gen.OneOf(Gen.Char, Gen.Char["{}[]\":,\\u0d8 "]), 0, 40].Null();

        Gen.Select(text, text, text, text, text, text).Sample((tenant, metric, customer, quantity, meta, key) =>
        {
            var draft = new EventDraft
            {
                Tenant = tenant, Metric = metric, Customer = customer, Quantity = quantity, Meta = meta, Key = key, Timestamp = Now,
            };
            var error = Rules.Check(draft, Now, out _, out var usage);
            return (error is null) == (usage is not null);
        });
    }

    [Fact]
    public void Check_AnyMeta_NeverThrowsAndIsIdempotent()
    {
        var meta = Gen.String[Gen.Char["{}[]\":,\\ud80019.e+-truefalsn "], 0, 30].Select(inner => "{\"a\":" + inner + "}");

        meta.Sample(text =>
        {
            if (Rules.Check(Good with { Meta = text }, Now, out _, out var usage) is not null)
                return;
            Assert.Null(Rules.Check(Good with { Meta = usage!.Meta }, Now, out _, out var again));
            Assert.Equal(usage.Meta, again!.Meta);
            Assert.Equal(usage.Meta, Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(usage.Meta)));
        });
    }
}
