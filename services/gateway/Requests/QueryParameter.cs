using System.Globalization;
using Microsoft.OpenApi;
using StripeMeter.EventFormats;
using StripeMeter.Metering.Time;

namespace StripeMeter.Gateway.Requests;

/// <summary>A parameter of a query: declared once, it is both read and documented.</summary>
/// <param name="Name">Name in the address.</param>
/// <param name="Description">What it selects, in a sentence.</param>
public abstract record QueryParameter(string Name, string Description)
{
    public bool Required { get; init; }

    /// <summary>What is read when it is absent. Null: nothing is.</summary>
    public Func<string?>? WhenAbsent { get; init; }

    /// <summary>Its schema in the OpenAPI document.</summary>
    public abstract OpenApiSchema ToSchema();
}

/// <summary>A parameter with values of one type.</summary>
public abstract record QueryParameter<T>(string Name, string Description) : QueryParameter(Name, Description)
{
    /// <summary>The value when the parameter is absent.</summary>
    public T? Default { get; init; }

    /// <summary>Reads a value. Returns why it cannot be read, or null.</summary>
    public abstract string? Read(string text, out T? value);
}

/// <summary>Text.</summary>
public sealed record TextParameter(string Name, string Description, int MaximumLength) : QueryParameter<string>(Name, Description)
{
    public override OpenApiSchema ToSchema() => new() { Type = JsonSchemaType.String, MaxLength = MaximumLength };

    public override string? Read(string text, out string? value)
    {
        value = text;
        return text.Length <= MaximumLength ? null : $"must have at most {MaximumLength} characters";
    }
}

/// <summary>A whole number within bounds.</summary>
public sealed record IntegerParameter(string Name, string Description, int Minimum, int Maximum)
    : QueryParameter<int>(Name, Description)
{
    public override OpenApiSchema ToSchema() => new()
    {
        Type = JsonSchemaType.Integer,
        Minimum = Minimum.ToString(CultureInfo.InvariantCulture),
        Maximum = Maximum.ToString(CultureInfo.InvariantCulture),
        Default = Default,
    };

    public override string? Read(string text, out int value) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value)
        && value >= Minimum && value <= Maximum
            ? null
            : $"must be a whole number from {Minimum} to {Maximum}";
}

/// <summary>True or false.</summary>
public sealed record FlagParameter(string Name, string Description) : QueryParameter<bool?>(Name, Description)
{
    public override OpenApiSchema ToSchema() => new() { Type = JsonSchemaType.Boolean };

    public override string? Read(string text, out bool? value)
    {
        value = text switch { "true" or "1" => true, "false" or "0" => false, _ => null };
        return value is null ? "must be true or false" : null;
    }
}

/// <summary>A point in time as RFC 3339.</summary>
public sealed record MomentParameter(string Name, string Description) : QueryParameter<Instant?>(Name, Description)
{
    public override OpenApiSchema ToSchema() => new() { Type = JsonSchemaType.String, Format = "date-time" };

    public override string? Read(string text, out Instant? value)
    {
        var error = InstantText.Read(text, out var instant);
        value = instant;
        return TimeText.Reason(error);
    }
}

/// <summary>One of a few words.</summary>
/// <param name="Name">Name in the address.</param>
/// <param name="Description">What it selects.</param>
/// <param name="Choices">The words, and what they stand for.</param>
public sealed record ChoiceParameter<T>(string Name, string Description, IReadOnlyList<(string Word, T Value)> Choices)
    : QueryParameter<T>(Name, Description)
{
    /// <summary>The word documented as the default.</summary>
    public string? DefaultWord { get; init; }

    public override OpenApiSchema ToSchema() => new()
    {
        Type = JsonSchemaType.String,
        Enum = [.. Choices.Select(choice => (System.Text.Json.Nodes.JsonNode)choice.Word)],
        Default = DefaultWord,
    };

    public override string? Read(string text, out T? value)
    {
        foreach (var (word, meaning) in Choices)
        {
            if (word != text)
                continue;
            value = meaning;
            return null;
        }

        value = default;
        return $"must be one of {string.Join(", ", Choices.Select(choice => choice.Word))}";
    }
}

/// <summary>A header that a route reads, for its documentation.</summary>
public sealed record HeaderParameter(string Name, string Description, int MaximumLength);
