using System.Buffers.Binary;
using StripeMeter.LocalDapr.Transport;

namespace StripeMeter.LocalDapr.Invocation;

/// <summary>
/// A gRPC request body on its way through: each message in it may be as long as <c>--max-body-size</c> allows, the stream as a
/// whole has no end.
/// </summary>
internal sealed class MessageLimitStream(Stream inner, int maximumMessageBytes) : Stream
{
    /// <summary>A flag and the length, big-endian, stand before each message.</summary>
    private const int PrefixBytes = 5;

    private readonly byte[] _prefix = new byte[PrefixBytes];
    private int _prefixLength;
    private long _messageBytesLeft;

    /// <summary>A message was too long, and reading ended there.</summary>
    public bool IsExceeded { get; private set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        Follow(buffer.Span[..read]);
        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    private void Follow(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_messageBytesLeft > 0)
            {
                var taken = (int)Math.Min(_messageBytesLeft, bytes.Length);
                _messageBytesLeft -= taken;
                bytes = bytes[taken..];
                continue;
            }

            _prefix[_prefixLength++] = bytes[0];
            bytes = bytes[1..];
            if (_prefixLength == PrefixBytes)
                StartMessage(BinaryPrimitives.ReadUInt32BigEndian(_prefix.AsSpan(1)));
        }
    }

    private void StartMessage(uint length)
    {
        _prefixLength = 0;
        _messageBytesLeft = length;
        if (length <= maximumMessageBytes)
            return;
        IsExceeded = true;
        throw new BodyTooLargeException(maximumMessageBytes);
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
