using Grpc.Core;
using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Errors;
using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Pricing;
using StripeMeter.Metering.Pricing.Scenarios;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Time;
using StripeMeter.V1;

namespace StripeMeter.Pricing.Simulating;

/// <summary>The scenarios of one tenant. Deleting makes one inactive; its id, made of the time, stays its own.</summary>
internal sealed class ScenarioBook(ITenantStore tenant, SimulationOptions options, TimeProvider clock)
{
    private readonly IDocuments _documents = tenant.Documents;

    /// <summary>A scenario that can be computed.</summary>
    /// <exception cref="RpcException">INVALID_ARGUMENT with the path of each field that is wrong.</exception>
    public static Scenario Check(string field, string documentJson)
    {
        var document = SimulationFields.Document(field, documentJson);
        try
        {
            var scenario = ScenarioReader.ReadFlat(document);
            ScenarioRunner.Run(scenario);
            return scenario;
        }
        catch (PricingException refusal)
        {
            throw SimulationFields.Refusal(field, refusal);
        }
    }

    public async Task<SimulationScenario> CreateAsync(string documentJson, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        var created = Described(new SimulationScenario
        {
            Id = Guid.CreateVersion7(now).ToString(), TenantId = tenant.Tenant.Value, Active = true, CreateTime = Instant.Of(now).ToTimestamp(),
        }, documentJson, now);
        if (await _documents.CountAsync(DocumentKind.SimulationScenario, "", cancellation).ConfigureAwait(false) >= options.Scenarios)
            throw RpcErrors.FailedPrecondition("TOO_MANY_SCENARIOS", $"The tenant keeps {options.Scenarios} scenarios already, deleted ones among them.");
        await _documents.WriteAsync(DocumentKind.SimulationScenario, [KeptMessages.Write(created.Id, created, 0)], cancellation).ConfigureAwait(false);
        return created;
    }

    /// <summary>Null if there is none.</summary>
    public async Task<SimulationScenario?> FindKeptAsync(string id, CancellationToken cancellation) =>
        id.Length > 0 && await _documents.GetAsync(DocumentKind.SimulationScenario, id, cancellation).ConfigureAwait(false) is { } stored
            ? KeptMessages.Read<SimulationScenario>(stored)
            : null;

    /// <exception cref="RpcException">NOT_FOUND.</exception>
    public async Task<SimulationScenario> GetAsync(string id, CancellationToken cancellation) =>
        KeptMessages.Read<SimulationScenario>(await FindAsync(id, cancellation).ConfigureAwait(false));

    /// <summary>Scenarios without their documents, in an order that ties break by age, and how many match.</summary>
    public async Task<CountedPage<SimulationScenario>> ListAsync(ListScenariosRequest request, CancellationToken cancellation)
    {
        var (size, offset) = SimulationFields.Page(request.PageSize, request.Offset);
        var after = SimulationFields.Cursor<ScenarioPlace>(request.PageToken);
        if (after is not null && after.Sort != request.Sort)
            throw RpcErrors.Invalid("page_token", "is one of another order");
        var found = new List<(ScenarioPlace Place, SimulationScenario Scenario)>();
        var query = new DocumentQuery(DocumentKind.SimulationScenario) { Limit = options.Page };
        await foreach (var scenario in KeptMessages.ReadAllAsync<SimulationScenario>(_documents, query, cancellation).ConfigureAwait(false))
        {
            if ((request.HasActive && request.Active != scenario.Active) || (request.Tag.Length > 0 && !scenario.Tags.Contains(request.Tag)))
                continue;
            scenario.DocumentJson = "";
            found.Add((ScenarioPlace.Of(scenario, request.Sort), scenario));
        }

        var direction = request.Descending ? -1 : 1;
        found.Sort((left, right) => direction * left.Place.CompareTo(right.Place));
        var page = new CountedPage<SimulationScenario>(offset, size);
        foreach (var (place, scenario) in found)
            page.Add(scenario, after is null || direction * place.CompareTo(after) > 0);
        return page;
    }

    public async Task<SimulationScenario> UpdateAsync(UpdateScenarioRequest request, CancellationToken cancellation)
    {
        var stored = await FindAsync(request.Id, cancellation).ConfigureAwait(false);
        var scenario = KeptMessages.Read<SimulationScenario>(stored);
        Call.NoteBefore(scenario.Clone());
        var document = request.DocumentJson.Length == 0 ? scenario.DocumentJson
            : SimulationFields.Merge(scenario.DocumentJson, SimulationFields.Document("document_json", request.DocumentJson));
        if (request.HasActive)
            scenario.Active = request.Active;
        return await WriteAsync(Described(scenario, document, clock.GetUtcNow()), stored.Revision, cancellation).ConfigureAwait(false);
    }

    public async Task DeleteAsync(string id, CancellationToken cancellation)
    {
        var stored = await FindAsync(id, cancellation).ConfigureAwait(false);
        var scenario = KeptMessages.Read<SimulationScenario>(stored);
        if (!scenario.Active)
            return;
        Call.NoteBefore(scenario.Clone());
        scenario.Active = false;
        scenario.UpdateTime = Instant.Of(clock.GetUtcNow()).ToTimestamp();
        await WriteAsync(scenario, stored.Revision, cancellation).ConfigureAwait(false);
    }

    private async Task<SimulationScenario> WriteAsync(SimulationScenario scenario, long revision, CancellationToken cancellation)
    {
        var written = await _documents.WriteAsync(
            DocumentKind.SimulationScenario, [KeptMessages.Write(scenario.Id, scenario, revision)], cancellation).ConfigureAwait(false);
        return written[0] ? scenario : throw new RpcException(new Status(StatusCode.Aborted, "Somebody else changed the scenario meanwhile; try again."));
    }

    private async Task<StoredDocument> FindAsync(string id, CancellationToken cancellation) =>
        await _documents.GetAsync(DocumentKind.SimulationScenario, SimulationFields.Id(id), cancellation).ConfigureAwait(false)
        ?? throw RpcErrors.NotFound($"The scenario '{id}'");

    private static SimulationScenario Described(SimulationScenario scenario, string documentJson, DateTimeOffset now)
    {
        var read = Check("document_json", documentJson);
        (scenario.Name, scenario.Description, scenario.Version, scenario.DocumentJson) = (read.Name, read.Description, read.Version, documentJson);
        scenario.Tags.Clear();
        scenario.Tags.AddRange(read.Tags);
        scenario.UpdateTime = Instant.Of(now).ToTimestamp();
        return scenario;
    }
}
