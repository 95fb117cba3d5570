using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using StripeMeter.Kits.Files;
using StripeMeter.Kits.OpenApi;
using Xunit;

namespace StripeMeter.EndToEnd.Tests.Documents;

/// <summary>What the documents show: every operation, with commands that answer what is shown, which is what the OpenAPI document says.</summary>
public sealed class ApiDocumentTests
{
    private static readonly ApiDocument Contract = new(File.ReadAllText(Path.Combine(Repository.Root, "docs/openapi.json")));

    [Theory]
    [InlineData("docs/api.md")]
    [InlineData("docs/keys.md")]
    [InlineData("docs/welcome.md")]
    public async Task Document_EveryCommand_AnswersWhatItShowsAndWhatTheContractSays(string document)
    {
        var answers = Directory.CreateTempSubdirectory("stripemeter-answers-");
        try
        {
            await RunAsync(document, answers.FullName);
            var commands = answers.GetFiles("*.sh").OrderBy(file => file.Name, StringComparer.Ordinal);
            Assert.NotEmpty(commands);
            Assert.Empty(commands.SelectMany(file => Breaks(File.ReadAllText(file.FullName), File.ReadAllText(Path.ChangeExtension(file.FullName, ".answer")))));
        }
        finally
        {
            answers.Delete(recursive: true);
        }
    }

    /// <summary>The runbook's commands are run by <see cref="RunbookTests"/>.</summary>
    [Fact]
    public void Operations_All_AreShownByACommand()
    {
        string[] documents = ["docs/api.md", "docs/keys.md", "docs/welcome.md", "RECONCILIATION.md"];
        var shown = documents.SelectMany(document => ShownRequest.In(File.ReadAllText(Path.Combine(Repository.Root, document))))
            .Select(request => Contract.Match(request.Method, request.Path)).ToHashSet();

        Assert.DoesNotContain(Contract.Operations, operation => !shown.Contains(operation));
    }

    /// <summary>What in an answer is not as the contract has it.</summary>
    private static IEnumerable<string> Breaks(string command, string answer)
    {
        if (ShownRequest.Last(command) is not { } request)
            return [];
        if (Contract.Match(request.Method, request.Path) is not { } operation)
            return [$"{request.Method} {request.Path} is in no contract"];
        var values = Json(answer).ToList();
        var status = values is [JsonObject problem] && problem["type"] is JsonValue && problem["instance"] is not null ? (int)problem["status"]! : SuccessOf(operation);
        if (Contract.Response(operation, status) is not { } response)
            return [$"{operation} is not documented to answer {status}"];
        var schema = response["content"]?.AsObject().First().Value!["schema"];
        return schema is null ? [] : values.SelectMany(value => Contract.Breaks(value, schema, $"{operation}: $"));
    }

    private static int SuccessOf(ApiOperation operation) => operation.Description["responses"]!.AsObject()
        .Select(response => int.TryParse(response.Key, out var status) ? status : 0).Single(status => status is >= 200 and < 300);

    /// <summary>An answer that is JSON, or JSON Lines; none of a table, or of what a command cut out.</summary>
    private static IEnumerable<JsonNode?> Json(string answer)
    {
        try
        {
            return answer.StartsWith('{') && answer.Contains("}\n{", StringComparison.Ordinal)
                ? [.. answer.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line))]
                : [JsonNode.Parse(answer)];
        }
        catch (JsonException)
        {
            return [];
        }
    }

    private static async Task RunAsync(string document, string answers)
    {
        var start = new ProcessStartInfo("bash", [Path.Combine(Repository.Root, "tests/docs/run.sh"), document])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        start.Environment["ANSWERS"] = answers;
        using var run = Process.Start(start)!;
        var output = run.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var error = run.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await run.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(run.ExitCode == 0, await output + await error);
    }
}
