using System.Buffers;
using StripeMeter.Gateway.Errors;

namespace StripeMeter.Gateway.Requests;

/// <summary>
/// The whole body of a request as UTF-8, in a pooled buffer. Every body passes here, so that none is too large, of
/// another type, or not text.
/// </summary>
public readonly struct RequestBody : IDisposable
{
    private const int FirstBufferBytes = 4_096;
    private readonly byte[] _buffer;
    private readonly int _start;
    private readonly int _length;

    private RequestBody(byte[] buffer, int start, int length) => (_buffer, _start, _length) = (buffer, start, length);

    public ReadOnlySpan<byte> Utf8 => _buffer.AsSpan(_start, _length);

    public ReadOnlyMemory<byte> Memory => _buffer.AsMemory(_start, _length);

    /// <exception cref="ProblemException">The body is no JSON by its content type, too large, or not UTF-8.</exception>
    public static ValueTask<RequestBody> ReadAsync(HttpContext context, int limitBytes)
    {
        ArgumentNullException.ThrowIfNull(context);
        var contentType = context.Request.ContentType;
        return IsOfType(contentType, "application/json")
            ? ReadOfAnyTypeAsync(context, limitBytes)
            : throw new ProblemException(Problem.UnsupportedMediaType(contentType));
    }

    /// <summary>The same for a route that has looked at the content type itself.</summary>
    public static async ValueTask<RequestBody> ReadOfAnyTypeAsync(HttpContext context, int limitBytes)
    {
        ArgumentNullException.ThrowIfNull(context);
        var request = context.Request;
        if (request.ContentLength > limitBytes)
            throw new ProblemException(Problem.TooLarge(limitBytes));
        var buffer = ArrayPool<byte>.Shared.Rent((int)(request.ContentLength ?? FirstBufferBytes) + 1);
        try
        {
            var length = 0;
            while (true)
            {
                var read = await request.Body.ReadAsync(buffer.AsMemory(length), context.RequestAborted).ConfigureAwait(false);
                if (read == 0)
                    return Check(buffer, length);
                length += read;
                if (length > limitBytes)
                    throw new ProblemException(Problem.TooLarge(limitBytes));
                if (length == buffer.Length)
                    buffer = Grow(buffer);
            }
        }
        catch
        {
            ArrayPool<byte>.Shared.Return(buffer);
            throw;
        }
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_buffer);

    private static RequestBody Check(byte[] buffer, int length)
    {
        var text = buffer.AsSpan(0, length);
        if (!System.Text.Unicode.Utf8.IsValid(text))
            throw new ProblemException(Problem.Unreadable("is not valid UTF-8"));
        var start = text.StartsWith("\uFEFF"u8) ? 3 : 0;
        return new RequestBody(buffer, start, length - start);
    }

    private static byte[] Grow(byte[] buffer)
    {
        var larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
        buffer.CopyTo(larger, 0);
        ArrayPool<byte>.Shared.Return(buffer);
        return larger;
    }

    /// <summary>Whether a content type is of this media type, whatever its parameters.</summary>
    public static bool IsOfType(string? contentType, string mediaType)
    {
        var type = contentType.AsSpan();
        var parameters = type.IndexOf(';');
        if (parameters >= 0)
            type = type[..parameters];
        return type.Trim().Equals(mediaType, StringComparison.OrdinalIgnoreCase);
    }
}
