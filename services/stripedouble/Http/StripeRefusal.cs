using System.Net;
using System.Text.Json.Nodes;

namespace StripeMeter.StripeDouble.Http;

/// <summary>A request that is answered with an error, in the envelope of Stripe's API.</summary>
internal sealed class StripeRefusal(HttpStatusCode status, string message) : Exception(message)
{
    private const string InvalidRequest = "invalid_request_error";

    /// <summary>What v2 says of every parameter that is missing, unknown or wrong, where it has no code for just that.</summary>
    private const string InvalidFields = "invalid_fields";

    /// <summary>The type by which clients know the limiter of v2.</summary>
    private const string RateLimit = "rate_limit";

    public HttpStatusCode Status { get; } = status;

    public string Type { get; init; } = InvalidRequest;

    public string? Code { get; init; }

    /// <summary>The parameter at fault.</summary>
    public string? Parameter { get; init; }

    /// <summary>Value of the header <c>Stripe-Should-Retry</c>; none when null.</summary>
    public bool? ShouldRetry { get; init; }

    /// <summary>Value of the header <c>Stripe-Rate-Limited-Reason</c>.</summary>
    public string? RateLimitedReason { get; init; }

    private string? V2Type => Status == HttpStatusCode.TooManyRequests ? RateLimit : Type == InvalidRequest ? null : Type;

    private string V2Code => Status == HttpStatusCode.BadRequest && Parameter is not null ? InvalidFields : Code ?? "invalid_request";

    public static StripeRefusal Missing(string parameter) => new(HttpStatusCode.BadRequest, $"Missing required param: {parameter}.")
    {
        Code = "parameter_missing", Parameter = parameter,
    };

    public static StripeRefusal Unknown(string parameter) => new(HttpStatusCode.BadRequest, $"Received unknown parameter: {parameter}")
    {
        Code = "parameter_unknown", Parameter = parameter,
    };

    public static StripeRefusal Invalid(string parameter, string message, string? code = null) =>
        new(HttpStatusCode.BadRequest, message) { Code = code, Parameter = parameter };

    /// <param name="what">The kind of object.</param>
    /// <param name="id">The id that names none.</param>
    /// <param name="parameter">The parameter that held the id; null when the path did, which makes it a 404.</param>
    public static StripeRefusal NoSuch(string what, string id, string? parameter = null) =>
        new(parameter is null ? HttpStatusCode.NotFound : HttpStatusCode.BadRequest, $"No such {what}: '{id}'")
        {
            Code = "resource_missing", Parameter = parameter ?? "id",
        };

    /// <summary>Another call works on the same customer and meter.</summary>
    public static StripeRefusal Concurrent() =>
        new(HttpStatusCode.Conflict, "Another request for this customer and meter is in progress; only one at a time is taken.")
        {
            Code = "too_many_concurrent_requests",
        };

    public static StripeRefusal ServerError() =>
        new(HttpStatusCode.InternalServerError, "An error occurred in the double.") { Type = "api_error" };

    /// <param name="isV2">In the envelope of v2, which knows no parameters, always has a code, and a type only of special errors.</param>
    public JsonObject ToJson(bool isV2)
    {
        var error = new JsonObject();
        if ((isV2 ? V2Type : Type) is { } type)
            error["type"] = type;
        if (isV2 || Code is not null)
            error["code"] = isV2 ? V2Code : Code;
        error["message"] = Message;
        if (!isV2 && Parameter is not null)
            error["param"] = Parameter;
        return new JsonObject { ["error"] = error };
    }
}
