using System.Runtime.CompilerServices;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;

namespace StripeMeter.Defaults.Access;

/// <summary>
/// How services vouch for a caller among each other: what was proven at the door, signed, for a minute. A service believes
/// this and nothing that a request says of itself.
/// </summary>
public sealed class CallerToken(KeySecret secret, TimeProvider clock)
{
    /// <summary>The header that carries it.</summary>
    public const string Header = "x-stripemeter-caller";

    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan ReusedFor = TimeSpan.FromSeconds(20);
    private readonly SignedToken<Claims> _tokens = new(secret.Derive("caller"), "c.");
    private readonly ConditionalWeakTable<Principal, Signed> _signed = [];

    public string Of(Principal principal)
    {
        ArgumentNullException.ThrowIfNull(principal);
        var now = Instant.Of(clock.GetUtcNow());
        if (_signed.TryGetValue(principal, out var signed) && now < signed.Until)
            return signed.Text;
        var claims = new Claims(
            principal.Name, [.. principal.Tenants.Select(tenant => tenant.Value)], principal.ReachesAll, principal.Customer,
            principal.Project, (int)principal.Scopes);
        signed = new Signed(_tokens.Write(claims, now + Lifetime), now + ReusedFor);
        _signed.AddOrUpdate(principal, signed);
        return signed.Text;
    }

    /// <summary>Null if it is not ours, or old.</summary>
    public Principal? Read(string text) => !_tokens.TryRead(text, Instant.Of(clock.GetUtcNow()), out var claims)
        ? null
        : new Principal
        {
            Name = claims.Name, Tenants = claims.Tenants.Select(tenant => new TenantId(tenant)).ToHashSet(),
            ReachesAll = claims.ReachesAll, Customer = claims.Customer, Project = claims.Project, Scopes = (Scopes)claims.Scopes,
        };

    private sealed record Claims(string Name, string[] Tenants, bool ReachesAll, string Customer, string Project, int Scopes);

    private sealed record Signed(string Text, Instant Until);
}
