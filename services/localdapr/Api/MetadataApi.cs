using System.Collections.Concurrent;
using Dapr.Client.Autogen.Grpc.v1;
using StripeMeter.LocalDapr.Transport;
using StripeMeter.LocalDapr.Resources;

namespace StripeMeter.LocalDapr.Api;

/// <summary><c>/v1.0/metadata</c>, <c>/v1.0/healthz</c> and <c>/v1.0/shutdown</c>.</summary>
internal sealed class MetadataApi(Sidecar sidecar)
{
    /// <summary>The runtime whose behaviour is reproduced.</summary>
    public const string RuntimeVersion = "1.18.2-localdapr";

    /// <summary>Extended attributes an app may set.</summary>
    public const int MaximumExtendedAttributes = 100;

    private readonly ConcurrentDictionary<string, string> _extended = new() { ["daprRuntimeVersion"] = RuntimeVersion };

    public void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/v1.0/metadata", WriteAsync);
        endpoints.MapPut("/v1.0/metadata/{key}", SetAsync);
        endpoints.MapPost("/v1.0/shutdown", context =>
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            sidecar.RequestShutdown();
            return Task.CompletedTask;
        });
        endpoints.MapGet("/v1.0/healthz", context => HealthAsync(context, sidecar.IsReady));
        endpoints.MapGet("/v1.0/healthz/outbound", context => HealthAsync(context, isHealthy: true));
    }

    private static Task HealthAsync(HttpContext context, bool isHealthy)
    {
        if (!isHealthy)
            return ApiError.WriteAsync(context, StatusCodes.Status500InternalServerError, "ERR_HEALTH_NOT_READY", "dapr is not ready");
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    public void Set(string key, string value)
    {
        if (_extended.Count < MaximumExtendedAttributes || _extended.ContainsKey(key))
            _extended[key] = value;
    }

    private async Task SetAsync(HttpContext context)
    {
        using var body = await PooledBody.ReadAsync(context.Request.Body, context.Request.ContentLength,
            sidecar.App.MaximumBodyBytes, context.RequestAborted).ConfigureAwait(false);
        Set((string)context.Request.RouteValues["key"]!, System.Text.Encoding.UTF8.GetString(body.Memory.Span));
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    public GetMetadataResponse Describe()
    {
        var response = new GetMetadataResponse
        {
            Id = sidecar.AppId,
            RuntimeVersion = RuntimeVersion,
            ActorRuntime = new ActorRuntime { RuntimeStatus = ActorRuntime.Types.ActorRuntimeStatus.Running,
                HostReady = sidecar.IsReady, Placement = "placement: connected" },
        };
        response.EnabledFeatures.Add(sidecar.Resources.Features);
        response.ActorRuntime.ActiveActors.Add(sidecar.CountActors()
            .Select(static pair => new ActiveActorsCount { Type = pair.Key, Count = pair.Value }));
        response.RegisteredComponents.Add(sidecar.Resources.Components.Where(component => component.AppliesTo(sidecar.AppId))
            .Select(Describe));
        response.Subscriptions.Add(sidecar.Subscriptions.Select(Describe));
        response.ExtendedMetadata.Add(_extended);
        if (sidecar.App.AppPort is not null)
            response.AppConnectionProperties = new AppConnectionProperties { Port = sidecar.Channel.Port,
                Protocol = NameOf(sidecar.App.AppProtocol), ChannelAddress = sidecar.App.AppChannelAddress, MaxConcurrency = -1 };
        return response;
    }

    private static RegisteredComponents Describe(Component component)
    {
        var described = new RegisteredComponents { Name = component.Name, Type = component.Type, Version = component.Version };
        if (component.IsState)
            described.Capabilities.Add(["ETAG", "TRANSACTIONAL", "TTL", "ACTOR"]);
        return described;
    }

    private static PubsubSubscription Describe(TopicSubscription subscription)
    {
        var described = new PubsubSubscription
        {
            PubsubName = subscription.PubSubName,
            Topic = subscription.Topic,
            DeadLetterTopic = subscription.DeadLetterTopic ?? "",
            Type = subscription.IsDeclarative ? PubsubSubscriptionType.Declarative : PubsubSubscriptionType.Programmatic,
            Rules = new PubsubSubscriptionRules(),
        };
        described.Rules.Rules.Add(new PubsubSubscriptionRule { Match = "", Path = subscription.Route });
        described.Metadata.Add(subscription.Metadata.ToDictionary());
        return described;
    }

    private Task WriteAsync(HttpContext context)
    {
        var described = Describe();
        return context.Response.WriteAsJsonAsync(new
        {
            id = described.Id,
            runtimeVersion = described.RuntimeVersion,
            enabledFeatures = described.EnabledFeatures,
            actors = described.ActorRuntime.ActiveActors.Select(static active => new { type = active.Type, count = active.Count }),
            components = described.RegisteredComponents.Select(static component =>
                new { name = component.Name, type = component.Type, version = component.Version, capabilities = component.Capabilities }),
            extended = described.ExtendedMetadata,
            subscriptions = described.Subscriptions.Select(static subscription => new
            {
                pubsubname = subscription.PubsubName,
                topic = subscription.Topic,
                metadata = subscription.Metadata,
                rules = subscription.Rules.Rules.Select(static rule => new { match = rule.Match, path = rule.Path }),
                deadLetterTopic = subscription.DeadLetterTopic,
                type = subscription.Type.ToString().ToUpperInvariant(),
            }),
            appConnectionProperties = sidecar.App.AppPort is null ? null
                : new { port = sidecar.Channel.Port, protocol = NameOf(sidecar.App.AppProtocol),
                channelAddress = sidecar.App.AppChannelAddress },
            actorRuntime = new
            {
                runtimeStatus = "RUNNING",
                activeActors = described.ActorRuntime.ActiveActors.Select(static active =>
                    new { type = active.Type, count = active.Count }),
                hostReady = described.ActorRuntime.HostReady,
                placement = described.ActorRuntime.Placement,
            },
        }, context.RequestAborted);
    }

    private static string NameOf(AppProtocol protocol) => protocol switch
    {
        AppProtocol.Http => "http",
        AppProtocol.H2c => "h2c",
        _ => "grpc",
    };
}
