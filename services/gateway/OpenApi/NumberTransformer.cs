using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using StripeMeter.Gateway.Events;
using StripeMeter.Gateway.Requests;

namespace StripeMeter.Gateway.OpenApi;

/// <summary>Shows exact numbers as JSON numbers; as input also as decimal strings.</summary>
internal sealed class NumberTransformer : IOpenApiSchemaTransformer
{
    public Task TransformAsync(OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken cancellationToken)
    {
        var type = Nullable.GetUnderlyingType(context.JsonTypeInfo.Type) ?? context.JsonTypeInfo.Type;
        if (type != typeof(ExactNumber))
            return Task.CompletedTask;
        var accepted = context.JsonPropertyInfo?.DeclaringType == typeof(IngestEvent)
            ? JsonSchemaType.Number | JsonSchemaType.String
            : JsonSchemaType.Number;
        schema.Type = type == context.JsonTypeInfo.Type ? accepted : accepted | JsonSchemaType.Null;
        return Task.CompletedTask;
    }
}
