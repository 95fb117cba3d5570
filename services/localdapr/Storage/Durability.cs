namespace StripeMeter.LocalDapr.Storage;

/// <summary>What a finished write has survived.</summary>
internal enum Durability
{
    /// <summary>The end of this process. Enough for actor state and acknowledgements: the ledger is the truth, and both may fall
    /// back.</summary>
    Process,

    /// <summary>The end of the machine's power. A public topic promises this to whoever published.</summary>
    Power,
}
