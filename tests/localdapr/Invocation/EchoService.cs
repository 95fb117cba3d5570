using System.Text;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace StripeMeter.LocalDapr.Tests.Invocation;

/// <summary>A gRPC service with one method of every kind, bound by hand.</summary>
public sealed class EchoService
{
    public const string Trailer = "echo-trailer";

    private static readonly Marshaller<string> Text = Marshallers.Create(Encoding.UTF8.GetBytes, Encoding.UTF8.GetString);

    public static Method<string, string> Unary { get; } = MethodOf(MethodType.Unary, "Unary");

    public static Method<string, string> Down { get; } = MethodOf(MethodType.ServerStreaming, "Down");

    public static Method<string, string> Up { get; } = MethodOf(MethodType.ClientStreaming, "Up");

    public static Method<string, string> Duplex { get; } = MethodOf(MethodType.DuplexStreaming, "Duplex");

    public static Method<string, string> Never { get; } = MethodOf(MethodType.Unary, "Never");

    public static void Register(IServiceCollection services)
    {
        services.AddGrpc();
        services.AddSingleton<EchoService>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IServiceMethodProvider<EchoService>, Binding>());
    }

    public static void Map(WebApplication app) => app.MapGrpcService<EchoService>();

    private static Method<string, string> MethodOf(MethodType type, string name) => new(type, "tests.v1.Echo", name, Text, Text);

    private static string Describe(string text, ServerCallContext call)
    {
        var token = call.RequestHeaders.GetValue("dapr-api-token") ?? "none";
        var deadline = call.Deadline == DateTime.MaxValue ? "without deadline" : "with deadline";
        return $"{text}, token {token}, {deadline}, from {call.RequestHeaders.GetValue("dapr-caller-app-id")}";
    }

    private sealed class Binding : IServiceMethodProvider<EchoService>
    {
        public void OnServiceMethodDiscovery(ServiceMethodProviderContext<EchoService> context)
        {
            context.AddUnaryMethod(Unary, [], static (_, text, call) =>
            {
                if (text == "fail")
                    throw new RpcException(new Status(StatusCode.FailedPrecondition, "as asked"));
                call.ResponseTrailers.Add(Trailer, "here");
                return Task.FromResult(Describe(text, call));
            });
            context.AddUnaryMethod(Never, [], static async (_, _, call) =>
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, call.CancellationToken);
                return "";
            });
            context.AddServerStreamingMethod(Down, [], static async (_, text, stream, _) =>
            {
                for (var number = 0; number < 3; number++)
                    await stream.WriteAsync($"{text} {number}");
            });
            context.AddClientStreamingMethod(Up, [], static async (_, stream, call) =>
            {
                var texts = new List<string>();
                await foreach (var text in stream.ReadAllAsync(call.CancellationToken))
                    texts.Add(text);
                return string.Join(' ', texts);
            });
            context.AddDuplexStreamingMethod(Duplex, [], static async (_, stream, answers, call) =>
            {
                await foreach (var text in stream.ReadAllAsync(call.CancellationToken))
                    await answers.WriteAsync($"echo {text}");
            });
        }
    }
}
