using System.Globalization;
using System.Net;

namespace StripeMeter.StripeDouble.Http;

/// <summary>
/// The parameters of a request, or of one nested map in it (<c>recurring[meter]</c>). Whoever reads one names its rule;
/// what nobody read is unknown and refused, as Stripe does.
/// </summary>
internal sealed class Parameters(string path = "")
{
    /// <summary>Maps within maps.</summary>
    private const int MaximumDepth = 5;

    /// <summary>Characters of a text for which Stripe states no limit.</summary>
    private const int MaximumTextCharacters = 5_000;

    private readonly Dictionary<string, string> _texts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Parameters> _maps = new(StringComparer.Ordinal);
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    /// <exception cref="StripeRefusal">A name cannot be read, or names both a text and a map.</exception>
    public static Parameters From(IEnumerable<KeyValuePair<string, string>> pairs)
    {
        var root = new Parameters();
        foreach (var (name, value) in pairs)
            root.Add(name, Segments(name), value);
        return root;
    }

    /// <summary>A text; null when it is absent or empty, as an empty string clears a field.</summary>
    public string? Text(string key, int maximumCharacters = MaximumTextCharacters)
    {
        _known.Add(key);
        if (_maps.ContainsKey(key))
            throw StripeRefusal.Invalid(Name(key), $"Invalid string: {Name(key)} must be a string.");
        if (!_texts.TryGetValue(key, out var text) || text.Length == 0)
            return null;
        return text.Length <= maximumCharacters
            ? text
            : throw StripeRefusal.Invalid(Name(key), $"Invalid string: {Name(key)} must be at most {maximumCharacters} characters.");
    }

    public string RequiredText(string key, int maximumCharacters = MaximumTextCharacters) =>
        Text(key, maximumCharacters) ?? throw Absent(key);

    public string? Choice(string key, params ReadOnlySpan<string> choices)
    {
        if (Text(key) is not { } text)
            return null;
        foreach (var choice in choices)
        {
            if (choice == text)
                return text;
        }

        throw StripeRefusal.Invalid(Name(key), $"Invalid {Name(key)}: must be one of {string.Join(", ", choices)}.");
    }

    public string RequiredChoice(string key, params ReadOnlySpan<string> choices) => Choice(key, choices) ?? throw Absent(key);

    public long? Integer(string key) => Text(key) switch
    {
        null => null,
        var text when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) => number,
        var text => throw StripeRefusal.Invalid(Name(key), $"Invalid integer: {text}", "parameter_invalid_integer"),
    };

    /// <summary>A moment as v2 writes it, RFC 3339.</summary>
    public DateTimeOffset? DateTime(string key) => Text(key) switch
    {
        null => null,
        var text when DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment) => moment,
        _ => throw StripeRefusal.Invalid(Name(key), $"{Name(key)} must be an RFC 3339 date-time."),
    };

    public long RequiredInteger(string key) => Integer(key) ?? throw Absent(key);

    public bool? Boolean(string key) => Text(key) switch
    {
        null => null,
        "true" => true,
        "false" => false,
        var text => throw StripeRefusal.Invalid(Name(key), $"Invalid boolean: {text}"),
    };

    public Parameters? Map(string key)
    {
        _known.Add(key);
        if (_texts.TryGetValue(key, out var text) && text.Length > 0)
            throw StripeRefusal.Invalid(Name(key), $"Invalid object: {Name(key)} must be a map.");
        return _maps.GetValueOrDefault(key);
    }

    public Parameters RequiredMap(string key) => Map(key) ?? throw Absent(key);

    /// <summary>A list of maps, written <c>key[0][…]</c>, <c>key[1][…]</c>.</summary>
    public IReadOnlyList<Parameters> Maps(string key) =>
        Map(key) is not { } list ? [] : [.. list.Indexes().Select(list.RequiredMap)];

    /// <summary>A list of texts, written <c>key[0]</c> or <c>key[]</c>.</summary>
    public IReadOnlyList<string> Texts(string key) =>
        Map(key) is not { } list ? [] : [.. list.Indexes().Select(index => list.RequiredText(index))];

    /// <summary>A map of free keys to texts; values that are empty are left out. Null when it is absent.</summary>
    public IReadOnlyDictionary<string, string>? TextMap(string key, int maximumValueCharacters)
    {
        if (Map(key) is not { } map)
            return null;
        var values = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var name in map._texts.Keys.Concat(map._maps.Keys))
        {
            if (map.Text(name, maximumValueCharacters) is { } text)
                values.Add(name, text);
        }

        return values;
    }

    /// <exception cref="StripeRefusal">A parameter was given that nobody read.</exception>
    public void RefuseUnknown()
    {
        foreach (var key in _texts.Keys.Concat(_maps.Keys))
        {
            if (!_known.Contains(key))
                throw StripeRefusal.Unknown(Name(key));
        }

        foreach (var map in _maps.Values)
            map.RefuseUnknown();
    }

    /// <summary>Reads <c>expand[]</c>, of which only <paramref name="expandable"/> can be asked for.</summary>
    public IReadOnlyList<string> Expansion(params ReadOnlySpan<string> expandable)
    {
        var expansion = Texts("expand");
        foreach (var property in expansion)
        {
            if (!expandable.Contains(property))
                throw StripeRefusal.Invalid("expand", $"This property cannot be expanded ({property}).");
        }

        return expansion;
    }

    /// <summary>The full name of a parameter of this map.</summary>
    public string Name(string key) => path.Length == 0 ? key : $"{path}[{key}]";

    private StripeRefusal Absent(string key) => _texts.ContainsKey(key)
        ? StripeRefusal.Invalid(Name(key), $"You passed an empty string for '{Name(key)}'.", "parameter_invalid_empty")
        : StripeRefusal.Missing(Name(key));

    private List<string> Indexes() => _texts.Keys.Concat(_maps.Keys)
        .OrderBy(key => int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out var index)
            ? index
            : throw StripeRefusal.Invalid(Name(key), $"Invalid array: {path} must be a list."))
        .ToList();

    private void Add(string name, ReadOnlySpan<string> segments, string value)
    {
        var key = segments[0].Length > 0 ? segments[0] : (_texts.Count + _maps.Count).ToString(CultureInfo.InvariantCulture);
        if (segments.Length == 1 ? _maps.ContainsKey(key) : _texts.ContainsKey(key))
            throw StripeRefusal.Invalid(name, $"Invalid request: {Name(key)} is given both as a string and as a map.");
        if (segments.Length == 1)
        {
            _texts[key] = value;
            return;
        }

        if (!_maps.TryGetValue(key, out var map))
            _maps.Add(key, map = new Parameters(Name(key)));
        map.Add(name, segments[1..], value);
    }

    /// <summary>Splits <c>a[b][c]</c> into a, b, c.</summary>
    private static string[] Segments(string name)
    {
        var open = name.IndexOf('[', StringComparison.Ordinal);
        if (open < 0)
            return [name];
        var segments = name[(open + 1)..].Split("][");
        if (open == 0 || !name.EndsWith(']') || segments.Length >= MaximumDepth)
            throw new StripeRefusal(HttpStatusCode.BadRequest, $"Invalid parameter name: {name}") { Parameter = name };
        segments[^1] = segments[^1][..^1];
        return segments.Any(static segment => segment.AsSpan().ContainsAny('[', ']'))
            ? throw new StripeRefusal(HttpStatusCode.BadRequest, $"Invalid parameter name: {name}") { Parameter = name }
            : [name[..open], .. segments];
    }
}
