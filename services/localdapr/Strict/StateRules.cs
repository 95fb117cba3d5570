using System.Text.Json;
using StripeMeter.LocalDapr.Storage;

namespace StripeMeter.LocalDapr.Strict;

/// <summary>What daprd with state.mongodb does to an actor's state: numbers become float64, and <c>$</c> is evaluated or
/// fails.</summary>
internal static class StateRules
{
    /// <summary>The value as it would be stored.</summary>
    /// <exception cref="JsonException">MongoDB would evaluate or refuse it; the message says why.</exception>
    public static StateChange Apply(StateChange change)
    {
        if (change.Value is not { } value)
            return change;
        // A string at the top is stored quoted and stands outside all of this: the way to store bytes.
        if (value.Span[0] == (byte)'"')
            return change;
        RefuseDollars(change.Key, value.Span);
        return change with { Value = GoNumbers.Round(value) };
    }

    private static void RefuseDollars(string key, ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        while (reader.Read())
        {
            if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.GetString() is ['$', ..] text)
                throw new JsonException($"the value of '{key}' holds '{text}': state.mongodb evaluates nested strings that begin with $ and refuses such names; store bytes or a string");
        }
    }
}
