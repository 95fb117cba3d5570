using System.Text.Json.Nodes;

namespace StripeMeter.StripeDouble.Http;

/// <summary>The free key-value pairs of an object: at most 50, keys of at most 40 and values of at most 500 characters.</summary>
internal static class Metadata
{
    private const int MaximumPairs = 50;
    private const int MaximumKeyCharacters = 40;
    private const int MaximumValueCharacters = 500;

    public static JsonObject Read(Parameters parameters)
    {
        if (parameters.TextMap("metadata", MaximumValueCharacters) is not { } metadata)
            return [];
        if (metadata.Count > MaximumPairs)
            throw StripeRefusal.Invalid("metadata", $"metadata can have at most {MaximumPairs} keys.");
        foreach (var key in metadata.Keys)
        {
            if (key.Length > MaximumKeyCharacters)
                throw StripeRefusal.Invalid($"metadata[{key}]", $"Keys of metadata can have at most {MaximumKeyCharacters} characters.");
        }

        return StripeJson.Object(metadata);
    }
}
