using System.Text.Json.Nodes;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using StripeMeter.Gateway.Events;
using StripeMeter.Gateway.Requests;

namespace StripeMeter.Gateway.OpenApi;

/// <summary>Says of schemas what their types cannot: exact numbers, members that may be absent, and examples.</summary>
internal sealed class ShapeTransformer : IOpenApiSchemaTransformer
{
    public Task TransformAsync(OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken cancellationToken)
    {
        var type = context.JsonTypeInfo.Type;
        if (type == typeof(ExactNumber))
            schema.Type = JsonSchemaType.Number;
        else if (type == typeof(ExactNumber?))
            schema.Type = JsonSchemaType.Number | JsonSchemaType.Null;
        else if (type == typeof(SentQuantity))
            schema.Type = JsonSchemaType.Number | JsonSchemaType.String;
        if (context.JsonPropertyInfo is null && Examples.Of(type) is { } example)
            schema.Examples = [JsonNode.Parse(example)!];
        foreach (var property in context.JsonTypeInfo.Properties)
        {
            if (property.IsGetNullable)
                schema.Required?.Remove(property.Name);
        }

        return Task.CompletedTask;
    }
}
