using System.CommandLine;
using System.Text.Json.Nodes;
using StripeMeter.Cli.Commands;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Tenants;

namespace StripeMeter.Cli.Keys;

/// <summary>
/// <c>stripemeter keys create</c>: makes a key in the store itself. It is how the first key comes about: whoever reaches the
/// store owns the data, and there is no secret that would let others do the same from afar. Further keys are made by REST.
/// </summary>
internal static class KeysCommand
{
    private const string DefaultName = "Default Key";

    public static Command Create(CliHost host) => new("keys", "Makes API keys.") { CreateKey(host) };

    private static Command CreateKey(CliHost host)
    {
        var tenant = new Option<string>("--tenant") { Description = "Tenant id whose key it is. An organisation is recorded if there is none.", Required = true };
        var name = new Option<string>("--name") { Description = "For people.", DefaultValueFactory = _ => DefaultName };
        var scopes = new Option<string[]>("--scope")
        {
            Description = $"What it may do; may be given several times. Default: project:read and project:write. One of {string.Join(", ", ScopeNames.All)}.",
            HelpName = "SCOPE",
            DefaultValueFactory = _ => [.. ScopeNames.Of(Scopes.Default)],
        };
        var test = new Option<bool>("--test") { Description = "Whether the key says test instead of live. Both reach the same data." };
        var command = new Command(
            "create", "Makes a key in the store that STORAGE_ENGINE, DATA_DIRECTORY, MONGO_URL and MONGO_DATABASE name, under the API_KEY_SALT of the services. Shows it once.")
        {
            tenant, name, scopes, test,
        };
        return command.Does(host, async (call, cancellation) =>
        {
            var draft = new KeyDraft(ReadTenant(call.Required(tenant)), call.Required(name), ReadScopes(call.Required(scopes)), !call.Value(test));
            var (secret, key) = await new KeyMaker(host).CreateAsync(draft, cancellation).ConfigureAwait(false);
            if (call.Printer.IsJson)
            {
                await call.Printer.WriteJsonAsync(new JsonObject
                {
                    ["apiKey"] = secret, ["id"] = key.Id, ["tenantId"] = draft.Tenant.Value, ["name"] = key.Name,
                    ["scopes"] = new JsonArray([.. ScopeNames.Of(key.Scopes).Select(scope => JsonValue.Create(scope))]),
                }).ConfigureAwait(false);
            }
            else
            {
                await host.Out.WriteLineAsync(secret).ConfigureAwait(false);
                await host.Error.WriteLineAsync("Keep it: it is not shown again.").ConfigureAwait(false);
            }

            return ExitCode.Ok;
        });
    }

    private static TenantId ReadTenant(string text) => TenantId.IsValid(text)
        ? new TenantId(text)
        : throw new CliException($"--tenant must have 1 to {TenantId.MaximumLength} printable characters.");

    private static Scopes ReadScopes(string[] names)
    {
        var scopes = Scopes.None;
        foreach (var name in names)
        {
            if (!ScopeNames.TryRead(name, out var scope))
                throw new CliException($"--scope '{name}' must be one of {string.Join(", ", ScopeNames.All)}.");
            scopes |= scope;
        }

        return scopes;
    }
}
