using System.Text.Json;
using StripeMeter.LocalDapr.Actors;
using StripeMeter.LocalDapr.Transport;
using StripeMeter.LocalDapr.Reminders;
using StripeMeter.LocalDapr.Storage;
using StripeMeter.LocalDapr.Strict;

namespace StripeMeter.LocalDapr.Api;

/// <summary><c>/v1.0/actors</c>: calls, state, reminders and timers (dapr/dapr <c>pkg/api/http/actors.go</c>).</summary>
internal sealed class ActorApi(Sidecar sidecar, StateStore state, InjectedFaults faults, LocalDaprOptions options)
{
    private const string Root = "/v1.0/actors/{type}/{id}";
    private const string TtlHeader = "Metadata.ttlExpireTime";

    public void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.Map(Root + "/method/{**method}", context => AnswerAsync(context, InvokeAsync));
        endpoints.MapGet(Root + "/state/{**key}", context => AnswerAsync(context, GetStateAsync));
        endpoints.MapMethods(Root + "/state", ["PUT", "POST"], context => AnswerAsync(context, SaveStateAsync));
        endpoints.MapMethods(Root + "/reminders/{name}", ["PUT", "POST"], context => AnswerAsync(context, SetReminderAsync));
        endpoints.MapGet(Root + "/reminders/{name}", context => AnswerAsync(context, GetReminderAsync));
        endpoints.MapDelete(Root + "/reminders/{name}", context => AnswerAsync(context, DeleteReminderAsync));
        endpoints.MapMethods(Root + "/timers/{name}", ["PUT", "POST"], context => AnswerAsync(context, SetTimerAsync));
        endpoints.MapDelete(Root + "/timers/{name}", context => AnswerAsync(context, DeleteTimerAsync));
    }

    private static string Route(HttpContext context, string name) => (string)context.Request.RouteValues[name]!;

    private static async Task AnswerAsync(HttpContext context, Func<HttpContext, ActorKey, Task> handle)
    {
        var key = new ActorKey(Route(context, "type"), Route(context, "id"));
        try
        {
            if (!key.IsValid)
                throw new ActorCallException(StatusCodes.Status400BadRequest, ActorErrors.MalformedRequest,
                    $"actor '{key}' has a character that Dapr does not allow (# ? / \\ or a control character)");
            await handle(context, key).ConfigureAwait(false);
        }
        catch (ActorCallException failure)
        {
            await ApiError.WriteAsync(context, failure.Status, failure.Code, failure.Message).ConfigureAwait(false);
        }
        catch (BodyTooLargeException failure)
        {
            await ApiError.WriteAsync(context, StatusCodes.Status413PayloadTooLarge, ActorErrors.MalformedRequest, failure.Message)
                .ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is JsonException or FormatException)
        {
            await ApiError.WriteAsync(context, StatusCodes.Status400BadRequest, ActorErrors.MalformedRequest, failure.Message)
                .ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody waits for the answer.
        }
    }

    private async Task InvokeAsync(HttpContext context, ActorKey key)
    {
        using var body = await ReadBodyAsync(context).ConfigureAwait(false);
        var method = string.Join('/', Route(context, "method").Split('/').Select(Uri.EscapeDataString));
        var call = new ActorCall(key, method, body.Memory, context.Request.Headers);
        using var answer = await sidecar.Router.InvokeAsync(call, Gate.IsFromPeer(context), context.RequestAborted).ConfigureAwait(false);
        await answer.WriteToAsync(context.Response, context.RequestAborted).ConfigureAwait(false);
    }

    private async Task GetStateAsync(HttpContext context, ActorKey key)
    {
        RequireStateStore();
        using var value = new PooledBuffer(1024);
        if (!state.TryRead(PrefixOf(key) + Route(context, "key"), value, out var expiresAt))
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            return;
        }

        if (expiresAt is { } end)
            context.Response.Headers[TtlHeader] = end.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'",
                System.Globalization.CultureInfo.InvariantCulture);
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = value.WrittenMemory.Length;
        await context.Response.Body.WriteAsync(value.WrittenMemory, context.RequestAborted).ConfigureAwait(false);
    }

    private async Task SaveStateAsync(HttpContext context, ActorKey key)
    {
        RequireStateStore();
        if (!sidecar.Actors.Table.IsActive(key))
            throw new ActorCallException(StatusCodes.Status400BadRequest, ActorErrors.InstanceMissing,
                $"actor {key} is not active in this sidecar");
        using var body = await ReadBodyAsync(context).ConfigureAwait(false);
        var changes = StateTransaction.Parse(body.Memory);
        if (options.Strict)
            ApplyStateRules(changes);
        if (!faults.TakeLostSave(key.Type))
            await state.SaveAsync(PrefixOf(key), changes).ConfigureAwait(false);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private void ApplyStateRules(List<StateChange> changes)
    {
        for (var index = 0; index < changes.Count; index++)
        {
            if (changes[index].TtlSeconds is not null && !sidecar.Resources.Features.Contains("ActorStateTTL"))
                throw new ActorCallException(StatusCodes.Status400BadRequest, ActorErrors.StateSave,
                    $"'{changes[index].Key}' has a ttl, which needs the feature ActorStateTTL in the Dapr configuration");
            try
            {
                changes[index] = StateRules.Apply(changes[index]);
            }
            catch (JsonException refusal)
            {
                throw new ActorCallException(StatusCodes.Status500InternalServerError, ActorErrors.StateSave, refusal.Message, refusal);
            }
        }
    }

    private void RequireStateStore()
    {
        if (!sidecar.Resources.HasActorStateStore(sidecar.AppId))
            throw new ActorCallException(StatusCodes.Status500InternalServerError, ActorErrors.NoStateStore,
                "no state component carries actorStateStore: \"true\"");
    }

    private string PrefixOf(ActorKey key) => $"{sidecar.AppId}||{key.Type}||{key.Id}||";

    private async Task SetReminderAsync(HttpContext context, ActorKey key)
    {
        using var body = await ReadBodyAsync(context).ConfigureAwait(false);
        if (await FindRemindersAsync(context, key, body.Memory).ConfigureAwait(false) is not { } reminders)
            return;
        var request = AlarmRequest.Parse(body.Memory);
        var reminder = request.ToReminder(key, Route(context, "name"), options.TimeProvider.GetUtcNow(), options.Strict);
        if (!await reminders.Store.SaveAsync(reminder, request.Overwrite).ConfigureAwait(false))
            throw new ActorCallException(StatusCodes.Status409Conflict, ActorErrors.ReminderExists,
                $"reminder '{reminder.Name}' of {key} exists and overwrite is false");
        reminders.Wake();
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private async Task GetReminderAsync(HttpContext context, ActorKey key)
    {
        if (await FindRemindersAsync(context, key, default).ConfigureAwait(false) is not { } reminders)
            return;
        var name = Route(context, "name");
        if (reminders.Store.Find(key, name) is not { } reminder)
            throw new ActorCallException(StatusCodes.Status404NotFound, ActorErrors.ReminderNotFound, $"actor reminder not found: {name}");
        using var json = AlarmRequest.Write(reminder);
        context.Response.ContentType = "application/json";
        await context.Response.Body.WriteAsync(json.WrittenMemory, context.RequestAborted).ConfigureAwait(false);
    }

    private async Task DeleteReminderAsync(HttpContext context, ActorKey key)
    {
        if (await FindRemindersAsync(context, key, default).ConfigureAwait(false) is not { } reminders)
            return;
        await reminders.Store.DeleteAsync(key, Route(context, "name")).ConfigureAwait(false);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    /// <summary>Reminders are kept where their actor lives. Null when that is another process, whose answer has been passed
    /// on.</summary>
    private async Task<ReminderScheduler?> FindRemindersAsync(HttpContext context, ActorKey key, ReadOnlyMemory<byte> body)
    {
        if (Gate.IsFromPeer(context))
            return sidecar.Reminders;
        var owner = await sidecar.Router.FindAsync(key, context.RequestAborted).ConfigureAwait(false);
        if (owner.Here is { } host)
            return sidecar.Group.Find(host.AppId)!.Reminders;
        var rest = $"/reminders/{Uri.EscapeDataString(Route(context, "name"))}";
        using var answer = await sidecar.Router.HandOnAsync(owner.There!, new HttpMethod(context.Request.Method), key, rest, body,
            context.Request.Headers, context.RequestAborted).ConfigureAwait(false);
        await answer.WriteToAsync(context.Response, context.RequestAborted).ConfigureAwait(false);
        return null;
    }

    private async Task SetTimerAsync(HttpContext context, ActorKey key)
    {
        using var body = await ReadBodyAsync(context).ConfigureAwait(false);
        if (!sidecar.Actors.Table.IsActive(key))
            throw new ActorCallException(StatusCodes.Status400BadRequest, ActorErrors.InstanceMissing,
                $"actor {key} is not active in this sidecar");
        var request = AlarmRequest.Parse(body.Memory);
        var schedule = Schedule.Parse(request.DueTime, request.Period, request.Ttl, options.TimeProvider.GetUtcNow(), strict: false);
        sidecar.Actors.Timers.Set(key, Route(context, "name"), schedule, request.WriteTimerCallback());
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private Task DeleteTimerAsync(HttpContext context, ActorKey key)
    {
        sidecar.Actors.Timers.Remove(key, Route(context, "name"));
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    private ValueTask<PooledBody> ReadBodyAsync(HttpContext context) =>
        PooledBody.ReadAsync(context.Request.Body, context.Request.ContentLength, sidecar.App.MaximumBodyBytes, context.RequestAborted);
}
