using Grpc.Core;
using StripeMeter.Defaults.Errors;
using StripeMeter.V1;
using FieldError = StripeMeter.Metering.Events.FieldError;

namespace StripeMeter.Ingest.Ingesting;

/// <summary>The gRPC face of ingest.</summary>
public sealed class IngestServiceEndpoint(BatchIngester ingester, IngestOptions options) : IngestService.IngestServiceBase
{
    public override async Task<IngestEventsResponse> IngestEvents(IngestEventsRequest request, ServerCallContext context)
    {
        var results = await ingester.IngestAsync(request.Events, request.IdempotencyKey, context.CancellationToken)
            .ConfigureAwait(false);
        if (Array.TrueForAll(results, result => result.Status == IngestStatus.Error))
            throw RpcErrors.Invalid(Array.ConvertAll(results, ToViolation));
        var response = new IngestEventsResponse();
        response.Results.AddRange(results);
        foreach (var result in results)
        {
            switch (result.Status)
            {
                case IngestStatus.Accepted: response.AcceptedCount++; break;
                case IngestStatus.Duplicate: response.DuplicateCount++; break;
                case IngestStatus.Conflict: response.ConflictCount++; break;
                default: response.ErrorCount++; break;
            }
        }

        return response;
    }

    public override async Task<StreamEventsResponse> StreamEvents(
        IAsyncStreamReader<StreamEventsRequest> requestStream, ServerCallContext context)
    {
        var response = new StreamEventsResponse();
        var passed = 0UL;
        await foreach (var message in requestStream.ReadAllAsync(context.CancellationToken).ConfigureAwait(false))
        {
            var results = await ingester.IngestAsync(message.Events, "", context.CancellationToken).ConfigureAwait(false);
            foreach (var result in results)
            {
                result.Index += passed;
                Count(response, result);
            }

            passed += (ulong)results.Length;
        }

        return response;
    }

    private void Count(StreamEventsResponse response, IngestResult result)
    {
        switch (result.Status)
        {
            case IngestStatus.Accepted: response.AcceptedCount++; return;
            case IngestStatus.Duplicate: response.DuplicateCount++; return;
            case IngestStatus.Conflict: response.ConflictCount++; break;
            default: response.ErrorCount++; break;
        }

        if (response.Problems.Count < options.MaximumStreamProblems)
            response.Problems.Add(result);
    }

    private static FieldError ToViolation(IngestResult result) =>
        new(FormattableString.Invariant($"events[{result.Index}].{result.Error.Field}"), result.Error.Reason);
}
