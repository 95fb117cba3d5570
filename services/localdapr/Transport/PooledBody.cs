using System.Buffers;

namespace StripeMeter.LocalDapr.Transport;

/// <summary>A body held whole, in memory borrowed from a pool until it is disposed.</summary>
internal sealed class PooledBody : IDisposable
{
    private const int FirstBytesWhenLengthIsUnknown = 4096;

    private byte[] _bytes;
    private int _length;

    private PooledBody(byte[] bytes) => _bytes = bytes;

    public ReadOnlyMemory<byte> Memory => _bytes.AsMemory(0, _length);

    public static PooledBody Empty { get; } = new([]);

    /// <summary>Reads a stream to its end.</summary>
    /// <exception cref="BodyTooLargeException">It holds more than <paramref name="maximumBytes"/>.</exception>
    public static async ValueTask<PooledBody> ReadAsync(Stream stream, long? contentLength, int maximumBytes,
        CancellationToken cancellation)
    {
        if (contentLength == 0)
            return Empty;
        if (contentLength > maximumBytes)
            throw new BodyTooLargeException(maximumBytes);
        // One byte more than announced, so that the read that sees the end needs no growth.
        var body = new PooledBody(ArrayPool<byte>.Shared.Rent((int?)contentLength + 1 ?? FirstBytesWhenLengthIsUnknown));
        try
        {
            await body.FillAsync(stream, maximumBytes, cancellation).ConfigureAwait(false);
            return body;
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    private async ValueTask FillAsync(Stream stream, int maximumBytes, CancellationToken cancellation)
    {
        while (true)
        {
            if (_length == _bytes.Length)
                Grow();
            var read = await stream.ReadAsync(_bytes.AsMemory(_length), cancellation).ConfigureAwait(false);
            if (read == 0)
                return;
            _length += read;
            if (_length > maximumBytes)
                throw new BodyTooLargeException(maximumBytes);
        }
    }

    private void Grow()
    {
        var larger = ArrayPool<byte>.Shared.Rent(_bytes.Length * 2);
        _bytes.AsSpan(0, _length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = larger;
    }

    public void Dispose()
    {
        var bytes = Interlocked.Exchange(ref _bytes, []);
        _length = 0;
        if (bytes.Length > 0)
            ArrayPool<byte>.Shared.Return(bytes);
    }
}

/// <summary>A body is longer than daprd's <c>--max-body-size</c> allows.</summary>
internal sealed class BodyTooLargeException(int maximumBytes)
    : Exception($"the body is longer than the {maximumBytes} bytes that --max-body-size allows");
