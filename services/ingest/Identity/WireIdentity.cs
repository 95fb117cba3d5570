using Google.Protobuf.WellKnownTypes;
using StripeMeter.Defaults.Errors;
using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Time;
using DomainKey = StripeMeter.Metering.Identity.ApiKey;
using DomainOrganisation = StripeMeter.Metering.Identity.Organisation;
using DomainProject = StripeMeter.Metering.Identity.Project;

namespace StripeMeter.Ingest.Identity;

/// <summary>Organisations, projects and keys as the API shows them, and what it is sent of them.</summary>
internal static class WireIdentity
{
    public static V1.Organisation ToWire(this DomainOrganisation organisation) => new()
    {
        Id = organisation.Id.Value, Name = organisation.Name, CreateTime = organisation.Created.ToTimestamp(),
    };

    public static V1.Project ToWire(this DomainProject project) => new()
    {
        Id = project.Id, Name = project.Name, CreateTime = project.Created.ToTimestamp(),
    };

    public static V1.ApiKey ToWire(this DomainKey key, Instant now)
    {
        var shown = new V1.ApiKey
        {
            Id = key.Id, Name = key.Name, ProjectId = key.Project, Livemode = ApiKeyText.IsLive(key.Id), Usable = key.IsUsable(now),
            CreateTime = key.Created.ToTimestamp(), Creator = key.CreatedBy, ExpireTime = key.Expires?.ToTimestamp(),
            RevokeTime = key.Revoked?.ToTimestamp(), LastUseTime = key.LastUsed?.ToTimestamp(), ReplacedBy = key.ReplacedBy,
        };
        shown.Scopes.AddRange(ScopeNames.Of(key.Scopes));
        return shown;
    }

    public static Scopes ReadScopes(IReadOnlyCollection<string> names)
    {
        if (names.Count == 0)
            return Scopes.Default;
        var scopes = Scopes.None;
        foreach (var name in names)
        {
            if (!ScopeNames.TryRead(name, out var scope))
                throw RpcErrors.Invalid("scopes", $"must be of {string.Join(", ", ScopeNames.All)}");
            scopes |= scope;
        }

        return scopes;
    }

    public static Instant? ReadExpiry(Timestamp? time, Instant now)
    {
        if (time is null)
            return null;
        if (time.TryToInstant(out var expires) is { } reason)
            throw RpcErrors.Invalid("expire_time", reason);
        return expires > now ? expires : throw RpcErrors.Invalid("expire_time", "must be in the future");
    }

    public static TimeSpan ReadSpan(string field, Duration? sent, TimeSpan least, TimeSpan most, TimeSpan normal)
    {
        if (sent is null)
            return normal;
        return sent.Seconds >= (long)least.TotalSeconds && sent.Seconds <= (long)most.TotalSeconds
            ? TimeSpan.FromSeconds(sent.Seconds)
            : throw RpcErrors.Invalid(field, $"must be {least.TotalSeconds} to {most.TotalSeconds} seconds");
    }
}
