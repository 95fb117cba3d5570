using System.Net;
using StripeMeter.Sqlite;
using StripeMeter.StripeDouble.Accounts;
using StripeMeter.StripeDouble.Control;
using StripeMeter.StripeDouble.Faults;
using StripeMeter.StripeDouble.Idempotency;
using StripeMeter.StripeDouble.Storage;

namespace StripeMeter.StripeDouble.Http;

/// <summary>
/// Stripe's API: key, limiter, idempotency key, parameters, concurrency, work, in this order, as it decides which answers
/// are stored and which are not.
/// </summary>
internal sealed partial class StripeServer(
    StripeDoubleOptions options, AccountBook accounts, StripeDoubleFaults faults, RequestLog log)
{
    private readonly ILogger _logger = options.LoggerFactory.CreateLogger<StripeServer>();
    private readonly CallReader _reader = new(options);
    private readonly ReplyStore _replies = new(options.IdempotencyWindow);

    public async Task ServeAsync(HttpContext context)
    {
        var requestId = Identifiers.Create("req_", 14);
        StripeCall? call = null;
        StripeReply reply;
        try
        {
            var account = accounts.Of(context.Request);
            call = await _reader.ReadAsync(context).ConfigureAwait(false);
            reply = await AnswerAsync(account, call).ConfigureAwait(false);
        }
        catch (StripeRefusal refusal)
        {
            reply = StripeReply.From(refusal, IsV2(context.Request.Path));
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            Log.Failed(_logger, context.Request.Method, context.Request.Path, failure);
            reply = StripeReply.From(StripeRefusal.ServerError(), IsV2(context.Request.Path));
        }

        log.Add(context.Request, requestId, call?.Pairs ?? [], reply, options.TimeProvider.GetUtcNow());
        if (reply.IsLost)
            context.Abort();
        else
            await WriteAsync(context, requestId, reply).ConfigureAwait(false);
    }

    private async Task<StripeReply> AnswerAsync(AccountData account, StripeCall call)
    {
        var (route, file) = (Match(account, call), account.File);
        if (route.TakesUsage)
            faults.RefuseIfLimited();
        if (call.Method == HttpMethods.Get)
            return file.Read(session => StripeReply.Ok(route.Endpoint(call, session).Execute(session)));
        if (call.IdempotencyKey is not { } key)
            return await PostAsync(account, route, call).ConfigureAwait(false);
        using var claim = account.KeysInFlight.TryClaim(key) ?? throw new StripeRefusal(
            HttpStatusCode.Conflict, $"Another request with the idempotency key '{key}' is in progress.")
        {
            Type = "idempotency_error", Code = "idempotency_key_in_use",
        };
        return file.Read(session => _replies.Find(session, key, call)) ?? await PostAsync(account, route, call).ConfigureAwait(false);
    }

    private async Task<StripeReply> PostAsync(AccountData account, StripeRoute route, StripeCall call)
    {
        var operation = account.File.Read(session => route.Endpoint(call, session));
        using var claim = operation.Exclusive is { } name ? account.WorkInFlight.TryClaim(name) ?? throw StripeRefusal.Concurrent() : null;
        if (route.TakesUsage)
        {
            await faults.WaitWhileHeldAsync().ConfigureAwait(false);
            call.Fault = faults.Next(operation.MeterEvents);
        }

        var reply = await account.File.WriteAsync(session => Execute(session, operation, call)).ConfigureAwait(false);
        return call.Fault.LosesReply ? reply with { IsLost = true } : reply;
    }

    private StripeReply Execute(SqliteSession session, Operation operation, StripeCall call)
    {
        var isV2 = IsV2(call.Path);
        var failure = StripeReply.From(StripeRefusal.ServerError(), isV2);
        StripeReply done, reply;
        try
        {
            done = call.Fault.FailsBeforeCommit ? failure : StripeReply.Ok(operation.Execute(session));
            reply = call.Fault.FailsAfterCommit ? failure : done;
        }
        catch (StripeRefusal refusal)
        {
            // It had not written yet, and the refusal is an answer like any other.
            done = reply = StripeReply.From(refusal, isV2);
        }

        // v1 keeps the first answer whatever it is; v2 keeps what was done, and has what failed tried again.
        if (call.IdempotencyKey is { } key && (!isV2 || done.Status == StatusCodes.Status200OK))
            _replies.Store(session, key, call, isV2 ? done : reply);
        return reply;
    }

    private static StripeRoute Match(AccountData account, StripeCall call)
    {
        var segments = call.Path.Split('/');
        foreach (var route in account.Routes)
        {
            if (!route.Matches(call.Method, segments, out var id))
                continue;
            call.Id = id;
            return route;
        }

        throw new StripeRefusal(HttpStatusCode.NotFound, $"Unrecognized request URL ({call.Method}: {call.Path}).");
    }

    private static bool IsV2(PathString path) => path.StartsWithSegments("/v2");

    private static async Task WriteAsync(HttpContext context, string requestId, StripeReply reply)
    {
        var response = context.Response;
        response.StatusCode = reply.Status;
        response.ContentType = "application/json";
        response.ContentLength = reply.Body.Length;
        response.Headers["Request-Id"] = requestId;
        Echo("Idempotency-Key");
        Echo("Stripe-Version");
        if (reply.IsReplayed)
            response.Headers["Idempotent-Replayed"] = "true";
        if (reply.ShouldRetry is { } shouldRetry)
            response.Headers["Stripe-Should-Retry"] = shouldRetry ? "true" : "false";
        if (reply.RateLimitedReason is { } reason)
            response.Headers["Stripe-Rate-Limited-Reason"] = reason;
        await response.Body.WriteAsync(reply.Body, context.RequestAborted).ConfigureAwait(false);

        void Echo(string header)
        {
            if (context.Request.Headers.TryGetValue(header, out var value))
                response.Headers[header] = value;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "{Method} {Path} failed in the double itself")]
        public static partial void Failed(ILogger logger, string method, PathString path, Exception failure);
    }
}
