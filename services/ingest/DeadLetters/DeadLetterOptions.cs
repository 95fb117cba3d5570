using System.ComponentModel.DataAnnotations;
using StripeMeter.Defaults.Configuration;

namespace StripeMeter.Ingest.DeadLetters;

/// <summary>Bounds of the list of dead letters.</summary>
public sealed class DeadLetterOptions
{
    /// <summary>Dead letters kept of a tenant. Further ones stay in the dead letter topic until there is room.</summary>
    [Setting("DEAD_LETTERS_KEPT"), Range(1, 1_000_000)]
    public int MaximumKept { get; set; } = 10_000;

    /// <summary>Tenant whose list takes what names no tenant: the operator's.</summary>
    [Setting("DEAD_LETTER_TENANT"), RegularExpression("[!-~]{1,128}")]
    public string UnattributedTenant { get; set; } = "unattributed";

    /// <summary>Characters kept of an event.</summary>
    public int MaximumContentLength { get; } = 65_536;
}
