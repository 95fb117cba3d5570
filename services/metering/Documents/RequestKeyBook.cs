using System.Security.Cryptography;
using System.Text;
using StripeMeter.Metering.Ledger;

namespace StripeMeter.Metering.Documents;

/// <summary>What a key of a request stands for.</summary>
public enum RequestStanding
{
    /// <summary>For this request, from now on.</summary>
    First = 1,

    /// <summary>For this request, which was made before.</summary>
    Repeated = 2,

    /// <summary>For another request.</summary>
    Taken = 3,
}

/// <summary>Names that callers of one tenant gave to their requests. A key stands for one request, for ever.</summary>
public sealed class RequestKeyBook(IDocuments documents)
{
    /// <param name="key">The caller's name of the request.</param>
    /// <param name="fingerprint">Of all that the request is.</param>
    /// <param name="cancellation">Ends waiting.</param>
    public async Task<RequestStanding> ClaimAsync(string key, string fingerprint, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(key);

        // Keys may be longer, and hold more, than ids of documents.
        var id = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));
        var body = $"\"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(fingerprint)))}\"";
        var written = await documents.WriteAsync(DocumentKind.RequestKey, [new StoredDocument(id, body, 0)], cancellation).ConfigureAwait(false);
        if (written[0])
            return RequestStanding.First;
        var first = await documents.GetAsync(DocumentKind.RequestKey, id, cancellation).ConfigureAwait(false)
            ?? throw new StoreUnavailableException("The request that came first cannot be read yet.");
        return first.Body == body ? RequestStanding.Repeated : RequestStanding.Taken;
    }
}
