namespace StripeMeter.Metering.Tenants;

/// <summary>Names a tenant: 1 to 128 printable characters.</summary>
public readonly record struct TenantId
{
    public const int MaximumLength = 128;

    /// <exception cref="ArgumentException">The value is no tenant id; see <see cref="IsValid"/>.</exception>
    public TenantId(string value)
    {
        if (!IsValid(value))
            throw new ArgumentException("A tenant id has 1 to 128 printable characters.", nameof(value));
        Value = value;
    }

    public string Value { get; }

    public static bool IsValid(string? value) =>
        value is { Length: > 0 and <= MaximumLength } && Text.PrintableText.IsPrintable(value);

    public override string ToString() => Value;
}
