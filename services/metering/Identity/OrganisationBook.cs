using System.Text.Json;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Identity;

/// <summary>An organisation. Its id is the tenant id that its events and requests name.</summary>
public sealed record Organisation(TenantId Id, string Name, Instant Created);

/// <summary>A project of an organisation: what keys are made for.</summary>
/// <param name="Id">Names it within its organisation: 1 to 64 lowercase letters, digits and hyphens.</param>
/// <param name="Name">For people.</param>
/// <param name="Created">When it was made.</param>
public sealed record Project(string Id, string Name, Instant Created)
{
    public const int MaximumIdLength = 64;

    public static bool IsId(string id) => id is { Length: > 0 and <= MaximumIdLength }
        && id.All(character => char.IsAsciiLetterLower(character) || char.IsAsciiDigit(character) || character == '-');
}

/// <summary>Organisations and their projects. A tenant needs no organisation to be metered: one names it, and has keys made.</summary>
public sealed class OrganisationBook(IMeterStore store)
{
    /// <summary>Projects of an organisation.</summary>
    public const int MaximumProjects = 1_000;

    /// <summary>False if there is one with this id.</summary>
    public Task<bool> AddAsync(Organisation organisation, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(organisation);
        return WriteAsync(
            store.Directory, DocumentKind.Organisation, organisation.Id.Value,
            new Stored(organisation.Name, organisation.Created.Ticks), cancellation);
    }

    public async Task<Organisation?> GetAsync(TenantId id, CancellationToken cancellation) =>
        await store.Directory.GetAsync(DocumentKind.Organisation, id.Value, cancellation).ConfigureAwait(false) is { } found
            ? ToOrganisation(found)
            : null;

    /// <summary>In the order of their ids, behind one of them.</summary>
    public async Task<IReadOnlyList<Organisation>> ListAsync(string? afterId, int limit, CancellationToken cancellation)
    {
        var query = new DocumentQuery(DocumentKind.Organisation) { After = afterId, Limit = limit };
        var found = await store.Directory.ListAsync(query, cancellation).ConfigureAwait(false);
        return [.. found.Select(ToOrganisation)];
    }

    /// <summary>False if there is one with this id.</summary>
    public Task<bool> AddProjectAsync(TenantId tenant, Project project, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(project);
        return WriteAsync(
            store.Of(tenant).Documents, DocumentKind.Project, project.Id, new Stored(project.Name, project.Created.Ticks), cancellation);
    }

    public async Task<bool> HasProjectAsync(TenantId tenant, string id, CancellationToken cancellation) =>
        await store.Of(tenant).Documents.GetAsync(DocumentKind.Project, id, cancellation).ConfigureAwait(false) is not null;

    /// <summary>In the order of their ids. All of them: there are at most <see cref="MaximumProjects"/>.</summary>
    public async Task<IReadOnlyList<Project>> ListProjectsAsync(TenantId tenant, CancellationToken cancellation)
    {
        var query = new DocumentQuery(DocumentKind.Project) { Limit = MaximumProjects };
        var found = await store.Of(tenant).Documents.ListAsync(query, cancellation).ConfigureAwait(false);
        return [.. found.Select(document => (document.Id, Body: Read(document)))
            .Select(project => new Project(project.Id, project.Body.Name, new Instant(project.Body.Created)))];
    }

    private static async Task<bool> WriteAsync(
        IDocuments documents, DocumentKind kind, string id, Stored body, CancellationToken cancellation)
    {
        var written = await documents.WriteAsync(kind, [new StoredDocument(id, JsonSerializer.Serialize(body), 0)], cancellation).ConfigureAwait(false);
        return written[0];
    }

    private static Organisation ToOrganisation(StoredDocument document)
    {
        var body = Read(document);
        return new Organisation(new TenantId(document.Id), body.Name, new Instant(body.Created));
    }

    private static Stored Read(StoredDocument document) =>
        JsonSerializer.Deserialize<Stored>(document.Body) ?? throw new FormatException("A stored document is empty.");

    private sealed record Stored(string Name, long Created);
}
