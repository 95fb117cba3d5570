using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Auditing;
using StripeMeter.Ingest.Identity;
using StripeMeter.Kits.Storage;
using StripeMeter.Metering.AuditLog;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Storage;
using StripeMeter.V1;
using Xunit;

namespace StripeMeter.Access.Tests.Guarding;

/// <summary>A change in a process that dies at any of its calls to the store: what was changed stands in the audit log before.</summary>
public sealed class InterruptedChangeTests
{
    private const int MostCalls = 50;
    private static readonly TenantId Acme = new("acme");

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Change_WhereverTheProcessDies_IsEnteredBeforeItIsMade(bool lastIsCarriedOut)
    {
        var seen = new HashSet<(bool Made, bool Begun, bool Ended)>();
        for (var calls = 0; ; calls++)
        {
            Assert.InRange(calls, 0, MostCalls);
            var fuse = new Fuse(calls, lastIsCarriedOut);
            var (made, begun, ended, isAnswered) = await DieAtAsync(fuse);
            Assert.True(begun || !made, $"What was made at call {calls} has no beginning.");
            Assert.True(made || !ended, $"What is done at call {calls} was not made.");
            seen.Add((made, begun, ended));
            if (fuse.HasBlown)
                continue;
            Assert.Equal((true, true, true, true), (made, begun, ended, isAnswered));
            break;
        }

        Assert.Contains((false, true, false), seen);
        Assert.Contains((true, true, false), seen);
    }

    /// <summary>Makes a project. Says whether it was made, and what the audit log shows afterwards.</summary>
    private static async Task<(bool Made, bool Begun, bool Ended, bool IsAnswered)> DieAtAsync(Fuse fuse)
    {
        var folder = Directory.CreateTempSubdirectory("stripemeter-interrupted-").FullName;
        try
        {
            await using var store = MeterStoreFactory.Create(new MeterStoreOptions { DataDirectory = folder }, TimeProvider.System);
            await store.PrepareAsync(TestContext.Current.CancellationToken);
            var isAnswered = await MakeAsync(new GuardedStore(new MortalStore(store, fuse)));

            var check = new ChainCheck();
            var entries = await new AuditTrail(store.Of(Acme).Documents).ListAsync(null, descending: false, 10, CancellationToken.None);
            Assert.All(entries, entry => Assert.True(check.Take(entry)));
            var stages = entries.Select(entry => entry.ToEntry().Stage).ToArray();
            Assert.Equal(stages is [AuditStage.Begun] ? 1 : 0, check.Unresolved.Count);
            var made = (await new OrganisationBook(store).ListProjectsAsync(Acme, CancellationToken.None)).Count == 1;
            return (made, stages.Contains(AuditStage.Begun), stages.Contains(AuditStage.Done), isAnswered);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<bool> MakeAsync(IMeterStore store)
    {
        var services = new ServiceCollection().AddSingleton(store).BuildServiceProvider();
        var recorder = new ChangeRecorder(services, TimeProvider.System, NullLogger<ChangeRecorder>.Instance);
        var endpoint = new IdentityServiceEndpoint(store, services, TimeProvider.System);
        var request = new CreateProjectRequest { TenantId = Acme.Value, Id = "shop" };
        try
        {
            await recorder.RecordAsync(
                new Call(Principal.Development, "a request"), "/stripemeter.v1.IdentityService/CreateProject", request,
                () => endpoint.CreateProject(request, new NoContext()));
            return true;
        }
        catch (StoreUnavailableException)
        {
            return false;
        }
    }

    /// <summary>The store of a process that dies.</summary>
    private sealed class MortalStore(IMeterStore store, Fuse fuse) : IMeterStore
    {
        public IWorkFinder Work => store.Work;

        public IDocuments Directory => store.Directory;

        public ITenantStore Of(TenantId tenant) => fuse.Guard(store.Of(tenant));

        public Task PrepareAsync(CancellationToken cancellation) => store.PrepareAsync(cancellation);

        public Task CheckAsync(CancellationToken cancellation) => store.CheckAsync(cancellation);

        public ValueTask DisposeAsync() => store.DisposeAsync();
    }

    private sealed class NoContext : Grpc.Core.ServerCallContext
    {
        protected override string MethodCore => "";

        protected override string HostCore => "";

        protected override string PeerCore => "";

        protected override DateTime DeadlineCore => DateTime.MaxValue;

        protected override Grpc.Core.Metadata RequestHeadersCore { get; } = [];

        protected override CancellationToken CancellationTokenCore => CancellationToken.None;

        protected override Grpc.Core.Metadata ResponseTrailersCore { get; } = [];

        protected override Grpc.Core.Status StatusCore { get; set; }

        protected override Grpc.Core.WriteOptions? WriteOptionsCore { get; set; }

        protected override Grpc.Core.AuthContext AuthContextCore { get; } = new(null, []);

        protected override Grpc.Core.ContextPropagationToken CreatePropagationTokenCore(Grpc.Core.ContextPropagationOptions? options) => throw new NotSupportedException();

        protected override Task WriteResponseHeadersAsyncCore(Grpc.Core.Metadata responseHeaders) => Task.CompletedTask;
    }
}
