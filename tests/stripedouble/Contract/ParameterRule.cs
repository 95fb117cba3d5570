using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace StripeMeter.StripeDouble.Tests.Contract;

/// <summary>What the table says of one parameter. A star in its name stands for any key of a map, or any element of a list.</summary>
internal sealed class ParameterRule(string name, JsonObject rule)
{
    private const string Star = "[*]";

    private readonly Regex _pattern = Pattern(name, "$");

    public string Name => name;

    /// <summary>Needed in every request, or in each element of its list, of which there must be one.</summary>
    public bool IsRequired => (bool?)rule["required"] == true;

    /// <summary>Needed where anything else of its map is given.</summary>
    public bool IsRequiredWithin => (bool?)rule["requiredWithin"] == true;

    /// <summary>Characters it may have; null where Stripe states no limit.</summary>
    public int? Maximum => (int?)rule["maximum"];

    /// <summary>Elements that the list may have; null where Stripe states no limit.</summary>
    public int? Most => (int?)rule["most"];

    /// <summary>Names and values that keep the rule; none where the parameter cannot stand with the others.</summary>
    public IEnumerable<KeyValuePair<string, string>> Examples => rule["example"] switch
    {
        null => [],
        JsonObject many => many.Select(static one => KeyValuePair.Create(one.Key, (string)one.Value!)),
        var one => [KeyValuePair.Create(name, (string)one!)],
    };

    /// <summary>Values that break the rule.</summary>
    public IEnumerable<string> Broken
    {
        get
        {
            if (Maximum is { } maximum)
                yield return new string('x', maximum + 1);
            if (IsInteger || IsDateTime || rule["oneOf"] is not null)
                yield return "neither";
        }
    }

    private bool IsInteger => (bool?)rule["integer"] == true;

    private bool IsDateTime => (bool?)rule["dateTime"] == true;

    public bool Matches(string parameter) => _pattern.IsMatch(parameter);

    /// <summary>What in a request breaks the rule.</summary>
    public IEnumerable<string> Faults(IReadOnlyList<KeyValuePair<string, string>> parameters)
    {
        if ((IsRequired && IsMissing(parameters)) || (IsRequiredWithin && IsMapWithoutIt(parameters)))
            yield return $"{name} is missing";
        if (Most is { } most && Elements(name, parameters).Count > most)
            yield return $"{name} is there more than {most} times";
        foreach (var (given, value) in parameters.Where(parameter => Matches(parameter.Key)))
        {
            if (Maximum is { } maximum && value.Length > maximum)
                yield return $"{given} has more than {maximum} characters";
            if (IsInteger && !long.TryParse(value, out _))
                yield return $"{given} is no integer";
            if (IsDateTime && !DateTimeOffset.TryParse(value, CultureInfo.InvariantCulture, out _))
                yield return $"{given} is no date and time";
            if (rule["oneOf"] is JsonArray words && words.All(word => (string?)word != value))
                yield return $"{given} is none of {words.ToJsonString()}";
        }
    }

    private bool IsMissing(IReadOnlyList<KeyValuePair<string, string>> parameters)
    {
        var last = name[..^1].LastIndexOf(Star, StringComparison.Ordinal);
        if (last < 0)
            return !parameters.Any(parameter => Matches(parameter.Key));
        var elements = Elements(name[..(last + Star.Length)], parameters);
        return elements.Count == 0 || elements.Any(element => !parameters.Any(parameter =>
            parameter.Key.StartsWith(element, StringComparison.Ordinal) && Matches(parameter.Key)));
    }

    private bool IsMapWithoutIt(IReadOnlyList<KeyValuePair<string, string>> parameters)
    {
        var map = name[..(name.IndexOf('[', StringComparison.Ordinal) + 1)];
        return parameters.Any(parameter => parameter.Key.StartsWith(map, StringComparison.Ordinal)) && !parameters.Any(parameter => Matches(parameter.Key));
    }

    private static HashSet<string> Elements(string list, IReadOnlyList<KeyValuePair<string, string>> parameters)
    {
        var pattern = Pattern(list, "");
        return [.. parameters.Select(parameter => pattern.Match(parameter.Key)).Where(static match => match.Success).Select(static match => match.Value)];
    }

    private static Regex Pattern(string name, string end) => new(
        "^" + Regex.Escape(name).Replace(Regex.Escape(Star), @"\[[^]]+]", StringComparison.Ordinal) + end, RegexOptions.CultureInvariant);
}
