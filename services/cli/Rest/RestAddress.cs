namespace StripeMeter.Cli.Rest;

/// <summary>Puts addresses of the API together.</summary>
internal static class RestAddress
{
    /// <summary>A path with those parameters that have a value, all escaped.</summary>
    public static string Of(string path, params (string Name, string? Value)[] parameters)
    {
        var given = parameters.Where(parameter => !string.IsNullOrEmpty(parameter.Value))
            .Select(parameter => $"{parameter.Name}={Uri.EscapeDataString(parameter.Value!)}");
        var query = string.Join('&', given);
        return query.Length == 0 ? path : $"{path}?{query}";
    }
}
