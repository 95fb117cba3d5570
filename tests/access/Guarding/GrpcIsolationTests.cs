using System.Reflection;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using StripeMeter.Access.Tests.Kit;
using StripeMeter.Defaults.Access;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Tenants;
using StripeMeter.V1;
using Xunit;

namespace StripeMeter.Access.Tests.Guarding;

/// <summary>Every method of every service, found by reflection, tried with another tenant's key and tokens.</summary>
public sealed class GrpcIsolationTests(GuardedSystem system) : IClassFixture<GuardedSystem>
{
    /// <summary>Methods whose requests name no tenant: they show a caller its own alone, or are not for callers at all.</summary>
    private static readonly HashSet<string> WithoutTenant = ["IdentityService.ListOrganisations"];

    [Fact]
    public async Task EveryMethod_WithoutAKey_IsUnauthenticated()
    {
        foreach (var (app, method) in Methods())
            await AssertAsync(StatusCode.Unauthenticated, app, method, []);
    }

    [Fact]
    public async Task EveryMethod_WithAForgedCaller_IsUnauthenticated()
    {
        var forged = new CallerToken(new KeySecret("another secret of thirty-two characters"), TimeProvider.System).Of(Principal.System);
        var old = new CallerToken(new KeySecret(GuardedSystem.Salt), new LongAgo()).Of(Principal.System);
        foreach (var (app, method) in Methods())
        {
            foreach (var token in (string[])[forged, old, "c.e30.AAAA", "x"])
                await AssertAsync(StatusCode.Unauthenticated, app, method, new Metadata { { CallerToken.Header, token } });
        }
    }

    [Fact]
    public async Task EveryMethod_AnotherTenantInTheRequest_IsDenied()
    {
        foreach (var (app, method) in Methods().Where(entry => !WithoutTenant.Contains($"{entry.Method.Service.Name}.{entry.Method.Name}")))
        {
            await AssertAsync(StatusCode.PermissionDenied, app, method, new Metadata { { "authorization", "Bearer " + system.Acme } });
            await AssertAsync(StatusCode.PermissionDenied, app, method, new Metadata { { "x-api-key", system.Acme } });
        }
    }

    /// <summary>A service believes what another vouches for, and that alone.</summary>
    [Fact]
    public async Task EveryMethod_VouchedForAsAnotherTenant_IsDenied()
    {
        var acme = new Principal { Name = "api:x", Tenants = new HashSet<TenantId> { new("acme") }, Scopes = Scopes.OfTenants };
        var token = new CallerToken(new KeySecret(GuardedSystem.Salt), TimeProvider.System).Of(acme);
        foreach (var (app, method) in Methods().Where(entry => HasTenant(entry.Method.InputType)))
            await AssertAsync(StatusCode.PermissionDenied, app, method, new Metadata { { CallerToken.Header, token } });
    }

    [Fact]
    public async Task EveryMethod_WithACustomersToken_IsDeniedOrAboutThatCustomer()
    {
        var made = await system.PostAsync(system.Beta, "/v1/customer-tokens", new System.Text.Json.Nodes.JsonObject { ["customerRef"] = "mine" });
        var headers = new Metadata { { "authorization", (string)made.Json["token"]! } };
        foreach (var (app, method) in Methods())
            await AssertAsync(StatusCode.PermissionDenied, app, method, headers);
    }

    [Fact]
    public void EveryMethod_OfEveryService_SaysWhoMayCallIt()
    {
        var silent =
            from method in Methods()
            let type = Implementation(method.Method.Service)
            let found = type.GetMethod(method.Method.Name)!
            where found.GetCustomAttribute<AccessAttribute>() is null && type.GetCustomAttribute<AccessAttribute>() is null
            select $"{method.Method.Service.Name}.{method.Method.Name}";

        Assert.Empty(silent);
    }

