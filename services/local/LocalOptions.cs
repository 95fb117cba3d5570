using System.ComponentModel.DataAnnotations;
using StripeMeter.Defaults.Configuration;

namespace StripeMeter.Local;

/// <summary>What the embedded system asks for itself. Everything else goes to the services as it is.</summary>
public sealed class LocalOptions
{
    private bool? _bypassesAuthentication;

    /// <summary>Folder of all data; <c>--data</c>. Created if missing. One running system at a time.</summary>
    [Setting("DATA_DIRECTORY"), Required]
    public string DataDirectory { get; set; } = "./data";

    /// <summary>REST port; <c>--port</c>. 0 picks a free one.</summary>
    [Setting("API_PORT"), Range(0, 65535)]
    public int ApiPort { get; set; } = 3000;

    /// <summary>Secret under which keys are kept. With one, callers need keys.</summary>
    [Setting("API_KEY_SALT")]
    public string KeySalt { get; set; } = "";

    /// <summary>Runs without keys. Default: as long as there is no API_KEY_SALT.</summary>
    [Setting("BYPASS_AUTH")]
    public bool BypassesAuthentication
    {
        get => _bypassesAuthentication ?? KeySalt.Length == 0;
        set => _bypassesAuthentication = value;
    }

    /// <summary>Address of the REST port. Loopback, because one process on a laptop runs without keys by default.</summary>
    [Setting("API_HOST"), Required]
    public string ApiHost { get; set; } = "127.0.0.1";

    /// <summary>gRPC port of ingest. 0 picks a free one.</summary>
    [Setting("INGEST_PORT"), Range(0, 65535)]
    public int IngestPort { get; set; } = 5101;

    /// <summary>HTTP port of the sidecar of publishers; Dapr's SDKs look at 3500. 0 picks a free one.</summary>
    [Setting("PUBLISHER_HTTP_PORT"), Range(0, 65535)]
    public int PublisherHttpPort { get; set; }

    /// <summary>gRPC port of the sidecar of publishers; Dapr's SDKs look at 50001. 0 picks a free one.</summary>
    [Setting("PUBLISHER_GRPC_PORT"), Range(0, 65535)]
    public int PublisherGrpcPort { get; set; }

    /// <summary>Port of the Stripe double. 0 picks a free one.</summary>
    [Setting("STRIPE_DOUBLE_PORT"), Range(0, 65535)]
    public int StripeDoublePort { get; set; } = 12111;

    /// <summary>With a key, Stripe is told; without, a double is.</summary>
    [Setting("STRIPE_SECRET_KEY")]
    public string StripeSecretKey { get; set; } = "";

    /// <summary>Address of Stripe's API, if it is not Stripe's own.</summary>
    [Setting("STRIPE_API_BASE")]
    public Uri? StripeApiBase { get; set; }

    /// <summary>Address of a double that runs already.</summary>
    [Setting("STRIPE_DOUBLE_BASE")]
    public Uri? StripeDoubleBase { get; set; }

    /// <summary>Whether a double is started beside the services.</summary>
    public bool StartsDouble => StripeSecretKey.Length == 0 && StripeApiBase is null && StripeDoubleBase is null;
}
