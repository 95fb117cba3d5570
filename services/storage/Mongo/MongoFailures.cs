using MongoDB.Driver;
using StripeMeter.Metering.Ledger;

namespace StripeMeter.Storage.Mongo;

/// <summary>Turns the driver's failures into those of the ports.</summary>
internal static class MongoFailures
{
    private const int DuplicateKeyCode = 11000;

    /// <summary>The write may or may not have happened, or the server cannot be reached: the same may be tried again.</summary>
    public static bool IsPassing(Exception failure) =>
        failure is TimeoutException or MongoException and not (MongoConfigurationException or MongoInternalException);

    public static bool IsDuplicate(Exception failure) => failure switch
    {
        MongoWriteException write => write.WriteError?.Category == ServerErrorCategory.DuplicateKey,
        MongoCommandException command => command.Code == DuplicateKeyCode,
        _ => false,
    };

    /// <summary>Whether a duplicate key stands in the index of this name. The server says so in its message only.</summary>
    public static bool Concerns(string? message, string index) =>
        message is not null && message.Contains($"index: {index} ", StringComparison.Ordinal);

    /// <exception cref="StoreUnavailableException">The operation failed in a way that passes.</exception>
    public static async Task<T> TranslateAsync<T>(Func<Task<T>> operation)
    {
        try
        {
            return await operation().ConfigureAwait(false);
        }
        catch (Exception failure) when (IsPassing(failure))
        {
            throw new StoreUnavailableException($"MongoDB failed: {failure.Message}", failure);
        }
    }

    /// <inheritdoc cref="TranslateAsync{T}"/>
    public static Task TranslateAsync(Func<Task> operation) => TranslateAsync(async () =>
    {
        await operation().ConfigureAwait(false);
        return true;
    });
}
