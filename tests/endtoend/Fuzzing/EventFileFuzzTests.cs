using System.Text;
using StripeMeter.EventFiles;
using StripeMeter.Metering.Events;
using StripeMeter.Metering.Time;
using Xunit;

namespace StripeMeter.EndToEnd.Tests.Fuzzing;

/// <summary>
/// Files that are almost right: every row is read, or said to be wrong and why, and reading ends. What is read is an event or
/// breaks a rule that has a name.
/// </summary>
public sealed class EventFileFuzzTests
{
    private static readonly EventFileDefaults Defaults = new() { Tenant = "fuzz", Metric = "m", KeyPrefix = "row", MaximumRowBytes = 2_000 };
    private static readonly EventRules Rules = new(new EventLimits());
    private static readonly Instant Now = Instant.OfDate(2026, 3, 1);

    private static readonly string[] Csv =
    [
        "tenantId,metric,customerRef,quantity,ts,idempotencyKey,meta\nfuzz,m,c,1.5,2026-02-01T00:00:00Z,k,\"{\"\"a\"\":1}\"\r\nfuzz,m,c,2,2026-02-01T00:00:00+01:00,,\n",
        "customer,qty,ts\n\"c\n1\",0.1,2026-02-01T00:00:00Z\n\nd,3,2026-02-01T00:00:00Z",
        "quantity,ts,other,source\n1,2026-02-01T00:00:00Z,x,import\n",
    ];

    private static readonly string[] JsonLines =
    [
        """{"tenantId":"fuzz","metric":"m","customerRef":"c","quantity":1.50,"ts":"2026-02-01T00:00:00Z","idempotencyKey":"k","meta":{"a":[1]}}""" + "\n\n" + """{"quantity":"2","ts":"2026-02-01T00:00:00Z","customerRef":"\ud83d\ude00"}""",
        """{"quantity":1e3,"ts":"2026-02-01T00:00:00Z"}""" + "\r\n" + """{"qty":null,"ts":5}""" + "\n[]\n",
    ];

    private static readonly byte[][] Pieces =
    [
        .. new[] { "\"", "\"\"", ",", "\n", "\r\n", "\r", "{", "}", "[", ":", "\\ud800", "\\u0000", "null", "1e400", "-0", "2026-02-30T00:00:00Z", "quantity", "ts", "\t", "é" }
            .Select(Encoding.UTF8.GetBytes),
        [0xff], [0xc3, 0x28], [0xef, 0xbb, 0xbf], [0x00], Encoding.UTF8.GetBytes(new string('x', 2_100)),
    ];

    [Theory, InlineData(EventFileFormat.Csv), InlineData(EventFileFormat.JsonLines)]
    public Task Read_AnyBytes_EveryRowIsReadOrSaidToBeWrong(EventFileFormat format)
    {
        var corpus = format == EventFileFormat.Csv ? Csv : JsonLines;
        return FuzzRun.RunAsync(Array.ConvertAll(corpus, Encoding.UTF8.GetBytes), Pieces, async input =>
        {
            using var content = new MemoryStream(input);
            var (line, number) = (0L, 0L);
            try
            {
                await foreach (var row in EventFile.ReadAsync(content, format, Defaults, CancellationToken.None))
                {
                    Assert.True(row.Line > line, "Rows come in the order of their lines.");
                    Assert.Equal(number + 1, row.Number);
                    (line, number) = (row.Line, row.Number);
                    AssertIsEventOrWrong(row);
                }
            }
            catch (EventFileException problem)
            {
                Assert.NotEmpty(problem.Message);
            }
        });
    }

    private static void AssertIsEventOrWrong(EventRow row)
    {
        var error = row.Problem ?? Rules.Check(row.Draft, Now, out _, out _);
        if (error is not null)
            Assert.True(error.Field.Length > 0 && error.Reason.Length > 0, "An error names its field and the reason.");
    }
}
