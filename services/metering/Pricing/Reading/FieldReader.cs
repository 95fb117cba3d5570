using System.Globalization;
using System.Text.Json;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Pricing.Reading;

/// <summary>
/// Reads an object of a configuration member by member and collects what is wrong, each with its path. Numbers are read
/// digit by digit, as JSON numbers or as text; a member that nobody asked for is refused as a misspelt one.
/// </summary>
public sealed class FieldReader
{
    private readonly JsonElement _object;
    private readonly List<PricingProblem> _problems;
    private readonly HashSet<string> _asked = [];

    private FieldReader(JsonElement element, string path, List<PricingProblem> problems)
    {
        (Path, _object, _problems) = (path, element, problems);
        if (element.ValueKind != JsonValueKind.Object)
            _problems.Add(new PricingProblem(path, "must be an object"));
    }

    public FieldReader(JsonElement element) : this(element, "", [])
    {
    }

    public string Path { get; }

    public IReadOnlyList<PricingProblem> Problems => _problems;

    /// <exception cref="PricingException">Something was wrong.</exception>
    public void Check()
    {
        if (_problems.Count > 0)
            throw new PricingException([.. _problems]);
    }

    public void Refuse(string name, string reason) => _problems.Add(new PricingProblem(PathOf(name), reason));

    public void Refuse(IEnumerable<PricingProblem> problems) => _problems.AddRange(problems);

    public string PathOf(string name) => Path.Length == 0 ? name : name.Length == 0 ? Path : $"{Path}.{name}";

    /// <summary>The names of all members, where they are not fixed.</summary>
    public IEnumerable<string> Names() =>
        _object.ValueKind == JsonValueKind.Object ? _object.EnumerateObject().Select(member => member.Name) : [];

    /// <summary>Whether the member is there and not null.</summary>
    public bool Has(string name) => Find(name) is not null;

    public bool IsText(string name, string text) =>
        Find(name) is { ValueKind: JsonValueKind.String } value && value.GetString() == text;

    /// <summary>Members that may be there and say nothing of the price.</summary>
    public void Ignore(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
            _asked.Add(name);
    }

    public string? Text(string name, bool required = false)
    {
        var value = Find(name, required);
        if (value is null)
            return null;
        if (value.Value.ValueKind != JsonValueKind.String)
            Refuse(name, "must be text");
        else if (WellFormed(value.Value) is { } text)
            return text;
        else
            Refuse(name, "must be well-formed text");
        return null;
    }

    /// <summary>One of some words; the first is meant when none stands there.</summary>
    public string Word(string name, params string[] words)
    {
        var text = Text(name);
        if (text is null || words.Contains(text))
            return text ?? words[0];
        Refuse(name, $"must be {string.Join(" or ", words)}");
        return words[0];
    }

    public bool Flag(string name)
    {
        var value = Find(name);
        if (value is { ValueKind: not (JsonValueKind.True or JsonValueKind.False) })
            Refuse(name, "must be true or false");
        return value is { ValueKind: JsonValueKind.True };
    }

    /// <summary>A decimal of at most 15 integer digits and 12 decimals.</summary>
    public Quantity? Quantity(string name, bool required = false)
    {
        if (Find(name, required) is not { } value)
            return null;
        var text = value.ValueKind switch
        {
            JsonValueKind.Number => value.GetRawText(),
            JsonValueKind.String => WellFormed(value),
            _ => "",
        };
        var error = QuantityText.Read(text, out var quantity);
        if (error == QuantityTextError.None)
            return quantity;
        Refuse(name, error switch
        {
            QuantityTextError.TooManyDecimals => $"has more than {Quantities.Quantity.Scale} decimals",
            QuantityTextError.TooManyIntegerDigits => $"has more than {Quantities.Quantity.MaximumIntegerDigits} digits before the point",
            _ => "must be a number",
        });
        return null;
    }

    public decimal? Number(string name, bool required = false) =>
        Quantity(name, required) is { } quantity ? ExactDecimal.Of(quantity) : null;

    /// <summary>An integer of at most 15 digits.</summary>
    public long? Whole(string name, bool required = false)
    {
        if (Number(name, required) is not { } number)
            return null;
        if (number.Scale == 0)
            return (long)number;
        Refuse(name, "must be whole");
        return null;
    }

    /// <summary>A date or a moment in RFC 3339.</summary>
    /// <param name="name">The member.</param>
    /// <param name="wholeDay">Whether a date means the end of the day, not its beginning.</param>
    /// <param name="required">Whether it must be there.</param>
    public Instant? Moment(string name, bool wholeDay = false, bool required = false)
    {
        if (Text(name, required) is not { } text)
            return null;
        if (DateTime.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day))
            return Instant.OfDate(day.Year, day.Month, day.Day) + TimeSpan.FromDays(wholeDay ? 1 : 0);
        if (InstantText.Read(text, out var instant) == InstantTextError.None)
            return instant;
        Refuse(name, "must be a date such as 2026-01-31, or a moment such as 2026-01-31T12:00:00Z");
        return null;
    }

    public FieldReader? Member(string name, bool required = false) =>
        Find(name, required) is { } value ? new FieldReader(value, PathOf(name), _problems) : null;

    /// <summary>The objects of an array; none if it is absent.</summary>
    public IEnumerable<FieldReader> Items(string name, bool required = false, int maximum = 10_000)
    {
        if (Find(name, required) is not { } value)
            return [];
        if (value.ValueKind == JsonValueKind.Array && value.GetArrayLength() <= maximum)
            return value.EnumerateArray().Select((item, index) => new FieldReader(item, $"{PathOf(name)}[{index}]", _problems));
        Refuse(name, $"must be an array of at most {maximum}");
        return [];
    }

    public IReadOnlyList<string> Texts(string name)
    {
        if (Find(name) is not { } value)
            return [];
        if (value.ValueKind == JsonValueKind.Array
            && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String && WellFormed(item) is not null))
        {
            return [.. value.EnumerateArray().Select(item => item.GetString()!)];
        }

        Refuse(name, "must be an array of texts");
        return [];
    }

    /// <summary>Refuses what nobody asked for.</summary>
    public void RefuseOthers()
    {
        if (_object.ValueKind != JsonValueKind.Object)
            return;
        foreach (var member in _object.EnumerateObject().Where(member => !_asked.Contains(member.Name)))
            Refuse(member.Name, "is not known");
    }

    /// <summary>The text of a string; null if it holds half of a surrogate pair.</summary>
    private static string? WellFormed(JsonElement value)
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

    private JsonElement? Find(string name, bool required = false)
    {
        _asked.Add(name);
        if (_object.ValueKind == JsonValueKind.Object && _object.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null)
            return value;
        if (required && _object.ValueKind == JsonValueKind.Object)
            Refuse(name, "is required");
        return null;
    }
}
