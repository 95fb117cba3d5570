using System.Collections;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace StripeMeter.Defaults.Auditing;

/// <summary>Takes out of messages what the contracts mark with <c>debug_redact</c>: keys and tokens.</summary>
public static class Redaction
{
    /// <summary>The message, or a copy without its secrets.</summary>
    public static IMessage Of(IMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        var copy = message.Descriptor.Parser.ParseFrom(message.ToByteArray());
        Clear(copy);
        return copy;
    }

    private static void Clear(IMessage message)
    {
        foreach (var field in message.Descriptor.Fields.InDeclarationOrder())
        {
            if (field.GetOptions() is { DebugRedact: true })
                field.Accessor.Clear(message);
            else if (field.FieldType == FieldType.Message)
                ClearWithin(field.Accessor.GetValue(message));
        }
    }

    private static void ClearWithin(object? value)
    {
        if (value is IMessage inner)
            Clear(inner);
        else if (value is IEnumerable list)
        {
            foreach (var item in (list as IDictionary)?.Values ?? list)
                ClearWithin(item);
        }
    }
}
