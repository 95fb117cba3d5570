using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using StripeMeter.Metering.Tenants;

namespace StripeMeter.Metering.Ledger;

/// <summary>A shard of a tenant's ledger, numbered from 0.</summary>
public readonly record struct ShardId(TenantId Tenant, int Shard);

/// <summary>Deals customers to shards. The rule is part of the ledger: it never changes.</summary>
public static class Shards
{
    /// <summary>Shards of a tenant that is seen for the first time.</summary>
    public const int DefaultCount = 8;

    public const int MaximumCount = 1024;

    public static int Of(string customer, int shardCount)
    {
        ArgumentNullException.ThrowIfNull(customer);
        ArgumentOutOfRangeException.ThrowIfLessThan(shardCount, 1);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(customer), hash);
        return (int)(BinaryPrimitives.ReadUInt64BigEndian(hash) % (ulong)shardCount);
    }
}
