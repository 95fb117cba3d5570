using System.ComponentModel.DataAnnotations;

namespace StripeMeter.Defaults.Configuration;

/// <summary>Where a service listens.</summary>
public sealed class EndpointOptions
{
    /// <summary>Address of the HTTP/2 port. Loopback; containers say 0.0.0.0.</summary>
    [Setting("APP_HOST")]
    public string AppHost { get; set; } = "127.0.0.1";

    /// <summary>HTTP/2 port; 0 picks a free one. Default: the service's own in <see cref="Hosting.AppCatalogue"/>.</summary>
    [Setting("APP_PORT"), Range(-1, 65535)]
    public int AppPort { get; set; } = -1;

    /// <summary>HTTP/1.1 port for health and metrics; 0 picks a free one. Default: the service's own.</summary>
    [Setting("PROBE_PORT"), Range(-1, 65535)]
    public int ProbePort { get; set; } = -1;

    /// <summary>Address of the HTTP/1.1 port. Default: that of the HTTP/2 port.</summary>
    [Setting("PROBE_HOST")]
    public string? ProbeHost { get; set; }

    /// <summary>Certificate of the HTTP/1.1 port, a PEM file. Empty: no TLS.</summary>
    public string ProbeCertificate { get; set; } = "";

    /// <summary>Its private key, a PEM file.</summary>
    public string ProbeCertificateKey { get; set; } = "";

    /// <summary>Lowest level logged: trace, debug, information, warning, error, critical.</summary>
    [Setting("LOG_LEVEL")]
    public Microsoft.Extensions.Logging.LogLevel LogLevel { get; set; } = Microsoft.Extensions.Logging.LogLevel.Information;

    /// <summary>How lines are written: text for people, json for collectors.</summary>
    [Setting("LOG_FORMAT")]
    public Telemetry.LogFormat LogFormat { get; set; } = Telemetry.LogFormat.Text;
}