    [Fact]
    public async Task Sidecar_WithoutItsToken_DeliversNothing()
    {
        using var http = new HttpClient(new SocketsHttpHandler());
        foreach (var app in system.Apps.Where(app => app != "gateway"))
        {
            foreach (var path in (string[])["/dapr/config", "/dapr/subscribe", "/actors/CounterShard/x/method/AppendAsync", "/usage-appended", "/anything"])
            {
                using var request = new HttpRequestMessage(HttpMethod.Put, new Uri(system.GrpcAddress(app), path))
                {
                    Version = System.Net.HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = new StringContent("{}"),
                };
                request.Headers.TryAddWithoutValidation("dapr-api-token", "guess");
                using var answer = await http.SendAsync(request);
                Assert.Equal(System.Net.HttpStatusCode.Unauthorized, answer.StatusCode);
            }
        }
    }

    [Theory]
    [InlineData("POST", "aggregator", "/subscriptions/usage-appended")]
    [InlineData("PUT", "aggregator", "/actors/CounterShard/x/method/AppendAsync")]
    [InlineData("POST", "pusher", "/subscriptions/counters-changed")]
    [InlineData("POST", "ingest", "/subscriptions/usage.events")]
    [InlineData("POST", "ingest", "/subscriptions/usage.events.dead")]
    public async Task Delivery_ThatPosesAsGrpcWithoutTheToken_IsRefused(string method, string app, string path) => Assert.Equal(
        System.Net.HttpStatusCode.Unauthorized, await system.PoseAsGrpcAsync(HttpMethod.Parse(method), app, path, "{}"));

    /// <summary>A newer client learns that a method is not there, rather than that its key was wrong.</summary>
    [Fact]
    public async Task Method_ThatIsNotThere_IsUnimplemented()
    {
        var method = new Method<IMessage, IMessage>(
            MethodType.Unary, IngestService.Descriptor.FullName, "Nothing", Marshaller(IngestEventsRequest.Descriptor), Marshaller(IngestEventsRequest.Descriptor));

        var refusal = await Assert.ThrowsAsync<RpcException>(
            async () => await system.Grpc("ingest").CreateCallInvoker().AsyncUnaryCall(method, null, new CallOptions(), new IngestEventsRequest()));

        Assert.Equal(StatusCode.Unimplemented, refusal.StatusCode);
    }

