using Microsoft.Extensions.Logging;

namespace StripeMeter.Defaults.Access;

public sealed partial class StoredKeys
{
    [LoggerMessage(11, LogLevel.Warning, "When keys were last used cannot be written now")]
    private static partial void LogNotNoted(ILogger logger, Exception problem);
}
