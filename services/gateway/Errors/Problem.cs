namespace StripeMeter.Gateway.Errors;

/// <summary>
/// What is wrong with a request, as RFC 9457 tells it. <see cref="Type"/> names the kind for programs:
/// <c>about:blank</c> where the status says it all.
/// </summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Type">A URI that names the kind of problem.</param>
/// <param name="Title">The kind, in words.</param>
/// <param name="Detail">This case, in a sentence.</param>
public sealed record Problem(int Status, string Type, string Title, string Detail)
{
    private const string Prefix = "urn:stripemeter:problem:";

    public IReadOnlyList<ProblemError> Errors { get; init; } = [];

    /// <summary>What older clients read as <c>error</c>: the kind in their words, or why a caller is refused.</summary>
    public string Error
    {
        get => field ?? Status switch { 400 => "Validation Error", 404 => "Not Found", 413 => "Payload Too Large", _ => Title };
        init;
    }

    /// <summary>When to try again. Null: trying again does not help.</summary>
    public TimeSpan? RetryAfter { get; init; }

    public static Problem Invalid(params IReadOnlyList<ProblemError> errors) =>
        new(400, Prefix + "invalid-request", "The request is not valid", errors[0].ToString()) { Errors = errors };

    public static Problem Invalid(string field, string reason) => Invalid(new ProblemError(field, reason));

    public static Problem Unreadable(string reason) =>
        new(400, Prefix + "unreadable-body", "The body cannot be read", reason)
        {
            Errors = [new ProblemError("body", reason)],
        };

    public static Problem NotJson(System.Text.Json.JsonException problem) => Unreadable(
        $"is not JSON: line {problem.LineNumber + 1}, byte {problem.BytePositionInLine + 1}");

    public static Problem EveryEventRefused() =>
        new(400, Prefix + "every-event-refused", "Every event is refused", "No event of the request keeps the rules; nothing was stored.");

    public static Problem TooLarge(int limitBytes) =>
        new(413, Prefix + "body-too-large", "The body is too large", $"The body must have at most {limitBytes} bytes.")
        {
            Errors = [new ProblemError("body", $"must have at most {limitBytes} bytes")],
        };

    public static Problem UnsupportedMediaType(string? contentType, string supported = "application/json") =>
        new(415, Prefix + "unsupported-media-type", "The content type is not supported",
            $"The body must be {supported}, not {(string.IsNullOrEmpty(contentType) ? "without a content type" : contentType)}.");

    public static Problem Unauthenticated(string failure) =>
        new(401, Prefix + "unauthenticated", failure, failure) { Error = failure };

    public static Problem Forbidden(string refusal) => new(403, Prefix + "forbidden", "Not allowed", refusal) { Error = refusal };

    public static Problem TooMany(string detail, TimeSpan retryAfter) =>
        new(429, Prefix + "too-many-requests", "Too many requests", detail) { RetryAfter = retryAfter, Error = detail };

    public static Problem NotFound(string detail) => new(404, Prefix + "not-found", "Not found", detail);

    public static Problem Conflict(string detail) => new(409, Prefix + "conflict", "The request clashes with what exists", detail);

    public static Problem Unprocessable(string detail) =>
        new(422, Prefix + "failed-precondition", "The request cannot be met as things stand", detail);

    public static Problem Overloaded(string detail, TimeSpan retryAfter) =>
        new(503, Prefix + "unavailable", "Not available now", detail) { RetryAfter = retryAfter };

    /// <summary>For what the status alone says.</summary>
    public static Problem OfStatus(int status, string title, string detail) => new(status, "about:blank", title, detail);
}

/// <summary>One broken rule.</summary>
/// <param name="Field">Name of the field or parameter, in the spelling of the REST API.</param>
/// <param name="Reason">A sentence for people, without its subject.</param>
/// <param name="Index">Index of the event, if it is about one.</param>
public sealed record ProblemError(string Field, string Reason, int? Index = null)
{
    public override string ToString() => $"{Field} {Reason}";
}

/// <summary>Ends a request with a problem.</summary>
public sealed class ProblemException : Exception
{
    public ProblemException() : this(Problem.Unreadable("cannot be read"))
    {
    }

    public ProblemException(string message) : this(Problem.Unreadable(message))
    {
    }

    public ProblemException(string message, Exception cause) : base(message, cause) => Problem = Problem.Unreadable(message);

    public ProblemException(Problem problem) : base(problem?.Detail) => Problem = problem!;

    public Problem Problem { get; }
}
