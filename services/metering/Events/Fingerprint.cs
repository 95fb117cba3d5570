using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace StripeMeter.Metering.Events;

/// <summary>
/// SHA-256 of an event's canonical body: metric, customer, resource, quantity, instant and meta, but not its source.
/// Two events under one key are the same event if and only if their fingerprints are equal.
/// </summary>
public readonly record struct Fingerprint(UInt128 High, UInt128 Low)
{
    /// <summary>Length in bytes.</summary>
    public const int Length = 32;

    public static Fingerprint Of(UsageEvent usage)
    {
        ArgumentNullException.ThrowIfNull(usage);
        // Every field is preceded by its length, so that no two bodies run together into the same bytes.
        var texts = Encoding.UTF8.GetMaxByteCount(
            usage.Metric.Length + usage.Customer.Length + usage.Resource.Length + usage.Meta.Length);
        var buffer = new byte[texts + (4 * sizeof(int)) + 16 + sizeof(long)];
        var length = 0;
        Append(buffer, ref length, usage.Metric);
        Append(buffer, ref length, usage.Customer);
        Append(buffer, ref length, usage.Resource);
        Append(buffer, ref length, usage.Meta);
        usage.Quantity.WriteBytes(buffer.AsSpan(length, 16));
        length += 16;
        BinaryPrimitives.WriteInt64BigEndian(buffer.AsSpan(length), usage.Timestamp.Ticks);
        length += sizeof(long);

        Span<byte> hash = stackalloc byte[Length];
        SHA256.HashData(buffer.AsSpan(0, length), hash);
        return FromBytes(hash);
    }

    /// <exception cref="ArgumentException">There are not exactly 32 bytes.</exception>
    public static Fingerprint FromBytes(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Length)
            throw new ArgumentException($"A fingerprint has 32 bytes, not {bytes.Length}.", nameof(bytes));
        return new Fingerprint(
            BinaryPrimitives.ReadUInt128BigEndian(bytes), BinaryPrimitives.ReadUInt128BigEndian(bytes[16..]));
    }

    public byte[] ToBytes()
    {
        var bytes = new byte[Length];
        WriteBytes(bytes);
        return bytes;
    }

    /// <exception cref="ArgumentException">There is no room for 32 bytes.</exception>
    public void WriteBytes(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt128BigEndian(destination, High);
        BinaryPrimitives.WriteUInt128BigEndian(destination[16..], Low);
    }

    /// <summary>Lower-case hexadecimal.</summary>
    public override string ToString() => Convert.ToHexStringLower(ToBytes());

    private static void Append(Span<byte> buffer, ref int length, string text)
    {
        var written = Encoding.UTF8.GetBytes(text, buffer[(length + sizeof(int))..]);
        BinaryPrimitives.WriteInt32BigEndian(buffer[length..], written);
        length += sizeof(int) + written;
    }
}
