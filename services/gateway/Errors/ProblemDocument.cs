namespace StripeMeter.Gateway.Errors;

/// <summary>
/// What is wrong with a request, after RFC 9457. Routes add the members of their answer, empty, for older clients.
/// </summary>
/// <remarks>Documents what <see cref="ProblemWriter"/> writes.</remarks>
/// <param name="Type">A URI that names the kind of problem; about:blank where the status says it all.</param>
/// <param name="Title">The kind, in words.</param>
/// <param name="Status">The HTTP status.</param>
/// <param name="Detail">This case, in a sentence.</param>
/// <param name="Instance">The path asked for.</param>
/// <param name="RequestId">Name of the request.</param>
/// <param name="Error">What is wrong, as older clients read it: the kind in their words, or why a caller is refused.</param>
/// <param name="Message">This case, as they read it.</param>
/// <param name="Errors">The rules that are broken.</param>
public sealed record ProblemDocument(
    string Type, string Title, int Status, string Detail, string Instance, string RequestId, string Error, string Message,
    IReadOnlyList<ProblemDocumentError>? Errors);

/// <summary>A broken rule.</summary>
/// <param name="Index">Index of the event, if it is about one.</param>
/// <param name="Error">What is wrong, as a sentence.</param>
/// <param name="Field">The field or parameter.</param>
/// <param name="Reason">Why.</param>
public sealed record ProblemDocumentError(int? Index, string Error, string Field, string Reason);
