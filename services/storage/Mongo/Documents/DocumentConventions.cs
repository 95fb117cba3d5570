using MongoDB.Bson.Serialization.Conventions;

namespace StripeMeter.Storage.Mongo.Documents;

/// <summary>How the classes of this folder are written: camel case, no nulls, and what a newer version added is passed over.</summary>
internal static class DocumentConventions
{
    private static readonly Lazy<bool> Registered = new(() =>
    {
        ConventionRegistry.Register(
            "StripeMeter",
            new ConventionPack
            {
                new CamelCaseElementNameConvention(), new IgnoreIfNullConvention(true), new IgnoreExtraElementsConvention(true),
            },
            type => type.Namespace == typeof(DocumentConventions).Namespace);
        return true;
    });

    /// <summary>Has to be called before a document is first read or written.</summary>
    public static void Register() => _ = Registered.Value;
}
