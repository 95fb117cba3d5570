using StripeMeter.Gateway.Errors;
using StripeMeter.Gateway.Requests;

namespace StripeMeter.Gateway.OpenApi;

/// <summary>Documents routes.</summary>
internal static class RouteDescription
{
    /// <summary>Says what a route is for, and which parameters it reads.</summary>
    public static RouteHandlerBuilder Describe(
        this RouteHandlerBuilder route, string tag, string operation, string summary, params QueryParameter[] parameters) =>
        route.WithTags(tag)
            .WithName(operation)
            .WithSummary(summary)
            .WithMetadata([.. parameters])
            .Refuses(StatusCodes.Status400BadRequest)
            .Refuses(StatusCodes.Status503ServiceUnavailable);

    /// <summary>Says with which status a route may refuse a request.</summary>
    public static RouteHandlerBuilder Refuses(this RouteHandlerBuilder route, int status) =>
        route.Produces<ProblemDocument>(status, ProblemWriter.ContentType);

    /// <summary>
    /// Says which body a route reads. Unlike the framework's own metadata this leaves refusing other content types to
    /// the route, whose problem document carries the members its clients expect.
    /// </summary>
    public static RouteHandlerBuilder Takes<TBody>(this RouteHandlerBuilder route) =>
        route.Refuses(StatusCodes.Status413PayloadTooLarge)
            .Refuses(StatusCodes.Status415UnsupportedMediaType)
            .TakesAlso<TBody>("application/json");

    /// <summary>Says of a body that it may come in another content type.</summary>
    public static RouteHandlerBuilder TakesAlso<TBody>(this RouteHandlerBuilder route, string contentType, bool asList = false) =>
        route.WithMetadata(new BodyShape(typeof(TBody), contentType, asList));

    /// <summary>Says of a route that its answer may have another shape.</summary>
    public static RouteHandlerBuilder AnswersAlso<TAnswer>(this RouteHandlerBuilder route) =>
        route.WithMetadata(new AnswerShape(typeof(TAnswer), "application/json"));

    /// <summary>Says of a route that it may answer a table.</summary>
    public static RouteHandlerBuilder AnswersAlsoCsv(this RouteHandlerBuilder route, string example) =>
        route.WithMetadata(new AnswerShape(null, "text/csv", example));
}

/// <summary>The shape of a body that a route reads.</summary>
internal sealed record BodyShape(Type Type, string ContentType, bool IsList);
