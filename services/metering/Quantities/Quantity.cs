using System.Globalization;
using System.Numerics;

namespace StripeMeter.Metering.Quantities;

/// <summary>
/// An exact decimal with twelve places, held as an integer of 10⁻¹² units. A single event carries at most 15 integer
/// digits; sums may carry 26, and an overflow throws instead of wrapping.
/// </summary>
public readonly record struct Quantity(Int128 Units) : IComparable<Quantity>,
    IAdditionOperators<Quantity, Quantity, Quantity>, ISubtractionOperators<Quantity, Quantity, Quantity>,
    IUnaryNegationOperators<Quantity, Quantity>, IComparisonOperators<Quantity, Quantity, bool>
{
    /// <summary>Decimal places kept.</summary>
    public const int Scale = 12;

    /// <summary>Length of the form on disk and in messages.</summary>
    public const int BytesLength = 16;

    /// <summary>Integer digits an event may carry.</summary>
    public const int MaximumIntegerDigits = 15;

    private const long UnitsPerOne = 1_000_000_000_000;

    public static Quantity Zero => default;

    public static Quantity One => new(UnitsPerOne);

    public bool IsPositive => Units > 0;

    public static Quantity FromInteger(long value) => new(checked((Int128)value * UnitsPerOne));

    public static Quantity operator +(Quantity left, Quantity right) => new(checked(left.Units + right.Units));

    public static Quantity operator -(Quantity left, Quantity right) => new(checked(left.Units - right.Units));

    public static Quantity operator -(Quantity value) => new(checked(-value.Units));

    public static bool operator <(Quantity left, Quantity right) => left.Units < right.Units;

    public static bool operator >(Quantity left, Quantity right) => left.Units > right.Units;

    public static bool operator <=(Quantity left, Quantity right) => left.Units <= right.Units;

    public static bool operator >=(Quantity left, Quantity right) => left.Units >= right.Units;

    /// <summary>Without what is behind the point.</summary>
    public Quantity Truncated() => new(Units / UnitsPerOne * UnitsPerOne);

    public static Quantity Min(Quantity left, Quantity right) => left <= right ? left : right;

    public static Quantity Max(Quantity left, Quantity right) => left >= right ? left : right;

    public int CompareTo(Quantity other) => Units.CompareTo(other.Units);

    /// <summary>Plain decimal text without exponent or trailing zeros, such as <c>-0.3</c>.</summary>
    public override string ToString()
    {
        // The smallest number has no positive counterpart; its bits, taken as unsigned, are its magnitude.
        var magnitude = unchecked((UInt128)(Units < 0 ? -Units : Units));
        var (whole, fraction) = UInt128.DivRem(magnitude, UnitsPerOne);
        var sign = Units < 0 ? "-" : "";
        if (fraction == 0)
            return sign + whole.ToString(CultureInfo.InvariantCulture);
        var digits = ((ulong)fraction).ToString("D12", CultureInfo.InvariantCulture).TrimEnd('0');
        return $"{sign}{whole.ToString(CultureInfo.InvariantCulture)}.{digits}";
    }

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    /// <exception cref="FormatException">The text is no decimal of at most 26 integer digits and 12 places.</exception>
    public static Quantity Parse(string text) =>
        QuantityText.Read(text, maximumIntegerDigits: 26, out var quantity) == QuantityTextError.None
            ? quantity
            : throw new FormatException($"'{text}' is not a quantity.");

    /// <summary>The units as 16 bytes, two's complement, most significant first: the form kept on disk and sent in messages.</summary>
    public void WriteBytes(Span<byte> destination)
    {
        if (!((IBinaryInteger<Int128>)Units).TryWriteBigEndian(destination, out var written) || written != BytesLength)
            throw new ArgumentException("Sixteen bytes are needed.", nameof(destination));
    }

    public byte[] ToBytes()
    {
        var bytes = new byte[BytesLength];
        WriteBytes(bytes);
        return bytes;
    }

    /// <exception cref="ArgumentException">There are not exactly 16 bytes.</exception>
    public static Quantity FromBytes(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != BytesLength)
            throw new ArgumentException($"A quantity has {BytesLength} bytes, not {bytes.Length}.", nameof(bytes));
        var high = System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(bytes);
        var low = System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
        return new Quantity(new Int128(high, low));
    }
}
