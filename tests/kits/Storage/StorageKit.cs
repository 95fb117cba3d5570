using System.Reflection;

namespace StripeMeter.Kits.Storage;

/// <summary>
/// What every storage engine has to do, point by point. An engine's tests run <see cref="RunAsync"/> for each of its
/// <see cref="Points"/>; the test framework is theirs.
/// </summary>
public static class StorageKit
{
    /// <summary>How long a point may take before it hangs: many times what the slowest does on a busy machine.</summary>
    public static readonly TimeSpan TimeLimit = TimeSpan.FromMinutes(5);

    private static readonly (EngineParts Needs, Type Suite)[] Suites =
    [
        (EngineParts.Ledger, typeof(LedgerPoints)),
        (EngineParts.Ledger, typeof(EventQueryPoints)),
        (EngineParts.Ledger, typeof(ControlPoints)),
        (EngineParts.Ledger | EngineParts.PositionedRecords, typeof(PositionedRecordsPoints)),
        (EngineParts.Projection, typeof(ProjectionPoints)),
        (EngineParts.Projection, typeof(DirtyPoints)),
        (EngineParts.Projection | EngineParts.Work, typeof(RecountPoints)),
        (EngineParts.Mappings, typeof(MappingPoints)),
        (EngineParts.Documents, typeof(DocumentPoints)),
        (EngineParts.Documents, typeof(AuditTrailPoints)),
        (EngineParts.Ledger | EngineParts.Projection | EngineParts.Documents | EngineParts.Work, typeof(BackfillPoints)),
        (EngineParts.Deltas, typeof(DeltaLedgerPoints)),
        (EngineParts.Deltas | EngineParts.Restart, typeof(DeltaRestartPoints)),
        (EngineParts.Deltas | EngineParts.Work, typeof(DeltaWorkPoints)),
        (EngineParts.All & ~(EngineParts.PositionedRecords | EngineParts.Restart | EngineParts.Deltas), typeof(WorkPoints)),
        (EngineParts.All & ~(EngineParts.PositionedRecords | EngineParts.Deltas), typeof(RestartPoints)),
    ];

    /// <summary>The points an engine with these parts must pass, each as <c>Suite.Point</c>.</summary>
    public static IReadOnlyList<string> Points(EngineParts parts) =>
    [
        .. from entry in Suites
           where (entry.Needs & parts) == entry.Needs
           from point in PointsOf(entry.Suite)
           select $"{entry.Suite.Name}.{point.Name}",
    ];

    /// <summary>Checks one point on an engine that is empty. Throws where the engine fails it.</summary>
    public static async Task RunAsync(string point, IStorageEngine engine)
    {
        var suite = Suites.Select(entry => entry.Suite).Single(type => point.StartsWith(type.Name + ".", StringComparison.Ordinal));
        var method = PointsOf(suite).Single(candidate => point == $"{suite.Name}.{candidate.Name}");
        using var limit = new CancellationTokenSource(TimeLimit);
        await using var subject = await StoreUnderTest.OpenAsync(engine, limit.Token).ConfigureAwait(false);
        var check = method.CreateDelegate<Func<Task>>(Activator.CreateInstance(suite, subject));
        await check().WaitAsync(limit.Token).ConfigureAwait(false);
    }

    private static IEnumerable<MethodInfo> PointsOf(Type suite) => suite
        .GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
        .Where(method => method.ReturnType == typeof(Task) && method.GetParameters().Length == 0);
}
