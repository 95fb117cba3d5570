using Google.Protobuf.Collections;
using Grpc.Core;
using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Errors;
using StripeMeter.Defaults.Wire;
using StripeMeter.Ingest.Controlling;
using StripeMeter.Ingest.Ingesting;
using StripeMeter.Ingest.Subscribing;
using StripeMeter.Metering.DeadLetters;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;
using StripeMeter.V1;
using DeadLetter = StripeMeter.Metering.DeadLetters.DeadLetter;
using WireFormat = StripeMeter.V1.DeadLetterFormat;

namespace StripeMeter.Ingest.DeadLetters;

/// <summary>The gRPC face of dead letters.</summary>
internal sealed class DeadLetterServiceEndpoint(DeadLetterKeeper keeper, BatchIngester ingester)
    : DeadLetterService.DeadLetterServiceBase
{
    private const int DefaultPageSize = 25;
    private const int MaximumPageSize = 100;
    private const int MaximumIds = 100;

    [Access(AccessKind.Read, Scopes.EventsRead)]
    public override async Task<ListDeadLettersResponse> ListDeadLetters(ListDeadLettersRequest request, ServerCallContext context)
    {
        var list = keeper.ListOf(ControlFields.Tenant(request.TenantId));
        var limit = ControlFields.PageSize(request.PageSize, DefaultPageSize, MaximumPageSize);
        var after = ControlFields.Cursor<string>("page_token", request.PageToken);
        var found = await list.ListAsync(after, limit + 1, context.CancellationToken).ConfigureAwait(false);
        var response = new ListDeadLettersResponse();
        response.DeadLetters.AddRange(found.Take(limit).Select(ToWire));
        if (found.Count > limit)
            response.NextPageToken = PageToken.Write(found[limit - 1].Id);
        return response;
    }

    [Access(AccessKind.Change, Scopes.EventsWrite)]
    public override async Task<RedriveDeadLettersResponse> RedriveDeadLetters(
        RedriveDeadLettersRequest request, ServerCallContext context)
    {
        var tenant = ControlFields.Tenant(request.TenantId);
        var list = keeper.ListOf(tenant);
        if (request.Ids.Count is 0 or > MaximumIds)
            throw RpcErrors.Invalid("ids", $"must be 1 to {MaximumIds}, not {request.Ids.Count}");
        var letters = new List<DeadLetter?>(request.Ids.Count);
        foreach (var id in request.Ids)
            letters.Add(await FindAsync(list, id, context.CancellationToken).ConfigureAwait(false));
        Call.NoteBefore(new ListDeadLettersResponse { DeadLetters = { letters.OfType<DeadLetter>().Select(ToWire) } });
        await Call.BeginChangeAsync(tenant, context.CancellationToken).ConfigureAwait(false);
        var response = new RedriveDeadLettersResponse();
        foreach (var (id, letter) in request.Ids.Zip(letters))
            response.Results.Add(await RedriveAsync(tenant, list, id, letter, context.CancellationToken).ConfigureAwait(false));
        return response;
    }

    [Access(AccessKind.Change, Scopes.EventsWrite)]
    public override async Task<DeleteDeadLetterResponse> DeleteDeadLetter(DeleteDeadLetterRequest request, ServerCallContext context)
    {
        var list = keeper.ListOf(ControlFields.Tenant(request.TenantId));
        var id = ControlFields.Required("id", request.Id, ControlFields.NameLength);
        var letter = await list.FindAsync(id, context.CancellationToken).ConfigureAwait(false);
        if (letter is not null)
            Call.NoteBefore(ToWire(letter));
        return letter is not null && await list.RemoveAsync(letter, context.CancellationToken).ConfigureAwait(false)
            ? new DeleteDeadLetterResponse()
            : throw RpcErrors.NotFound($"The dead letter '{id}'");
    }

    private static async Task<DeadLetter?> FindAsync(DeadLetterList list, string id, CancellationToken cancellation) =>
        id.Length is > 0 and <= ControlFields.NameLength ? await list.FindAsync(id, cancellation).ConfigureAwait(false) : null;

    private async Task<RedriveResult> RedriveAsync(
        TenantId tenant, DeadLetterList list, string id, DeadLetter? letter, CancellationToken cancellation)
    {
        var result = new RedriveResult { Id = id, Status = IngestStatus.Error };
        if (letter is null)
        {
            result.Error = new FieldError { Field = "ids", Reason = "is not the id of a dead letter" };
            return result;
        }

        var read = Publication.Read(letter);
        if (read.Error is { } unreadable)
        {
            var error = PublicationTaker.ToWire(unreadable);
            result.Error = new FieldError { Field = error.Field, Reason = error.Reason };
            return result;
        }

        // It was kept as it was sent; the topic that it came by said whose it is.
        if (read.Event.TenantId.Length == 0 && keeper.AreAttributed(tenant))
            read.Event.TenantId = tenant.Value;
        if (TenantId.IsValid(read.Event.TenantId) && Call.Current?.Principal.Reaches(new TenantId(read.Event.TenantId)) == false)
        {
            result.Error = new FieldError { Field = "tenant_id", Reason = "is another tenant" };
            return result;
        }

        var decided = (await ingester.IngestAsync(new RepeatedField<UsageEvent> { read.Event }, "", cancellation).ConfigureAwait(false))[0];
        (result.Status, result.Error) = (decided.Status, decided.Error);
        if (decided.Status is IngestStatus.Accepted or IngestStatus.Duplicate)
            await list.RemoveAsync(letter, cancellation).ConfigureAwait(false);
        return result;
    }

    private static V1.DeadLetter ToWire(DeadLetter letter) => new()
    {
        Id = letter.Id,
        Format = (WireFormat)letter.Format,
        Content = letter.Content,
        Error = new FieldError { Field = letter.Field, Reason = letter.Reason },
        SeenTime = new Instant(letter.SeenTicks).ToTimestamp(),
    };
}
