using StripeMeter.Defaults.Access;
using StripeMeter.Gateway.Errors;

namespace StripeMeter.Gateway.Events;

/// <summary>
/// Lets in as many requests with events as are served quickly, and refuses more at once: what waits behind them would be
/// answered late, and would make the others late too. How long they take follows from how much they hold, so they are
/// weighed and not counted. One request alone is always let in.
/// </summary>
public sealed class IngestAdmission(GatewayOptions options, AccessInstruments instruments)
{
    /// <summary>What a request costs beside its events, in bytes of events that cost as much.</summary>
    private const int RequestBytes = 1_500;

    private const int Kibibyte = 1_024;
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);
    private long _served;

    /// <summary>Refuses a request before its body is read. A body whose length is not told is judged once it is read.</summary>
    /// <exception cref="ProblemException">It would not be let in now.</exception>
    public void Foresee(long? bodyBytes)
    {
        var served = Interlocked.Read(ref _served);
        if (served > 0 && served + WeightOf(bodyBytes ?? 0) > Limit)
            throw Refusal();
    }

    /// <summary>Lets a request in until the ticket is disposed.</summary>
    /// <exception cref="ProblemException">Too much is being served.</exception>
    public Ticket Enter(long bodyBytes)
    {
        var weight = WeightOf(bodyBytes);
        if (Interlocked.Add(ref _served, weight) is var served && served > weight && served > Limit)
        {
            Interlocked.Add(ref _served, -weight);
            throw Refusal();
        }

        return new Ticket(this, weight);
    }

    private long Limit => (long)options.ServedKibibytes * Kibibyte;

    private static long WeightOf(long bodyBytes) => bodyBytes + RequestBytes;

    private ProblemException Refusal()
    {
        instruments.Shed();
        return new ProblemException(Problem.Overloaded("Too many events are being served.", RetryAfter));
    }

    /// <summary>A request that is being served.</summary>
    public readonly struct Ticket(IngestAdmission admission, long weight) : IDisposable
    {
        public void Dispose() => Interlocked.Add(ref admission._served, -weight);
    }
}
