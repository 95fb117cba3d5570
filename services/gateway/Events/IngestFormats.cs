using StripeMeter.Gateway.Errors;
using StripeMeter.Gateway.Requests;

namespace StripeMeter.Gateway.Events;

/// <summary>How the events of an ingest request are written.</summary>
internal enum IngestFormat
{
    /// <summary><c>{"events":[…]}</c>.</summary>
    Json,

    /// <summary>One CloudEvent, attributes and data in the body.</summary>
    CloudEvent,

    /// <summary>A list of such.</summary>
    CloudEventBatch,

    /// <summary>One CloudEvent with its attributes in headers and its data in the body.</summary>
    BinaryCloudEvent,
}

/// <summary>Tells formats apart as CloudEvents' HTTP binding says: by content type, and binary mode by its headers.</summary>
internal static class IngestFormats
{
    public const string Json = "application/json";
    public const string CloudEvent = "application/cloudevents+json";
    public const string CloudEventBatch = "application/cloudevents-batch+json";

    /// <exception cref="ProblemException">The body is of another type.</exception>
    public static IngestFormat Of(HttpRequest request)
    {
        var contentType = request.ContentType;
        if (RequestBody.IsOfType(contentType, CloudEvent))
            return IngestFormat.CloudEvent;
        if (RequestBody.IsOfType(contentType, CloudEventBatch))
            return IngestFormat.CloudEventBatch;
        if (request.Headers.ContainsKey(CloudEventBody.VersionHeader))
            return IngestFormat.BinaryCloudEvent;
        return RequestBody.IsOfType(contentType, Json)
            ? IngestFormat.Json
            : throw new ProblemException(Problem.UnsupportedMediaType(contentType, $"{Json}, {CloudEvent} or {CloudEventBatch}"));
    }
}
