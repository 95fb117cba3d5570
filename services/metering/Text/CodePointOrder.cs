namespace StripeMeter.Metering.Text;

/// <summary>
/// The order in which every store lists text: by code point, which is the order of the bytes of UTF-8. The ordinal order of
/// .NET compares UTF-16 and differs beyond U+FFFF.
/// </summary>
public sealed class CodePointOrder : IComparer<string>
{
    private CodePointOrder()
    {
    }

    public static CodePointOrder Instance { get; } = new();

    public int Compare(string? x, string? y)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(y);
        var same = x.AsSpan().CommonPrefixLength(y);
        if (same == x.Length || same == y.Length)
            return x.Length.CompareTo(y.Length);
        // Surrogates stand for code points above all others, though their own numbers are not.
        var (left, right) = (x[same], y[same]);
        var difference = char.IsSurrogate(left).CompareTo(char.IsSurrogate(right));
        return difference != 0 ? difference : left.CompareTo(right);
    }
}
