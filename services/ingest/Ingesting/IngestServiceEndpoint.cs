using Google.Rpc;
using Grpc.Core;
using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Errors;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Ledger;
using StripeMeter.V1;
using IngestStatus = StripeMeter.V1.IngestStatus;
using FieldError = StripeMeter.Metering.Events.FieldError;

namespace StripeMeter.Ingest.Ingesting;

/// <summary>The gRPC face of ingest.</summary>
public sealed class IngestServiceEndpoint(BatchIngester ingester, IngestOptions options) : IngestService.IngestServiceBase
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMilliseconds(500);

    [Access(AccessKind.Append, Scopes.EventsWrite)]
    public override async Task<IngestEventsResponse> IngestEvents(IngestEventsRequest request, ServerCallContext context)
    {
        var results = await ingester.IngestAsync(request.Events, request.IdempotencyKey, context.CancellationToken)
            .ConfigureAwait(false);
        if (!request.AnswerEach && Array.TrueForAll(results, result => result.Status == IngestStatus.Error))
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

    [Access(AccessKind.Append, Scopes.EventsWrite)]
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

    [Access(AccessKind.Append, Scopes.EventsWrite)]
    public override async Task ExchangeEvents(
        IAsyncStreamReader<ExchangeEventsRequest> requestStream, IServerStreamWriter<ExchangeEventsResponse> responseStream,
        ServerCallContext context)
    {
        await foreach (var message in requestStream.ReadAllAsync(context.CancellationToken).ConfigureAwait(false))
        {
            var response = await AnswerAsync(message, context.CancellationToken).ConfigureAwait(false);
            await responseStream.WriteAsync(response, context.CancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<ExchangeEventsResponse> AnswerAsync(ExchangeEventsRequest message, CancellationToken cancellation)
    {
        var response = new ExchangeEventsResponse { MessageId = message.MessageId };
        try
        {
            response.Results.AddRange(
                await ingester.IngestAsync(message.Events, message.IdempotencyKey, cancellation).ConfigureAwait(false));
        }
        catch (RpcException refusal) when (refusal.StatusCode is StatusCode.InvalidArgument or StatusCode.Unavailable)
        {
            response.Failure = ToFailure(refusal);
        }
        catch (StoreUnavailableException problem)
        {
            response.Failure = ToFailure(RpcErrors.Unavailable(problem.Message, RetryAfter));
        }

        return response;
    }

    private static ExchangeFailure ToFailure(RpcException refusal)
    {
        var status = refusal.GetRpcStatus();
        var violation = status?.GetDetail<BadRequest>()?.FieldViolations.FirstOrDefault();
        return new ExchangeFailure
        {
            Code = (int)refusal.StatusCode,
            Message = refusal.Status.Detail,
            Error = violation is null ? null : new V1.FieldError { Field = violation.Field, Reason = violation.Description },
            RetryAfterMs = (long)(status?.GetDetail<RetryInfo>()?.RetryDelay?.ToTimeSpan().TotalMilliseconds ?? 0),
        };
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
