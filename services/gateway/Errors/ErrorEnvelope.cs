using System.Text.Json;

namespace StripeMeter.Gateway.Errors;

/// <summary>
/// Metadata of a route: members of its answer that stand in its problem documents too, empty, because older clients
/// read them there.
/// </summary>
public sealed class ErrorEnvelope(Action<Utf8JsonWriter> write)
{
    public void Write(Utf8JsonWriter writer) => write(writer);
}
