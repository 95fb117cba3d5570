using StripeMeter.StripeDouble.Faults;

namespace StripeMeter.StripeDouble.Http;

/// <summary>A request on its way through the double.</summary>
internal sealed class StripeCall
{
    public required string Method { get; init; }

    public required string Path { get; init; }

    /// <summary>The parameters as they came, query string first.</summary>
    public required IReadOnlyList<KeyValuePair<string, string>> Pairs { get; init; }

    public required Parameters Parameters { get; init; }

    public required string? IdempotencyKey { get; init; }

    /// <summary>The key, or the token of a stream, that the call bears.</summary>
    public required string Token { get; init; }

    /// <summary>The <c>Stripe-Version</c>; empty without one, which stands for the newest.</summary>
    public string ApiVersion { get; init; } = "";

    public required DateTimeOffset Now { get; init; }

    /// <summary>The part of the path that the route leaves open; empty when it leaves none.</summary>
    public string Id { get; set; } = "";

    /// <summary>What is to go wrong with it.</summary>
    public InjectedFault Fault { get; set; }

    public long NowSeconds => Now.ToUnixTimeSeconds();

    public long NowMs => Now.ToUnixTimeMilliseconds();
}
