using MongoDB.Driver;
using StripeMeter.Metering.Ledger;

namespace StripeMeter.Storage.Mongo;

/// <summary>Turns the driver's failures into those of the ports.</summary>
internal static class MongoFailures
{
    /// <summary>How often an operation that may be repeated is tried at most.</summary>
    public const int MaximumTries = 3;

    private const int DuplicateKeyCode = 11000;
    private const string RetryableWrite = "RetryableWriteError";

    /// <summary>The write may or may not have happened, or the server cannot be reached: the same may be tried again.</summary>
    public static bool IsPassing(Exception failure) =>
        failure is TimeoutException or MongoException and not (MongoConfigurationException or MongoInternalException);

    /// <summary>
    /// What the driver's rules of retryable reads and writes name: the connection broke, the server is no primary any more or
    /// is shutting down, or says by a label that the same may be tried again. The driver itself does so once, and before the
    /// next try it waits until it knows a primary.
    /// </summary>
    public static bool IsRetryable(Exception failure) =>
        failure is MongoConnectionException or MongoNotPrimaryException or MongoNodeIsRecoveringException
        || (failure is MongoException labelled && labelled.HasErrorLabel(RetryableWrite));

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

    /// <summary>
    /// The same for an operation whose effect is the same if it is carried out twice, whatever became of it the first time:
    /// it is tried again where that helps.
    /// </summary>
    /// <inheritdoc cref="TranslateAsync{T}"/>
    public static Task<T> RepeatAsync<T>(Func<Task<T>> operation) => TranslateAsync(async () =>
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await operation().ConfigureAwait(false);
            }
            catch (Exception failure) when (attempt < MaximumTries && IsRetryable(failure))
            {
                // What the operation may have done already, it finds.
            }
        }
    });

    /// <inheritdoc cref="RepeatAsync{T}"/>
    public static Task RepeatAsync(Func<Task> operation) => RepeatAsync(async () =>
    {
        await operation().ConfigureAwait(false);
        return true;
    });

    /// <inheritdoc cref="TranslateAsync{T}"/>
    public static Task TranslateAsync(Func<Task> operation) => TranslateAsync(async () =>
    {
        await operation().ConfigureAwait(false);
        return true;
    });
}
