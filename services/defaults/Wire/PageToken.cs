using System.Buffers.Text;
using System.Text.Json;

namespace StripeMeter.Defaults.Wire;

/// <summary>Opaque page tokens: the cursor of a listing as base64url of JSON.</summary>
public static class PageToken
{
    /// <summary>Longest token read, in characters.</summary>
    public const int MaximumLength = 4096;

    /// <summary>A token that lacks a part was not made here.</summary>
    private static readonly JsonSerializerOptions Whole = new()
    {
        RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true,
    };

    public static string Write<T>(T cursor) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(cursor));

    /// <summary>Reads a token that <see cref="Write{T}"/> made. False if it is none.</summary>
    public static bool TryRead<T>(string token, out T? cursor)
    {
        cursor = default;
        if (string.IsNullOrEmpty(token) || token.Length > MaximumLength || !Base64Url.IsValid(token))
            return false;
        try
        {
            cursor = JsonSerializer.Deserialize<T>(Base64Url.DecodeFromChars(token), Whole);
            return cursor is not null;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
