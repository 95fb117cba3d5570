namespace StripeMeter.Gateway.OpenApi;

/// <summary>An example of each body that is sent or answered: the files of <c>Examples/</c>, named by their type. Tests hold them to it.</summary>
public static class Examples
{
    /// <summary>JSON of the type, if there is an example.</summary>
    public static string? Of(Type type)
    {
        ArgumentNullException.ThrowIfNull(type);
        using var file = typeof(Examples).Assembly.GetManifestResourceStream($"Examples/{type.Name}.json");
        if (file is null)
            return null;
        using var reader = new StreamReader(file);
        return reader.ReadToEnd();
    }
}
