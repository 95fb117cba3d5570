using System.Text.Json.Nodes;
using StripeMeter.Cli.Printing;

namespace StripeMeter.Cli.Ingesting;

/// <summary>Adds up what became of the rows of a file.</summary>
internal sealed class IngestTally(int maximumProblems)
{
    private const int MaximumShown = 20;
    private readonly Lock _gate = new();
    private readonly List<RowProblem> _problems = [];

    public long Rows { get; private set; }

    public long Accepted { get; private set; }

    public long Late { get; private set; }

    public long Duplicates { get; private set; }

    public long Conflicts { get; private set; }

    public long Errors { get; private set; }

    public bool IsClean => Conflicts == 0 && Errors == 0;

    /// <summary>A row that was not even sent.</summary>
    public void Refuse(long line, string reason)
    {
        lock (_gate)
        {
            (Rows, Errors) = (Rows + 1, Errors + 1);
            Note(line, "error", reason);
        }
    }

    /// <summary>The results of a request, whose events stood on these lines.</summary>
    public void Add(IReadOnlyList<long> lines, IEnumerable<JsonNode> results)
    {
        lock (_gate)
        {
            foreach (var (line, result) in lines.Zip(results))
                Add(line, result);
        }
    }

    public override string ToString()
    {
        lock (_gate)
            return $"{Rows} rows: {Accepted} accepted, {Duplicates} duplicates, {Conflicts} conflicts, {Errors} errors";
    }

    public Table ToTable() => new Table("ROWS", "ACCEPTED", "LATE", "DUPLICATES", "CONFLICTS", "ERRORS")
        .Add(FormattableString.Invariant($"{Rows}"), FormattableString.Invariant($"{Accepted}"), FormattableString.Invariant($"{Late}"),
            FormattableString.Invariant($"{Duplicates}"), FormattableString.Invariant($"{Conflicts}"), FormattableString.Invariant($"{Errors}"));

    /// <summary>The first problems, by line.</summary>
    public IReadOnlyList<RowProblem> Problems => [.. _problems.OrderBy(problem => problem.Line)];

    /// <summary>Tells people of the first problems.</summary>
    public async Task WriteProblemsAsync(TextWriter error)
    {
        foreach (var problem in Problems.Take(MaximumShown))
            await error.WriteLineAsync($"line {problem.Line}: {problem.Status}: {problem.Reason}").ConfigureAwait(false);
        if (Problems.Count > MaximumShown)
            await error.WriteLineAsync($"and more; --output json lists the first {maximumProblems}").ConfigureAwait(false);
    }

    public JsonObject ToJson() => new()
    {
        ["rows"] = Rows,
        ["accepted"] = Accepted,
        ["late"] = Late,
        ["duplicates"] = Duplicates,
        ["conflicts"] = Conflicts,
        ["errors"] = Errors,
        ["problems"] = new JsonArray([.. Problems.Select(problem => (JsonNode)new JsonObject
        {
            ["line"] = problem.Line, ["status"] = problem.Status, ["reason"] = problem.Reason,
        })]),
    };

    private void Add(long line, JsonNode result)
    {
        Rows++;
        var status = result.Text("status");
        switch (status)
        {
            case "accepted":
                Accepted++;
                Late += result["late"] is null ? 0 : 1;
                return;
            case "duplicate":
                Duplicates++;
                return;
            case "conflict":
                Conflicts++;
                break;
            default:
                Errors++;
                break;
        }

        Note(line, status, result.Text("error"));
    }

    private void Note(long line, string status, string reason)
    {
        if (_problems.Count < maximumProblems)
            _problems.Add(new RowProblem(line, status, reason));
    }
}

/// <summary>A row that is not in the ledger now.</summary>
internal readonly record struct RowProblem(long Line, string Status, string Reason);
