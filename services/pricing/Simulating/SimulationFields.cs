using System.Text.Json;
using System.Text.Json.Nodes;
using Grpc.Core;
using StripeMeter.Defaults.Errors;
using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Events;
using StripeMeter.Metering.Pricing;
using StripeMeter.Metering.Tenants;

namespace StripeMeter.Pricing.Simulating;

/// <summary>Reads the fields that requests have in common.</summary>
internal static class SimulationFields
{
    public const int NameLength = 255;
    private const int DocumentLength = 262_144;
    private const int DefaultPageSize = 20;
    private const int MaximumPageSize = 100;
    private static readonly JsonDocumentOptions Options = new() { AllowDuplicateProperties = false };

    public static TenantId Tenant(string value) => TenantId.IsValid(value)
        ? new TenantId(value)
        : throw RpcErrors.Invalid("tenant_id", $"must have 1 to {TenantId.MaximumLength} printable characters");

    public static string Id(string value) => value.Length > 0 ? value : throw RpcErrors.Invalid("id", "is required");

    public static string Text(string field, string value, int maximumLength) => value.Length <= maximumLength
        ? value
        : throw RpcErrors.Invalid(field, $"must have at most {maximumLength} characters");

    /// <summary>How many to list, and how many to pass over.</summary>
    public static (int Size, int Offset) Page(int size, int offset)
    {
        if (size is < 0 or > MaximumPageSize)
            throw RpcErrors.Invalid("page_size", $"must be 0 to {MaximumPageSize}");
        if (offset < 0)
            throw RpcErrors.Invalid("offset", "must not be negative");
        return (size == 0 ? DefaultPageSize : size, offset);
    }

    /// <summary>Where the page before ended; null at the beginning.</summary>
    public static T? Cursor<T>(string token) where T : class
    {
        T? cursor = null;
        return token.Length == 0 || PageToken.TryRead(token, out cursor)
            ? cursor
            : throw RpcErrors.Invalid("page_token", "is not one that a listing gave");
    }

    /// <summary>A JSON object in a text field; numbers stay digit for digit.</summary>
    public static JsonElement Document(string field, string text, int maximumLength = DocumentLength)
    {
        if (text.Length == 0)
            throw RpcErrors.Invalid(field, "is required");
        Text(field, text, maximumLength);
        try
        {
            using var document = JsonDocument.Parse(text, Options);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw RpcErrors.Invalid(field, "must be a JSON object");
            RefuseBrokenText(document.RootElement);
            return document.RootElement.Clone();
        }
        catch (InvalidOperationException)
        {
            throw RpcErrors.Invalid(field, "has a text that is not well-formed");
        }
        catch (JsonException problem)
        {
            throw RpcErrors.Invalid(field, $"is not JSON: line {problem.LineNumber + 1}, byte {problem.BytePositionInLine + 1}");
        }
    }

    /// <summary>JSON may hold half of a surrogate pair, which is only found when it is written or read as text.</summary>
    /// <exception cref="InvalidOperationException">It does.</exception>
    private static void RefuseBrokenText(JsonElement document)
    {
        using var writer = new Utf8JsonWriter(Stream.Null);
        document.WriteTo(writer);
    }

    /// <summary>The object with members of another in the place of its own; null takes a member away.</summary>
    public static string Merge(string text, JsonElement changes)
    {
        var merged = JsonNode.Parse(text)!.AsObject();
        foreach (var change in changes.EnumerateObject())
        {
            merged.Remove(change.Name);
            if (change.Value.ValueKind != JsonValueKind.Null)
                merged.Add(change.Name, JsonNode.Parse(change.Value.GetRawText()));
        }

        return merged.ToJsonString();
    }

    /// <summary>What the library refuses, as violations behind the field that holds the document.</summary>
    public static RpcException Refusal(string field, PricingException refusal) => RpcErrors.Invalid(
        [.. refusal.Problems.Select(problem => new FieldError(problem.Path.Length > 0 ? $"{field}.{problem.Path}" : field, problem.Reason))]);
}
