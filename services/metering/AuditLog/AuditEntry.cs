using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace StripeMeter.Metering.AuditLog;

/// <summary>What an entry says of its change.</summary>
public static class AuditStage
{
    /// <summary>It is about to be made. Written before anything of it is.</summary>
    public const string Begun = "begun";

    /// <summary>It was made, and answered.</summary>
    public const string Done = "done";

    /// <summary>It was refused, for a reason that the caller was told.</summary>
    public const string Refused = "refused";

    /// <summary>It failed, and may have been made in part.</summary>
    public const string Failed = "failed";
}

/// <summary>
/// The beginning of a change or its outcome, and who made it. A beginning without an outcome is a change that is being made,
/// or that something interrupted. The members are in the order in which they are hashed.
/// </summary>
/// <param name="Sequence">From 1, without gaps, within a tenant.</param>
/// <param name="At">When, RFC 3339 in UTC.</param>
/// <param name="Actor">Who: <c>api:</c> and the id of a key, <c>customer:</c> and who made its token, or a part of the system.</param>
/// <param name="Action">What: the method, as <c>MappingService.UpdateMapping</c>.</param>
/// <param name="RequestId">The request, as its answer names it.</param>
/// <param name="Asked">What was asked for, as JSON. Empty in an outcome whose beginning says it.</param>
/// <param name="Before">What stood before, as JSON; empty where nothing did, or in an outcome.</param>
/// <param name="After">What was answered, as JSON; empty in a beginning.</param>
/// <param name="Stage">One of <see cref="AuditStage"/>.</param>
/// <param name="Begun">In an outcome: sequence of the beginning; 0 if nothing of it was stored.</param>
public sealed record AuditEntry(
    long Sequence, string At, string Actor, string Action, string RequestId, string Asked, string Before, string After,
    string Stage = AuditStage.Done, long Begun = 0)
{
    /// <summary>Whether it is the beginning of a change.</summary>
    public bool IsBeginning => Stage == AuditStage.Begun;
}

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
    private readonly SortedSet<long> _unresolved = [];

    public long Entries { get; private set; }

    /// <summary>Hash of the last entry that fits. Noted down, it shows later that nothing before it was changed or removed.</summary>
    public string Head { get; private set; } = ChainedEntry.Origin;

    /// <summary>Sequences of the changes that were begun and have no outcome so far.</summary>
    public IReadOnlyCollection<long> Unresolved => _unresolved;

    /// <summary>Takes the next entry. False: the chain is broken there.</summary>
    public bool Take(ChainedEntry chained)
    {
        ArgumentNullException.ThrowIfNull(chained);
        if (!chained.Follows(Head) || chained.ToEntry() is not { } entry || entry.Sequence != Entries + 1)
            return false;
        (Entries, Head) = (Entries + 1, chained.Hash);
        if (entry.IsBeginning)
            _unresolved.Add(entry.Sequence);
        else
            _unresolved.Remove(entry.Begun);
        return true;
    }
}
