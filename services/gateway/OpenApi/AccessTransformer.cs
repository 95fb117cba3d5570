using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using StripeMeter.Defaults.Access;
using StripeMeter.Gateway.Access;
using StripeMeter.Metering.Identity;

namespace StripeMeter.Gateway.OpenApi;

/// <summary>Documents how callers prove who they are, and which scopes an operation takes.</summary>
internal sealed class AccessTransformer : IOpenApiDocumentTransformer, IOpenApiOperationTransformer
{
    /// <summary>The scheme of Stripe's webhooks.</summary>
    public const string StripeSignature = "stripeSignature";

    private const string Bearer = "apiKey";
    private const string Header = "apiKeyHeader";
    private const string Token = "customerToken";

    public Task TransformAsync(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancellationToken)
    {
        Add(Bearer, new() { Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "An API key, `sm_live_….…` or `sm_test_….…`." });
        Add(Header, new()
        {
            Type = SecuritySchemeType.ApiKey, In = ParameterLocation.Header, Name = Credentials.KeyHeader,
            Description = "The same API key in a header of its own.",
        });
        Add(Token, new()
        {
            Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "A token of `POST /v1/customer-tokens`: one customer's usage, read only.",
        });
        Add(StripeSignature, new()
        {
            Type = SecuritySchemeType.ApiKey, In = ParameterLocation.Header, Name = "Stripe-Signature",
            Description = "Stripe's signature of the body under the endpoint's signing secret.",
        });
        return Task.CompletedTask;

        void Add(string name, OpenApiSecurityScheme scheme) => document.AddComponent(name, scheme);
    }

    public Task TransformAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        var ways = new List<OpenApiSecurityRequirement>();
        if (metadata.OfType<ProvenBy>().SingleOrDefault() is { } proof)
            ways.Add(Requirement(proof.Scheme));
        var access = RouteAccess.AccessOf(metadata.OfType<AccessAttribute>().LastOrDefault(), context.Description.HttpMethod ?? "");
        var scopes = ScopeNames.Of(access.Alternatives);

        // Scopes of one requirement would all be needed; here any one does, and so each is a requirement of its own.
        ways.AddRange(scopes.SelectMany(scope => (OpenApiSecurityRequirement[])[Requirement(Bearer, scope), Requirement(Header, scope)]));
        if (access.ForCustomers)
            ways.Add(Requirement(Token));
        if (scopes.Count > 0)
            operation.Description = $"Needs {string.Join(" or ", scopes.Select(scope => $"`{scope}`"))}{(access.ForCustomers ? ", or the customer's token" : "")}.";
        operation.Security = ways.Count > 0 ? ways : null;
        return Task.CompletedTask;

        OpenApiSecurityRequirement Requirement(string scheme, params List<string> scopes) =>
            new() { [new OpenApiSecuritySchemeReference(scheme, context.Document)] = scopes };
    }
}

/// <summary>Says of an open route how its callers prove themselves.</summary>
/// <param name="Scheme">A security scheme of the document.</param>
internal sealed record ProvenBy(string Scheme);
