using System.Text;
using System.Text.Unicode;
using CsCheck;
using StripeMeter.Gateway.Errors;
using StripeMeter.Gateway.Events;
using Xunit;

namespace StripeMeter.Gateway.Tests.Events;

public sealed class EventJsonTests
{
    private const string Whole =
        """
        {"x":[1,{"a":null}],"events":[
        {"tenantId":"acme","metric":"m","customerRef":"c","quantity":0.3,"ts":"2026-01-31T12:00:00.1234567Z",
         "resourceId":"r","meta":{"a":[1,2.50,"\u00e4"]},"idempotencyKey":"k","source":"sdk"},
        {"tenantId":"acme","metric":"m","customerRef":"c","quantity":"7","ts":"2026-01-31T12:00:00+01:00"}]}
        """;

    private static readonly string[] Fragments =
    [
        "{", "}", "[", "]", ",", ":", "\"", "null", "true", "-1e999", "\"events\"", "\"ts\"", "\"quantity\":", "\\ud800", "\\u0000",
        "1e-400", "{\"events\":[", "\"meta\":{", "00", ".5", "\"tenantId\":[", " ", "ä", "\\", "// x",
    ];

    [Fact]
    public void Read_AnyBytes_IsReadOrRefusedAsAWhole() =>
        Gen.Byte.Array[0, 200].Sample(bytes => ReadsOrRefuses(bytes), iter: 20_000);

    [Fact]
    public void Read_BodyWithOneMutation_IsReadOrRefusedAsAWhole() =>
        Gen.Select(Gen.Int[0, Whole.Length - 1], Gen.Int[0, 12], Gen.OneOf([.. Fragments.Select(Gen.Const)])).Sample(
            (start, length, fragment) =>
            {
                var end = Math.Min(Whole.Length, start + length);
                ReadsOrRefuses(Encoding.UTF8.GetBytes(string.Concat(Whole.AsSpan(0, start), fragment, Whole.AsSpan(end))));
            },
            iter: 50_000);

    [Fact]
    public void Read_RandomJsonFragments_IsReadOrRefusedAsAWhole() =>
        Gen.OneOf([.. Fragments.Select(Gen.Const)]).Array[1, 30].Sample(
            parts => ReadsOrRefuses(Encoding.UTF8.GetBytes("{\"events\":[{" + string.Concat(parts) + "}]}")), iter: 50_000);

    [Fact]
    public void Read_TruncatedBody_IsRefusedAsAWhole()
    {
        var body = Encoding.UTF8.GetBytes(Whole);
        for (var length = 0; length < body.Length; length++)
        {
            var bytes = body[..length];
            if (Utf8.IsValid(bytes))
                Assert.Throws<ProblemException>(() => EventJson.Read(bytes, 1_000));
        }
    }

    [Fact]
    public void Read_DeepNesting_IsSkippedWithoutRecursion()
    {
        var depth = 400_000;
        var body = Encoding.UTF8.GetBytes(
            $$"""{"events":[{"metric":"m","other":{{new string('[', depth)}}{{new string(']', depth)}}}]}""");

        var read = Assert.Single(EventJson.Read(body, 1_000));

        Assert.Null(read.Error);
        Assert.Equal("m", read.Event.Metric);
    }

    [Fact]
    public void Read_EscapedNames_AreTheSameNames()
    {
        var body = """{"\u0065vents":[{"m\u0065tric":"m\u00e4"}]}"""u8;

        Assert.Equal("mä", EventJson.Read(body, 1_000)[0].Event.Metric);
    }

    [Fact]
    public void Read_NullMembers_AreAbsent()
    {
        var body = """{"events":[{"resourceId":null,"meta":null,"idempotencyKey":null,"source":null,"quantity":null,"ts":null}]}"""u8;

        var read = EventJson.Read(body, 1_000)[0];

        Assert.Null(read.Error);
        Assert.Equal(new V1.UsageEvent(), read.Event);
    }

    /// <summary>Whatever the bytes are: either events come out, or one problem of a 4xx status.</summary>
    private static void ReadsOrRefuses(byte[] bytes)
    {
        // Bodies that are not UTF-8 are refused before they are read.
        if (!Utf8.IsValid(bytes))
            return;
        try
        {
            Assert.NotEmpty(EventJson.Read(bytes, 1_000));
        }
        catch (ProblemException problem)
        {
            Assert.Equal(400, problem.Problem.Status);
        }
    }
}
