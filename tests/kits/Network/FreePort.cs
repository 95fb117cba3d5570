using System.Net;
using System.Net.Sockets;

namespace StripeMeter.Kits.Network;

/// <summary>Ports of this machine for what a test stops and starts again.</summary>
public static class FreePort
{
    private const int Lowest = 14_000;
    private const int Count = 16_000;

    // Test runs at the same time begin at different places.
    private static int _taken = Environment.ProcessId * 101 % Count;

    /// <summary>
    /// A free port below those that the system gives to whoever asks for any: a server that ends and starts again finds
    /// nobody else on it meanwhile.
    /// </summary>
    public static int Take()
    {
        while (true)
        {
            var port = Lowest + (Interlocked.Increment(ref _taken) % Count);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Somebody is there; the next one.
            }
        }
    }
}
