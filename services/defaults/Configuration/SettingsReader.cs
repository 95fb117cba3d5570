using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace StripeMeter.Defaults.Configuration;

/// <summary>A setting has a value that cannot be used. Stops the start.</summary>
public sealed class InvalidSettingException : Exception
{
    public InvalidSettingException()
    {
    }

    public InvalidSettingException(string message) : base(message)
    {
    }

    public InvalidSettingException(string message, Exception cause) : base(message, cause)
    {
    }
}

/// <summary>Fills options whose properties carry <see cref="SettingAttribute"/> from flat configuration keys, and validates them.</summary>
public static class SettingsReader
{
    /// <exception cref="InvalidSettingException">Names every setting that is wrong, and why.</exception>
    public static T Read<T>(IConfiguration configuration) where T : class, new()
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var options = new T();
        var problems = new List<string>();
        foreach (var property in typeof(T).GetProperties())
        {
            if (property.GetCustomAttribute<SettingAttribute>() is not { } setting)
                continue;
            var text = configuration[setting.Name];
            if (!string.IsNullOrEmpty(text))
                Set(options, property, setting.Name, text, problems);
            Validate(options, property, setting.Name, problems);
        }

        return problems.Count == 0
            ? options
            : throw new InvalidSettingException(string.Join(Environment.NewLine, problems));
    }

    /// <summary>Reads options now and registers them.</summary>
    public static T AddSettings<T>(this IServiceCollection services, IConfiguration configuration) where T : class, new()
    {
        var options = Read<T>(configuration);
        services.AddSingleton(options);
        return options;
    }

    private static void Set<T>(T options, PropertyInfo property, string name, string text, List<string> problems)
    {
        try
        {
            property.SetValue(options, Convert(text, property.PropertyType));
        }
        catch (Exception problem) when (problem is FormatException or OverflowException or ArgumentException)
        {
            problems.Add($"{name}: '{text}' is not {Describe(property.PropertyType)}.");
        }
    }

    private static object Convert(string text, Type type) => type switch
    {
        _ when type == typeof(string) => text,
        _ when type == typeof(int) => int.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture),
        _ when type == typeof(bool) => text switch
        {
            "1" => true,
            "0" => false,
            _ => bool.Parse(text),
        },
        _ when type == typeof(Uri) => new Uri(text, UriKind.Absolute),
        _ when type.IsEnum => Enum.Parse(type, text, ignoreCase: true),
        _ => throw new InvalidOperationException($"Settings of type {type} are not supported."),
    };

    private static string Describe(Type type) => type switch
    {
        _ when type == typeof(int) => "a whole number",
        _ when type == typeof(bool) => "true or false",
        _ when type == typeof(Uri) => "an absolute address",
        _ when type.IsEnum => $"one of {string.Join(", ", Enum.GetNames(type)).ToLowerInvariant()}",
        _ => $"a {type.Name}",
    };

    private static void Validate<T>(T options, PropertyInfo property, string name, List<string> problems)
    {
        var value = property.GetValue(options);
        foreach (var rule in property.GetCustomAttributes<ValidationAttribute>())
        {
            if (!rule.IsValid(value))
                problems.Add($"{name}: {rule.FormatErrorMessage(name)}");
        }
    }
}
