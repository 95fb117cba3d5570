using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Mappings;

/// <summary>The mappings of one tenant.</summary>
public interface IMappings
{
    Task<Mapping?> GetAsync(string id, CancellationToken cancellation);

    /// <summary>In the order of their ids, by their bytes in UTF-8. Null filters select all.</summary>
    Task<IReadOnlyList<Mapping>> ListAsync(
        string? metric, bool? active, string? afterId, int limit, CancellationToken cancellation);

    /// <exception cref="InvalidOperationException">The tenant has a mapping with this id.</exception>
    Task<MappingWrite> CreateAsync(Mapping mapping, CancellationToken cancellation);

    /// <param name="mapping">What replaces the one of its id.</param>
    /// <param name="standing">When that one must have been updated last. Null: whenever.</param>
    /// <param name="cancellation">Gives up.</param>
    Task<MappingWrite> UpdateAsync(Mapping mapping, Instant? standing, CancellationToken cancellation);

    /// <summary>False if there was none.</summary>
    Task<bool> DeleteAsync(string id, CancellationToken cancellation);
}

/// <summary>What became of a write. The first two clashes concern active mappings only; the second is checked across tenants.</summary>
public enum MappingWrite
{
    Done,

    /// <summary>Another active mapping of the tenant maps the metric.</summary>
    MetricTaken,

    /// <summary>Another active mapping, of any tenant, feeds the meter of the account.</summary>
    MeterTaken,

    NotFound,

    /// <summary>It was updated since.</summary>
    Changed,
}
