using System.Buffers;
using System.Text;
using System.Text.Json;
using StripeMeter.Gateway.Access;
using StripeMeter.Gateway.Errors;

namespace StripeMeter.Gateway.Requests;

/// <summary>
/// The JSON object of a request, read member by member; what is wrong is collected. A member that is not known is
/// refused: it is most likely a misspelt one, and dropping it would change something else than was asked for.
/// </summary>
internal sealed class JsonBody : IDisposable
{
    private const int NormalDepth = 16;
    private readonly JsonDocument _document;
    private readonly List<ProblemError> _errors = [];

    private JsonBody(JsonDocument document) => _document = document;

    /// <exception cref="ProblemException">The body is no JSON object, or has members that are neither known nor to be ignored.</exception>
    public static Task<JsonBody> ReadAsync(HttpContext context, int limitBytes, IReadOnlySet<string> known, params string[] ignored) =>
        ReadAsync(context, limitBytes, known, NormalDepth, ignored);

    /// <inheritdoc cref="ReadAsync(HttpContext, int, IReadOnlySet{string}, string[])"/>
    public static async Task<JsonBody> ReadAsync(
        HttpContext context, int limitBytes, IReadOnlySet<string> known, int maximumDepth, params string[] ignored)
    {
        using var body = await RequestBody.ReadAsync(context, limitBytes).ConfigureAwait(false);
        var read = new JsonBody(Parse(body, maximumDepth));
        try
        {
            read.RefuseUnknown(known, ignored);
            CallerTenant.CheckBody(context, read.TryGet(CallerTenant.Name, out var tenant) && tenant.ValueKind == JsonValueKind.String ? Text(tenant) : null);
            return read;
        }
        catch
        {
            read.Dispose();
            throw;
        }
    }

    /// <summary>Whether the member is there, null or not.</summary>
    public bool Has(string name) => _document.RootElement.TryGetProperty(name, out _);

    /// <summary>A string; null if it is absent or null.</summary>
    public string? Text(string name, bool required = false)
    {
        if (!TryGet(name, out var value))
        {
            // A caller that is one tenant's need not say so.
            if (name == CallerTenant.Name && CallerTenant.Own is { } own)
                return own;
            if (required)
                Add(name, "is required");
            return null;
        }

        if (value.ValueKind != JsonValueKind.String)
            return Wrong<string>(name, "must be a string");
        var text = Text(value);
        if (text is null)
            Add(name, "must be well-formed text");
        else if (required && text.Length == 0)
            Add(name, "is required");
        return text;
    }

    /// <summary>The tenant, which only a caller that could mean several has to name.</summary>
    public string Tenant() => Text(CallerTenant.Name, required: true) ?? "";

    /// <summary>A decimal, sent as a number or as a string, digit for digit; null if it is absent or null.</summary>
    public string? Decimal(string name, bool required = false)
    {
        if (!TryGet(name, out var value) && required)
            Add(name, "is required");
        return value.ValueKind switch
        {
            JsonValueKind.Undefined or JsonValueKind.Null => null,
            JsonValueKind.Number => value.GetRawText(),
            JsonValueKind.String => Text(name, required),
            _ => Wrong<string>(name, "must be a number"),
        };
    }

    /// <summary>Strings; empty if it is absent or null.</summary>
    public IReadOnlyList<string> Texts(string name)
    {
        if (!TryGet(name, out var value))
            return [];
        if (value.ValueKind != JsonValueKind.Array)
            return Wrong<string[]>(name, "must be a list of strings") ?? [];
        var texts = new List<string>();
        foreach (var item in value.EnumerateArray())
        {
            if (item.ValueKind == JsonValueKind.String && Text(item) is { } text)
                texts.Add(text);
            else
                Add(name, "must be a list of strings");
        }

        return texts;
    }

    /// <summary>The JSON text of a list; null if it is absent or null.</summary>
    public string? Array(string name)
    {
        if (!TryGet(name, out var value))
            return null;
        return value.ValueKind == JsonValueKind.Array ? value.GetRawText() : Wrong<string>(name, "must be a list");
    }

