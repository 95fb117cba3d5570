using Grpc.Core;
using Microsoft.AspNetCore.Builder;

namespace StripeMeter.Defaults.Errors;

/// <summary>
/// Tells clients that a message cannot be read. The framework parses the message of a unary call before any interceptor is
/// asked, and answers UNKNOWN if it cannot. Whatever fails later passes the <see cref="ErrorInterceptor"/>, which knows no
/// UNKNOWN: so this is what an answer of UNKNOWN means.
/// </summary>
internal static class UnreadableMessages
{
    public const string Reason = "The message is not one of this call: it cannot be parsed.";

    private const string StatusHeader = "grpc-status";
    private const string MessageHeader = "grpc-message";

    public static void UseUnreadableMessages(this WebApplication app) => app.Use(async (context, next) =>
    {
        await next(context).ConfigureAwait(false);
        var headers = context.Response.Headers;
        if (context.Response.HasStarted || headers[StatusHeader] != Text(StatusCode.Unknown))
            return;
        headers[StatusHeader] = Text(StatusCode.InvalidArgument);
        headers[MessageHeader] = Uri.EscapeDataString(Reason);
    });

    private static string Text(StatusCode status) => status.ToString("D");
}
