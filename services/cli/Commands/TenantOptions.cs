using System.CommandLine;

namespace StripeMeter.Cli.Commands;

/// <summary>Options that commands about a tenant's books share. Each command has its own, so that it says itself what is required.</summary>
internal static class TenantOptions
{
    public static Option<string> Tenant() => new("--tenant") { Description = "The tenant.", Required = true };

    public static Option<string?> Metric() => new("--metric") { Description = "Only this metric." };

    public static Option<string?> Customer() => new("--customer") { Description = "Only this customer." };

    public static Option<string> RequiredMetric() => new("--metric") { Description = "The metric.", Required = true };

    public static Option<string> RequiredCustomer() =>
        new("--customer") { Description = "The customer, as the tenant names it.", Required = true };

    public static Option<string?> Note() => new("--note") { Description = "What you have to say about it; kept." };

    public static Option<int> Limit(int normal, int maximum)
    {
        var limit = new Option<int>("--limit")
        {
            Description = $"Most entries shown, 1 to {maximum}.", DefaultValueFactory = _ => normal,
        };
        limit.Within(1, maximum);
        return limit;
    }
}
