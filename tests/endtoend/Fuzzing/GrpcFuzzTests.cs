using System.Collections.Concurrent;
using System.Globalization;
using System.Reflection;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Net.Client;
using StripeMeter.Defaults.Access;
using StripeMeter.V1;
using Xunit;

namespace StripeMeter.EndToEnd.Tests.Fuzzing;

/// <summary>
/// Every gRPC method of every service, found by reflection, asked with anything that its request may hold: it never fails by a
/// fault of ours, and what it refuses changes nothing. <c>STRIPEMETER_FUZZ_INPUTS</c> says how many requests in all,
/// <c>STRIPEMETER_FUZZ_SEED</c> which.
/// </summary>
public sealed class GrpcFuzzTests(ApiFuzzTests.Fixture fixture) : IClassFixture<ApiFuzzTests.Fixture>, IDisposable
{
    private const int Inputs = 8_000;
    private const int Parallelism = 8;
    private const int Looks = 2;
    private const int RequestsBetweenLooks = 12;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>What says that a service is at fault, and not its request.</summary>
    private static readonly StatusCode[] Faults = [StatusCode.Unknown, StatusCode.Internal, StatusCode.Unimplemented, StatusCode.DataLoss, StatusCode.DeadlineExceeded];

    private readonly EmbeddedSystem _system = fixture.System;
    private readonly Dictionary<string, GrpcChannel> _channels = fixture.System.Grpc.ToDictionary(app => app.Key, app => GrpcChannel.ForAddress(app.Value));
    private readonly ConcurrentDictionary<(string Method, StatusCode Status), string> _wrong = [];
    private readonly int _seed = Setting("STRIPEMETER_FUZZ_SEED", 20260131);

    public void Dispose()
    {
        foreach (var channel in _channels.Values)
            channel.Dispose();
    }

    [Fact]
    public async Task Methods_AskedWithAnything_NeverFailByAFaultOfOurs()
    {
        var methods = Methods().ToArray();
        var share = (Setting("STRIPEMETER_FUZZ_INPUTS", Inputs) + methods.Length - 1) / methods.Length;
        await Parallel.ForEachAsync(methods.Index(), new ParallelOptions { MaxDegreeOfParallelism = Parallelism }, async (item, _) =>
        {
            var maker = new MessageMaker("grpc-fuzz", new Random(_seed + item.Index));
            for (var number = 0; number < share; number++)
                await AskAsync(item.Item, maker);
        });

        Assert.True(_wrong.IsEmpty, string.Join("\n\n", _wrong.Values));
    }

    [Fact]
    public async Task Methods_ThatRefuse_ChangeNothing()
    {
        var operations = ApiOperation.All(await _system.GetAsync("/openapi/v1.json"));
        foreach (var (index, method) in Methods().Index().Where(item => IsChange(item.Item)))
        {
            for (var look = 0; look < Looks; look++)
            {
                var tenant = $"grpc-fuzz-{index}-{look}";
                var maker = new MessageMaker(tenant, new Random(_seed + (index * Looks) + look));
                var before = await TenantView.ReadAsync(_system, operations, tenant);
                var refused = true;
                for (var number = 0; number < RequestsBetweenLooks; number++)
                    refused &= await AskAsync(method, maker) != StatusCode.OK;
                if (refused)
                    Assert.Equal(before, await TenantView.ReadAsync(_system, operations, tenant));
            }
        }

        Assert.True(_wrong.IsEmpty, string.Join("\n\n", _wrong.Values));
    }

    private async Task<StatusCode> AskAsync(MethodDescriptor method, MessageMaker maker)
    {
        var request = maker.Make(method.InputType);
        var status = await StatusOfAsync(method, request);
        if (Faults.Contains(status.StatusCode))
        {
            _wrong[(method.FullName, status.StatusCode)] = FormattableString.Invariant(
                $"{method.FullName}, seed {_seed}: {Convert.ToBase64String(request.ToByteArray())}\n{request}\nanswered {status}");
        }

        return status.StatusCode;
    }

    private async Task<Status> StatusOfAsync(MethodDescriptor method, IMessage request)
    {
        var invoker = _channels[AppOf(method.Service)].CreateCallInvoker();
        var options = new CallOptions(deadline: TimeProvider.System.GetUtcNow().UtcDateTime + Patience);
        try
        {
            if (method is { IsClientStreaming: false, IsServerStreaming: false })
                await invoker.AsyncUnaryCall(Described(method, MethodType.Unary), null, options, request);
            else
                await ExchangeAsync(invoker.AsyncDuplexStreamingCall(Described(method, MethodType.DuplexStreaming), null, options), request);
            return Status.DefaultSuccess;
        }
        catch (RpcException refusal)
        {
            return refusal.Status;
        }
    }

    /// <summary>To the wire all kinds of streams are the same.</summary>
    private static async Task ExchangeAsync(AsyncDuplexStreamingCall<IMessage, IMessage> started, IMessage request)
    {
        using var call = started;
        try
        {
            await call.RequestStream.WriteAsync(request);
            await call.RequestStream.CompleteAsync();
        }
        catch (Exception ended) when (ended is RpcException or InvalidOperationException)
        {
            // Refused before it was read; the answer says why.
        }

        while (await call.ResponseStream.MoveNext())
        {
            // What it says is looked at elsewhere.
        }
    }

    private static Method<IMessage, IMessage> Described(MethodDescriptor method, MethodType type) => new(
        type, method.Service.FullName, method.Name, Marshaller(method.InputType), Marshaller(method.OutputType));

    private static Marshaller<IMessage> Marshaller(MessageDescriptor type) =>
        Marshallers.Create<IMessage>(message => message.ToByteArray(), type.Parser.ParseFrom);

    private static IEnumerable<MethodDescriptor> Methods() =>
        from file in typeof(IngestService).Assembly.GetTypes()
            .Select(type => type.GetProperty("Descriptor", BindingFlags.Public | BindingFlags.Static)?.GetValue(null)).OfType<FileDescriptor>()
        from service in file.Services
        from method in service.Methods
        select method;

    private static bool IsChange(MethodDescriptor method) =>
        Implementation(method.Service).GetMethod(method.Name)!.GetCustomAttribute<AccessAttribute>()?.Kind is AccessKind.Change or AccessKind.Operate or AccessKind.Append;

    private static string AppOf(ServiceDescriptor service) =>
        Implementation(service).Assembly.GetName().Name!.Split('.')[^1].ToLowerInvariant();

    private static Type Implementation(ServiceDescriptor service) =>
        new[] { typeof(Ingest.IngestApp), typeof(Aggregator.AggregatorApp), typeof(Pusher.PusherApp), typeof(Pricing.PricingApp), typeof(Gateway.GatewayApp) }
            .SelectMany(app => app.Assembly.GetTypes())
            .Single(type => !type.IsAbstract && type.BaseType?.DeclaringType?.Name == service.Name && type.BaseType.Name == service.Name + "Base");

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : otherwise;
}
