using System.Globalization;
using System.Net;

namespace StripeMeter.StripeDouble;

/// <summary><c>--port 12111 --address 127.0.0.1 --data FILE --webhook URL --webhook-secret SECRET</c></summary>
internal static class CommandLine
{
    public const string Help =
        """
        A local server that behaves like Stripe's usage metering.

          --port PORT        port to listen on; 0 picks a free one (default 12111)
          --address ADDRESS  IP address to listen on (default 127.0.0.1); containers say 0.0.0.0
          --data FILE        SQLite file of the account (default ./data/stripe-double.db)
          --webhook URL      where events are delivered to; needs --webhook-secret
          --webhook-secret S what deliveries are signed with
          --help             this text
        """;

    /// <exception cref="ArgumentException">An argument is unknown or has no usable value.</exception>
    public static StripeDoubleOptions Read(IReadOnlyList<string> arguments)
    {
        var options = new StripeDoubleOptions { DataFile = Path.Combine("data", "stripe-double.db") };
        for (var index = 0; index < arguments.Count; index += 2)
        {
            var name = arguments[index];
            if (index + 1 == arguments.Count)
                throw new ArgumentException($"{name} has no value, or is unknown; --help says what there is.");
            var value = arguments[index + 1];
            options = name switch
            {
                "--port" => options with { Port = Port(value) },
                "--address" => options with { Address = Address(value) },
                "--data" => options with { DataFile = value },
                "--webhook" => options with { WebhookUrl = Url(value) },
                "--webhook-secret" => options with { WebhookSecret = value },
                _ => throw new ArgumentException($"{name} is unknown; --help says what there is."),
            };
        }

        return options;
    }

    private static IPAddress Address(string value) =>
        IPAddress.TryParse(value, out var address)
            ? address
            : throw new ArgumentException($"--address is '{value}'; it must be an IP address.");

    private static Uri Url(string value) =>
        Uri.TryCreate(value, UriKind.Absolute, out var url)
            ? url
            : throw new ArgumentException($"--webhook is '{value}'; it must be an address.");

    private static int Port(string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            ? port
            : throw new ArgumentException($"--port is '{value}'; it must be 0 to 65535.");
}
