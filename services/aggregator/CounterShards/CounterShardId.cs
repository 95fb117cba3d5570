using System.Globalization;
using System.Text;
using Dapr.Actors;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Tenants;

namespace StripeMeter.Aggregator.CounterShards;

/// <summary>
/// Writes a shard as an actor id and reads it back. The SDK puts ids into addresses as they are, so only characters that
/// need no escaping anywhere stand for themselves; every other byte of the tenant is <c>~</c> and two hex digits.
/// </summary>
public static class CounterShardId
{
    private const char Escape = '~';
    private const char Separator = ':';

    public static ActorId Of(ShardId shard)
    {
        var text = new StringBuilder();
        foreach (var value in Encoding.UTF8.GetBytes(shard.Tenant.Value))
        {
            if (char.IsAsciiLetterOrDigit((char)value) || value is (byte)'-' or (byte)'_')
                text.Append((char)value);
            else
                text.Append(Escape).Append(value.ToString("x2", CultureInfo.InvariantCulture));
        }

        return new ActorId(text.Append(Separator).Append(shard.Shard.ToString(CultureInfo.InvariantCulture)).ToString());
    }

    /// <exception cref="FormatException">The id was not made by <see cref="Of"/>.</exception>
    public static ShardId Parse(ActorId id)
    {
        ArgumentNullException.ThrowIfNull(id);
        var text = id.GetId();
        var separator = text.LastIndexOf(Separator);
        if (separator < 1)
            throw new FormatException($"'{text}' is no shard.");
        var bytes = new List<byte>(separator);
        for (var index = 0; index < separator; index++)
        {
            if (text[index] != Escape)
            {
                bytes.Add((byte)text[index]);
                continue;
            }

            bytes.Add(byte.Parse(text.AsSpan(index + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
            index += 2;
        }

        var shard = int.Parse(text.AsSpan(separator + 1), NumberStyles.None, CultureInfo.InvariantCulture);
        return new ShardId(new TenantId(Encoding.UTF8.GetString(bytes.ToArray())), shard);
    }
}