    public bool? Flag(string name)
    {
        if (!TryGet(name, out var value))
            return null;
        return value.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => Wrong<bool?>(name, "must be true or false"),
        };
    }

    /// <summary>An object; null if it is absent or null.</summary>
    public JsonElement? Object(string name)
    {
        if (!TryGet(name, out var value))
            return null;
        return value.ValueKind == JsonValueKind.Object ? value : Wrong<JsonElement?>(name, "must be an object");
    }

    /// <summary>The elements of an array; none if it is absent or null.</summary>
    public IEnumerable<JsonElement> Items(string name)
    {
        if (!TryGet(name, out var value))
            return [];
        return value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : Wrong<JsonElement[]>(name, "must be a list") ?? [];
    }

    /// <summary>One of some words; the default of the type if it is absent or null.</summary>
    public T? Choice<T>(string name, IReadOnlyList<(string Word, T Value)> choices)
    {
        if (Text(name) is not { } text)
            return default;
        foreach (var (word, value) in choices)
        {
            if (word == text)
                return value;
        }

        return Wrong<T>(name, $"must be one of {string.Join(", ", choices.Select(choice => choice.Word))}");
    }

    /// <summary>The JSON of the body without some of its members; all others as they were sent, digit for digit.</summary>
    public string TextWithout(params ReadOnlySpan<string> names)
    {
        var written = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(written, Json.WriterOptions))
        {
            writer.WriteStartObject();
            foreach (var member in _document.RootElement.EnumerateObject())
            {
                if (names.Contains(member.Name))
                    continue;
                writer.WritePropertyName(member.Name);
                writer.WriteRawValue(member.Value.GetRawText());
            }

            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(written.WrittenSpan);
    }

    public void Add(string field, string reason) => _errors.Add(new ProblemError(field, reason));

    /// <exception cref="ProblemException">Something was wrong.</exception>
    public void Check()
    {
        if (_errors.Count > 0)
            throw new ProblemException(Problem.Invalid(_errors));
    }

    /// <summary>The text of a string; null if it is half of a surrogate pair somewhere.</summary>
    public static string? Text(JsonElement value)
    {
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    public void Dispose() => _document.Dispose();

    private static JsonDocument Parse(RequestBody body, int maximumDepth)
    {
        try
        {
            // The copy outlives the pooled buffer.
            var document = JsonDocument.Parse(body.Utf8.ToArray(), new JsonDocumentOptions { MaxDepth = maximumDepth });
            if (document.RootElement.ValueKind == JsonValueKind.Object)
                return document;
            document.Dispose();
            throw new ProblemException(Problem.Unreadable("must be a JSON object"));
        }
        catch (JsonException problem)
        {
            throw new ProblemException(Problem.NotJson(problem));
        }
    }

    private void RefuseUnknown(IReadOnlySet<string> known, string[] ignored)
    {
        var seen = new HashSet<string>();
        foreach (var member in _document.RootElement.EnumerateObject())
        {
            var name = Name(member);
            if (!seen.Add(name))
                Add(name, "is there twice");
            else if (!known.Contains(name) && !ignored.Contains(name))
                Add(name, "is not known");
        }

        Check();
    }

    /// <summary>The name of a member of an object anywhere in the body.</summary>
    /// <exception cref="ProblemException">The name is not well-formed text.</exception>
    public static string Name(JsonProperty member)
    {
        try
        {
            return member.Name;
        }
        catch (InvalidOperationException)
        {
            throw new ProblemException(Problem.Unreadable("has a member whose name is not well-formed text"));
        }
    }

    private bool TryGet(string name, out JsonElement value) =>
        _document.RootElement.TryGetProperty(name, out value) && value.ValueKind != JsonValueKind.Null;

    private T? Wrong<T>(string name, string reason)
    {
        Add(name, reason);
        return default;
    }
}
