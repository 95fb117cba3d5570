using System.Net;
using Stripe;
using StripeMeter.Defaults.Billing;

namespace StripeMeter.Pusher.StripeApi;

/// <summary>The Stripe client of the configured key, and whose key it is.</summary>
internal sealed class StripeCalls(StripeOptions stripe, PusherOptions options, TimeProvider clock) : IDisposable
{
    /// <summary>The word in mappings for the account of the configured key.</summary>
    public const string OwnAccount = "default";

    private const string LiveKeyPart = "_live_";
    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(5);
    private readonly HttpClient _http = new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5) }) { Timeout = options.CallTimeout };
    private readonly SemaphoreSlim _asking = new(1);
    private string? _own = options.Account.Length > 0 ? options.Account : null;
    private long? _asked;
    private StripeClient? _client;

    /// <summary>Whether there is a Stripe, or a double, to tell.</summary>
    public bool IsConfigured => stripe.IsConfigured;

    public bool Livemode => stripe.SecretKey.Contains(LiveKeyPart, StringComparison.Ordinal);

    /// <summary>
    /// Makes one attempt per call: every attempt of a push must be known to the delta ledger, so the client must not
    /// repeat any by itself.
    /// </summary>
    public StripeClient Client => _client ??= new StripeClient(new StripeClientOptions
    {
        ApiKey = stripe.EffectiveKey,
        ApiBase = stripe.ApiBase.ToString().TrimEnd('/'),
        HttpClient = new SystemNetHttpClient(_http, maxNetworkRetries: 0, enableTelemetry: false),
    });

    /// <summary>The id of an account that a mapping names; null if it is the key's own and cannot be known now.</summary>
    public async ValueTask<string?> ResolveAsync(string account, CancellationToken cancellation) =>
        account == OwnAccount ? await OwnAsync(cancellation).ConfigureAwait(false) : account;

    /// <summary>Options of a call to an account. Only others than the key's own are named to Stripe.</summary>
    public RequestOptions RequestFor(string account) =>
        new() { StripeAccount = account == OwnAccount || account == _own ? null : account };

    /// <summary>The id of the account the key belongs to; null if it cannot be known now.</summary>
    public async ValueTask<string?> OwnAsync(CancellationToken cancellation)
    {
        if (_own is not null || !IsConfigured)
            return _own;
        await _asking.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (_own is null && (_asked is not { } asked || clock.GetElapsedTime(asked) >= AskAgainAfter))
            {
                _asked = clock.GetTimestamp();
                _own = (await Client.V1.Accounts.GetSelfAsync(cancellationToken: cancellation).ConfigureAwait(false)).Id;
            }

            return _own;
        }
        catch (Exception problem) when (IsFailure(problem, cancellation))
        {
            Problem = Explain(problem);
            return null;
        }
        finally
        {
            _asking.Release();
        }
    }

    /// <summary>Why the account of the key is not known.</summary>
    public string Problem { get; private set; } = "";

    /// <summary>Whether an exception says that a call failed, and not that the caller gave up.</summary>
    public static bool IsFailure(Exception problem, CancellationToken cancellation) =>
        problem is StripeException or HttpRequestException or IOException or System.Text.Json.JsonException
        || (problem is OperationCanceledException && !cancellation.IsCancellationRequested);

    public static string Explain(Exception problem) => problem switch
    {
        StripeException { StripeError.Message: { Length: > 0 } said } => said,
        StripeException { HttpStatusCode: not 0 } stripe => $"Stripe answered {(int)stripe.HttpStatusCode}, which cannot be read.",
        OperationCanceledException => "Stripe did not answer in time.",
        _ => problem.Message,
    };

    /// <summary>Whether Stripe itself said this status: what a proxy says about a call is not an answer to it.</summary>
    public static bool Is(Exception problem, params ReadOnlySpan<HttpStatusCode> statuses) =>
        problem is StripeException { StripeError: not null } stripe && statuses.Contains(stripe.HttpStatusCode);

    public void Dispose()
    {
        _http.Dispose();
        _asking.Dispose();
    }
}
