using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace StripeMeter.Gateway.OpenApi;

/// <summary>Documents the further shapes that an answer of a route may have.</summary>
internal sealed class AnswerTransformer : IOpenApiOperationTransformer
{
    private const string Ok = "200";

    public async Task TransformAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        foreach (var answer in context.Description.ActionDescriptor.EndpointMetadata.OfType<AnswerShape>())
        {
            var content = operation.Responses![Ok].Content!;
            if (answer.Type is null)
            {
                content[answer.ContentType] = new OpenApiMediaType { Schema = new OpenApiSchema { Type = JsonSchemaType.String }, Example = answer.Example };
                continue;
            }

            context.Document!.AddComponent(
                answer.Type.Name, await context.GetOrCreateSchemaAsync(answer.Type, null, cancellationToken).ConfigureAwait(false));
            var media = content[answer.ContentType];
            media.Schema = new OpenApiSchema { OneOf = [media.Schema!, new OpenApiSchemaReference(answer.Type.Name, context.Document)] };
        }
    }
}

/// <summary>A further shape of an answer.</summary>
/// <param name="Type">Its type; null of text.</param>
/// <param name="ContentType">Its content type.</param>
/// <param name="Example">Of text, an example.</param>
internal sealed record AnswerShape(Type? Type, string ContentType, string? Example = null);