    [Fact]
    public async Task Stream_MessageOfAnotherTenant_EndsItAndStoresNothingOfIt()
    {
        var ingest = new IngestService.IngestServiceClient(system.Grpc("ingest"));
        using var call = ingest.StreamEvents(new Metadata { { "authorization", system.Acme } });
        var own = new StreamEventsRequest();
        own.Events.Add(Event("", "stream own"));
        await call.RequestStream.WriteAsync(own);
        var foreign = new StreamEventsRequest();
        foreign.Events.Add(Event("beta", "stream foreign"));

        var refusal = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            await call.RequestStream.WriteAsync(foreign);
            await call.RequestStream.CompleteAsync();
            await call.ResponseAsync;
        });

        Assert.Equal(StatusCode.PermissionDenied, refusal.StatusCode);
        var events = (await system.GetAsync(system.Beta, "/v1/events?limit=100")).Text;
        Assert.DoesNotContain("stream foreign", events, StringComparison.Ordinal);
    }

    private static UsageEvent Event(string tenant, string key) => new()
    {
        TenantId = tenant, Metric = "calls", CustomerRef = "cus_1", Quantity = "1", IdempotencyKey = key,
        Timestamp = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow()),
    };

    private async Task AssertAsync(StatusCode expected, string app, MethodDescriptor method, Metadata headers)
    {
        var refusal = await CallAsync(app, method, headers);
        Assert.True(
            refusal?.StatusCode == expected,
            $"{method.FullName} answered {refusal?.StatusCode.ToString() ?? "OK"} instead of {expected}: {refusal?.Status.Detail}");
    }

    private async Task<RpcException?> CallAsync(string app, MethodDescriptor method, Metadata headers)
    {
        var invoker = system.Grpc(app).CreateCallInvoker();
        var type = method.IsClientStreaming ? MethodType.ClientStreaming : MethodType.Unary;
        var described = new Method<IMessage, IMessage>(
            type, method.Service.FullName, method.Name, Marshaller(method.InputType), Marshaller(method.OutputType));
        try
        {
            if (!method.IsClientStreaming)
            {
                await invoker.AsyncUnaryCall(described, null, new CallOptions(headers), Foreign(method.InputType));
                return null;
            }

            using var call = invoker.AsyncClientStreamingCall(described, null, new CallOptions(headers));
            try
            {
                await call.RequestStream.WriteAsync(Foreign(method.InputType));
                await call.RequestStream.CompleteAsync();
            }
            catch (Exception ended) when (ended is RpcException or InvalidOperationException)
            {
                // Refused before it was read.
            }

            await call.ResponseAsync;
            return null;
        }
        catch (RpcException refusal)
        {
            return refusal;
        }
    }

    private static Marshaller<IMessage> Marshaller(MessageDescriptor type) =>
        Marshallers.Create<IMessage>(message => message.ToByteArray(), type.Parser.ParseFrom);

    private static bool HasTenant(MessageDescriptor type) => CallerFields.TenantOf(Foreign(type)) is not null;

    /// <summary>A request about beta, and about a customer that is not the token's.</summary>
    private static IMessage Foreign(MessageDescriptor type)
    {
        var message = type.Parser.ParseFrom([]);
        foreach (var field in type.Fields.InDeclarationOrder())
        {
            if (field.FieldType == FieldType.String && !field.IsRepeated)
                field.Accessor.SetValue(message, field.Name == "tenant_id" ? "beta" : "x");
            else if (field.FieldType == FieldType.Message && !field.IsMap && field.MessageType.FullName.StartsWith("stripemeter.", StringComparison.Ordinal))
                Fill(message, field);
        }

        return message;
    }

    private static void Fill(IMessage message, FieldDescriptor field)
    {
        if (field.IsRepeated)
            ((System.Collections.IList)field.Accessor.GetValue(message)).Add(Foreign(field.MessageType));
        else if (field.RealContainingOneof is null)
            field.Accessor.SetValue(message, Foreign(field.MessageType));
    }

    /// <summary>What proves its callers in its own way. It was thought about; there is to be no other.</summary>
    [Fact]
    public void OpenMethods_Always_AreThoseWithASignatureOfTheirOwn()
    {
        var open = AllMethods().Where(method => IsOpen(method.Method)).Select(method => $"{method.Method.Service.Name}.{method.Method.Name}");

        Assert.Equal(["WebhookService.ReceiveStripeEvent"], open);
    }

    private static bool IsOpen(MethodDescriptor method) =>
        Implementation(method.Service).GetMethod(method.Name)!.GetCustomAttribute<AccessAttribute>()?.Kind == AccessKind.Open;

    private static IEnumerable<(string App, MethodDescriptor Method)> Methods() => AllMethods().Where(method => !IsOpen(method.Method));

    private static IEnumerable<(string App, MethodDescriptor Method)> AllMethods() =>
        from file in typeof(IngestService).Assembly.GetTypes()
            .Select(type => type.GetProperty("Descriptor", BindingFlags.Public | BindingFlags.Static)?.GetValue(null)).OfType<FileDescriptor>()
        from service in file.Services
        from method in service.Methods
        select (AppOf(service), method);

    private static string AppOf(ServiceDescriptor service) =>
        Implementation(service).Assembly.GetName().Name!.Split('.')[^1].ToLowerInvariant();

    private static Type Implementation(ServiceDescriptor service) =>
        new[] { typeof(Ingest.IngestApp), typeof(Aggregator.AggregatorApp), typeof(Pusher.PusherApp), typeof(Pricing.PricingApp), typeof(Gateway.GatewayApp) }
            .SelectMany(app => app.Assembly.GetTypes())
            .Single(type => !type.IsAbstract && type.BaseType?.DeclaringType?.Name == service.Name && type.BaseType.Name == service.Name + "Base");

    private sealed class LongAgo : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() - TimeSpan.FromMinutes(2);
    }
}
