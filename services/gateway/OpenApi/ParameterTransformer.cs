using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using StripeMeter.Gateway.Requests;

namespace StripeMeter.Gateway.OpenApi;

/// <summary>Documents what routes read with <see cref="QueryReader"/> and <see cref="JsonBody"/>.</summary>
internal sealed class ParameterTransformer : IOpenApiOperationTransformer
{
    public async Task TransformAsync(
        OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        operation.Parameters ??= [];
        foreach (var metadata in context.Description.ActionDescriptor.EndpointMetadata)
        {
            if (metadata is QueryParameter query)
                operation.Parameters.Add(Of(query));
            else if (metadata is HeaderParameter header)
                operation.Parameters.Add(Of(header));
            else if (metadata is BodyShape body)
                await AddBodyAsync(operation, body, context, cancellationToken).ConfigureAwait(false);
        }

        if (operation.Parameters.Count == 0)
            operation.Parameters = null;
    }

    private static OpenApiParameter Of(QueryParameter parameter) => new()
    {
        Name = parameter.Name,
        In = ParameterLocation.Query,
        Required = parameter.Required,
        Description = parameter.Description,
        Schema = parameter.ToSchema(),
    };

    private static OpenApiParameter Of(HeaderParameter parameter) => new()
    {
        Name = parameter.Name,
        In = ParameterLocation.Header,
        Description = parameter.Description,
        Schema = new OpenApiSchema { Type = JsonSchemaType.String, MaxLength = parameter.MaximumLength },
    };

    private static async Task AddBodyAsync(
        OpenApiOperation operation, BodyShape body, OpenApiOperationTransformerContext context, CancellationToken cancellation)
    {
        var schema = await context.GetOrCreateSchemaAsync(body.Type, null, cancellation).ConfigureAwait(false);
        context.Document!.AddComponent(body.Type.Name, schema);
        var reference = new OpenApiSchemaReference(body.Type.Name, context.Document);
        operation.RequestBody ??= new OpenApiRequestBody { Required = true, Content = new Dictionary<string, OpenApiMediaType>() };
        operation.RequestBody.Content![body.ContentType] = new OpenApiMediaType
        {
            Schema = body.IsList ? new OpenApiSchema { Type = JsonSchemaType.Array, Items = reference } : reference,
        };
    }
}
