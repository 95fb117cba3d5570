using System.ComponentModel.DataAnnotations;
using StripeMeter.Defaults.Configuration;

namespace StripeMeter.Gateway;

/// <summary>Where the REST API listens, and its bounds.</summary>
public sealed class GatewayOptions
{
    /// <summary>Address of the REST port.</summary>
    [Setting("API_HOST"), Required]
    public string Host { get; set; } = "0.0.0.0";

    /// <summary>The REST port; 0 picks a free one.</summary>
    [Setting("API_PORT"), Range(0, 65535)]
    public int Port { get; set; } = 3000;

    /// <summary>Largest body of an ingest request, in bytes.</summary>
    [Setting("INGEST_BODY_LIMIT_BYTES"), Range(1_024, 16 * 1024 * 1024)]
    public int IngestBodyBytes { get; set; } = 1_048_576;

    /// <summary>Largest body of any other request, in bytes.</summary>
    [Setting("API_BODY_LIMIT_BYTES"), Range(1_024, 16 * 1024 * 1024)]
    public int BodyBytes { get; set; } = 1_048_576;

    /// <summary>Largest JSON body of a backfill, in bytes. Files come as bodies of their own and are streamed.</summary>
    [Setting("BACKFILL_BODY_LIMIT_BYTES"), Range(1_024, 16 * 1024 * 1024)]
    public int BackfillBodyBytes { get; set; } = 1_048_576;

    /// <summary>Events within the JSON body of a backfill.</summary>
    [Setting("MAX_BACKFILL_EVENTS"), Range(1, 100_000)]
    public int MaximumBackfillEvents { get; set; } = 5_000;

    /// <summary>Characters of the events or of the CSV text within the JSON body of a backfill.</summary>
    [Setting("MAX_DIRECT_BACKFILL_SIZE"), Range(1_024, 16 * 1024 * 1024)]
    public int MaximumDirectBackfillCharacters { get; set; } = 1_048_576;

    /// <summary>Largest file of a backfill as it is sent, in MiB.</summary>
    [Setting("BACKFILL_FILE_LIMIT_MIB"), Range(1, 1_048_576)]
    public int BackfillFileMebibytes { get; set; } = 10_240;

    /// <summary>Rows of one file of a backfill.</summary>
    [Setting("MAX_BACKFILL_FILE_ROWS"), Range(1, 2_000_000_000)]
    public int MaximumBackfillFileRows { get; set; } = 100_000_000;

    /// <summary>Largest body of a request that applies suggestions of a reconciliation, in bytes.</summary>
    [Setting("RECONCILIATION_BODY_LIMIT_BYTES"), Range(1_024, 16 * 1024 * 1024)]
    public int ReconciliationBodyBytes { get; set; } = 262_144;

    /// <summary>Suggestions applied by one request.</summary>
    [Setting("MAX_RECONCILIATION_APPROVALS_PER_REQUEST"), Range(1, 1_000)]
    public int MaximumApprovals { get; set; } = 1_000;

    /// <summary>Events of one ingest request, and of one call to ingest.</summary>
    [Setting("MAX_INGEST_BATCH"), Range(1, 10_000)]
    public int MaximumBatchEvents { get; set; } = 1_000;

    /// <summary>Whether ingest takes only tenant ids that are UUIDs.</summary>
    [Setting("STRICT_TENANT_ID_UUID")]
    public bool StrictTenantId { get; set; }

    /// <summary>Calls to ingest under way at a time. While they are, what comes in gathers into the next.</summary>
    [Setting("GATEWAY_INGEST_CALLS"), Range(1, 64)]
    public int ConcurrentIngestCalls { get; set; } = 4;

    /// <summary>Events waiting for ingest. More are refused as overload, before memory grows.</summary>
    [Setting("GATEWAY_PENDING_EVENTS"), Range(1_000, 10_000_000)]
    public int MaximumPendingEvents { get; set; } = 50_000;

    /// <summary>
    /// KiB of events that are being served at a time; more are refused as overload, so that those that are accepted are quick. It is
    /// about as much as is stored in 60 ms: more of it takes larger bursts, and makes an overload slower.
    /// </summary>
    [Setting("GATEWAY_SERVED_KIB"), Range(64, 1_048_576)]
    public int ServedKibibytes { get; set; } = 512;

    /// <summary>
    /// Usage allowed in a billing period, as <c>metric=1000</c>, <c>tenant/metric=…</c> or <c>tenant/metric/customer=…</c>, separated by
    /// commas. It is shown and alerted, and refuses nothing.
    /// </summary>
    [Setting("USAGE_LIMITS"), RegularExpression(@"(\s*[^,]+=\d{1,15}(\.\d{1,12})?\s*,?)*\s*")]
    public string UsageLimits { get; set; } = "";

    /// <summary>What metrics count, as <c>metric=unit</c> or <c>tenant/metric=unit</c>, separated by commas. A metric that is not named is its own unit.</summary>
    [Setting("METRIC_UNITS"), RegularExpression(@"(\s*[^,]+=[^,=]+,?)*\s*")]
    public string MetricUnits { get; set; } = "";

    /// <summary>Seconds after which a call to a service is given up.</summary>
    [Setting("GATEWAY_CALL_TIMEOUT_SECONDS"), Range(1, 300)]
    public int CallTimeoutSeconds { get; set; } = 10;

    /// <summary>Requests served at a time. More are refused as overload, before their bodies are read.</summary>
    [Setting("API_CONCURRENT_REQUESTS"), Range(10, 100_000)]
    public int ConcurrentRequests { get; set; } = 1_000;

    /// <summary>Failures to prove a caller that one address may have in a minute.</summary>
    [Setting("API_ADDRESS_FAILURES"), Range(1, 1_000_000)]
    public int AddressFailures { get; set; } = 100;

    /// <summary>Addresses or networks of proxies whose X-Forwarded-For is believed, separated by commas.</summary>
    [Setting("API_TRUSTED_PROXIES")]
    public string TrustedProxies { get; set; } = "";

    /// <summary>Origins whose pages may call the API, separated by commas. Default: none.</summary>
    [Setting("API_CORS_ORIGIN")]
    public string CorsOrigins { get; set; } = "";

    /// <summary>File with the certificate and its chain, PEM. Default: no TLS; something in front has to end it.</summary>
    [Setting("API_TLS_CERTIFICATE")]
    public string TlsCertificate { get; set; } = "";

    /// <summary>File with the certificate's private key, PEM.</summary>
    [Setting("API_TLS_KEY")]
    public string TlsKey { get; set; } = "";

    /// <summary>Characters of an Idempotency-Key: leaves room for ":999" within the limit of a key.</summary>
    public int MaximumRequestKeyLength { get; } = 240;
}
