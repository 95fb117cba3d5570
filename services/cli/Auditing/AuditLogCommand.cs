using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using StripeMeter.Cli.Commands;
using StripeMeter.Cli.Rest;
using StripeMeter.Metering.AuditLog;

namespace StripeMeter.Cli.Auditing;

/// <summary><c>stripemeter audit-log verify</c>: reads a tenant's audit log and computes its chain of hashes anew.</summary>
internal static class AuditLogCommand
{
    private const string Path = "v1/audit-log";
    private const string PageSize = "1000";

    public static Command Create(CliHost host) => new("audit-log", "The log of who changed what.") { Verify(host) };

    private static Command Verify(CliHost host)
    {
        var tenant = new Option<string>("--tenant") { Description = "Tenant id; not needed with a key." };
        var head = new Option<string>("--head")
        {
            Description = "A head that an earlier run showed. It must still be in the chain: only so the removal of the newest entries shows.",
            HelpName = "HASH",
        };
        var command = new Command("verify", "Computes the chain anew, entry by entry. Exit code 1 if an entry was changed or is missing.") { tenant, head };
        return command.Does(host, async (call, cancellation) =>
        {
            var check = new ChainCheck();
            var expected = call.Value(head);
            var isHeadFound = expected is null || expected == check.Head;
            string? cursor = null;
            do
            {
                var address = RestAddress.Of(Path, ("tenantId", call.Value(tenant)), ("sortDir", "asc"), ("limit", PageSize), ("cursor", cursor));
                var page = await call.Rest.GetAsync(address, cancellation).ConfigureAwait(false);
                foreach (var entry in page["entries"]!.AsArray())
                {
                    if (!check.Take(ToEntry(entry!)))
                        throw new CliException(string.Create(CultureInfo.InvariantCulture, $"The audit log is broken behind entry {check.Entries} (hash {check.Head})."));
                    isHeadFound |= expected == check.Head;
                }

                cursor = (string?)page["nextCursor"];
            }
            while (cursor is not null);
            if (!isHeadFound)
                throw new CliException("The audit log does not hold the entry that --head names: what came with it was removed or changed.");
            await WriteAsync(call, check).ConfigureAwait(false);
            return ExitCode.Ok;
        });
    }

    private static Task WriteAsync(CommandCall call, ChainCheck check) => call.Printer.IsJson
        ? call.Printer.WriteJsonAsync(new JsonObject { ["entries"] = check.Entries, ["head"] = check.Head, ["unresolved"] = new JsonArray([.. check.Unresolved.Select(entry => (JsonNode)entry)]) })
        : call.Host.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{check.Entries} entries, unbroken. Head: {check.Head}{Interrupted(check)}"));

    private static string Interrupted(ChainCheck check) => check.Unresolved.Count == 0 ? ""
        : $"{Environment.NewLine}Begun and without an outcome, so being made or interrupted: {string.Join(", ", check.Unresolved)}";

    private static ChainedEntry ToEntry(JsonNode entry) =>
        new((string)entry["text"]!, (string)entry["previousHash"]!, (string)entry["hash"]!);
}
