using StripeMeter.Defaults.Errors;
using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Events;
using StripeMeter.Metering.Time;
using StripeMeter.V1;
using FieldError = StripeMeter.V1.FieldError;

namespace StripeMeter.Gateway.Tests.Kit;

/// <summary>Answers as ingest would if it had never seen an event before: by the domain's own rules.</summary>
public static class IngestRules
{
    /// <summary>The clock of the rules; no test depends on the real one.</summary>
    public static Instant Now { get; } = Instant.OfDate(2026, 2, 1);

    public static IngestEventsResponse Answer(IngestEventsRequest request)
    {
        var rules = new EventRules(new EventLimits());
        var response = new IngestEventsResponse();
        for (var index = 0; index < request.Events.Count; index++)
        {
            var sent = request.Events[index];
            Instant instant = default;
            var problem = sent.Timestamp?.TryToInstant(out instant);
            var draft = new EventDraft
            {
                Tenant = sent.TenantId,
                Metric = sent.Metric,
                Customer = sent.CustomerRef,
                Resource = sent.ResourceId,
                Quantity = sent.Quantity,
                Timestamp = sent.Timestamp is null || problem is not null ? null : instant,
                TimestampProblem = problem,
                Meta = sent.MetaJson,
                Key = sent.IdempotencyKey,
            };
            var error = rules.Check(draft, Now, out _, out _);
            response.Results.Add(new IngestResult
            {
                Index = (ulong)index,
                Status = error is null ? IngestStatus.Accepted : IngestStatus.Error,
                IdempotencyKey = sent.IdempotencyKey,
                Error = error is null ? null : new FieldError { Field = error.Field, Reason = error.Reason },
            });
        }

        if (!request.AnswerEach && response.Results.All(result => result.Status == IngestStatus.Error))
        {
            throw RpcErrors.Invalid(response.Results.Select(result =>
                new Metering.Events.FieldError($"events[{result.Index}].{result.Error.Field}", result.Error.Reason)).ToArray());
        }

        return response;
    }
}
