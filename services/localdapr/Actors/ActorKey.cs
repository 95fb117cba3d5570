namespace StripeMeter.LocalDapr.Actors;

/// <summary>Names one actor.</summary>
internal readonly record struct ActorKey(string Type, string Id)
{
    /// <summary>
    /// daprd refuses ids with these characters (method normalisation), and the SDK does not encode ids, so they could only reach
    /// a wrong route.
    /// </summary>
    public bool IsValid => Type.Length > 0 && Id.Length > 0 && Id is not ("." or "..") && !HasForbidden(Type) && !HasForbidden(Id);

    private static bool HasForbidden(string text)
    {
        foreach (var character in text)
        {
            if (character is '#' or '?' or '/' or '\\' || char.IsControl(character))
                return true;
        }

        return text.Contains("%2F", StringComparison.OrdinalIgnoreCase);
    }

    public override string ToString() => $"{Type}/{Id}";
}
