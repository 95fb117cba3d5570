using System.Net;
using System.Text.RegularExpressions;
using Stripe;

namespace StripeMeter.Pusher.StripeApi;

/// <summary>The Stripe client of one key, and whose key it is.</summary>
internal abstract partial class StripeCalls : IDisposable
{
    /// <summary>The word in mappings for the account of the configured key.</summary>
    public const string OwnAccount = "default";

    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(5);
    private readonly HttpClient _http;
    private readonly TimeProvider _clock;
    private readonly SemaphoreSlim _asking = new(1);
    private string? _own;
    private long? _asked;

    /// <param name="key">The key.</param>
    /// <param name="address">Where it is sent.</param>
    /// <param name="account">Id of its account; empty: Stripe is asked.</param>
    /// <param name="timeout">After which a call is given up.</param>
    /// <param name="clock">The time.</param>
    protected StripeCalls(string key, Uri address, string account, TimeSpan timeout, TimeProvider clock)
    {
        (Address, _clock, _own) = (address, clock, account.Length > 0 ? account : null);
        _http = new HttpClient(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5) }) { Timeout = timeout };
        Client = new StripeClient(new StripeClientOptions
        {
            ApiKey = key,
            ApiBase = address.ToString().TrimEnd('/'),
            HttpClient = new SystemNetHttpClient(_http, maxNetworkRetries: 0, enableTelemetry: false),
        });
    }

    /// <summary>Whether the key moves real money.</summary>
    public abstract bool Livemode { get; }

    public Uri Address { get; }

    /// <summary>
    /// Makes one attempt per call: every attempt of a push must be known to the delta ledger, so the client must not
    /// repeat any by itself.
    /// </summary>
    public StripeClient Client { get; }

    /// <summary>Options of a call to an account. Only others than the key's own are named to Stripe.</summary>
    public RequestOptions RequestFor(string account) =>
        new() { StripeAccount = account == OwnAccount || account == _own ? null : account };

    /// <summary>The id of the account the key belongs to; null if it cannot be known now.</summary>
    public async ValueTask<string?> OwnAsync(CancellationToken cancellation)
    {
        if (_own is not null)
            return _own;
        await _asking.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (_own is null && (_asked is not { } asked || _clock.GetElapsedTime(asked) >= AskAgainAfter))
            {
                _asked = _clock.GetTimestamp();
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

    /// <summary>What a failure says, without keys that a server repeated in it.</summary>
    public static string Explain(Exception problem) => Secret().Replace(Said(problem), "…");

    [GeneratedRegex("(sk|rk)_[A-Za-z0-9_*]{5,}|whsec_[A-Za-z0-9_+/=]+")]
    private static partial Regex Secret();

    private static string Said(Exception problem) => problem switch
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
