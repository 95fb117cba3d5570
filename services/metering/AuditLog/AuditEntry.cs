using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace StripeMeter.Metering.AuditLog;

/// <summary>A change, and who made it. The members are in the order in which they are hashed.</summary>
/// <param name="Sequence">From 1, without gaps, within a tenant.</param>
/// <param name="At">When, RFC 3339 in UTC.</param>
/// <param name="Actor">Who: <c>api:</c> and the id of a key, <c>customer:</c> and who made its token, or a part of the system.</param>
/// <param name="Action">What: the method, as <c>MappingService.UpdateMapping</c>.</param>
/// <param name="RequestId">The request, as its answer names it.</param>
/// <param name="Asked">What was asked for, as JSON.</param>
/// <param name="Before">What stood before, as JSON; empty where nothing did, or nothing is overwritten.</param>
/// <param name="After">What was answered, as JSON.</param>
public sealed record AuditEntry(
    long Sequence, string At, string Actor, string Action, string RequestId, string Asked, string Before, string After);

/// <summary>An entry in the chain: its own text, and a hash of that text and of the hash before it.</summary>
/// <param name="Text">The entry as JSON, character for character what was hashed.</param>
/// <param name="PreviousHash">Hash of the entry before; 64 zeros before the first.</param>
/// <param name="Hash">SHA-256 of the previous hash, a line feed and the text, as hexadecimal digits.</param>
public sealed record ChainedEntry(string Text, string PreviousHash, string Hash)
{
    /// <summary>What stands before the first entry.</summary>
    public static readonly string Origin = new('0', 64);

    public static ChainedEntry After(string previousHash, AuditEntry entry)
    {
        var text = JsonSerializer.Serialize(entry);
        return new ChainedEntry(text, previousHash, HashOf(previousHash, text));
    }

    public AuditEntry ToEntry() => JsonSerializer.Deserialize<AuditEntry>(Text) ?? throw new FormatException("An audit entry is empty.");

    /// <summary>Whether the entry is what was written, behind what was written before it.</summary>
    public bool Follows(string previousHash) => PreviousHash == previousHash && Hash == HashOf(previousHash, Text);

    private static string HashOf(string previousHash, string text) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{previousHash}\n{text}")));
}

/// <summary>Walks a chain from its beginning, and finds the first entry that is not what it was, or is missing.</summary>
public sealed class ChainCheck
{
    public long Entries { get; private set; }

    /// <summary>Hash of the last entry that fits. Noted down, it shows later that nothing before it was changed or removed.</summary>
    public string Head { get; private set; } = ChainedEntry.Origin;

    /// <summary>Takes the next entry. False: the chain is broken there.</summary>
    public bool Take(ChainedEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        if (!entry.Follows(Head) || entry.ToEntry().Sequence != Entries + 1)
            return false;
        (Entries, Head) = (Entries + 1, entry.Hash);
        return true;
    }
}
