namespace StripeMeter.Defaults.Configuration;

/// <summary>Names the configuration key (environment variable) of an option.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SettingAttribute(string name) : Attribute
{
    public string Name { get; } = name;
}
