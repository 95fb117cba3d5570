namespace StripeMeter.EndToEnd.Tests.Fuzzing;

/// <summary>Makes inputs out of right ones: bits flipped, pieces cut out, doubled, moved, repeated without end, or put in from elsewhere.</summary>
internal sealed class Mutator(Random random, IReadOnlyList<byte[]> corpus, IReadOnlyList<byte[]> dictionary)
{
    private const int MostChanges = 6;
    private const int MostRepeats = 300;
    private const int LongestPiece = 40;

    /// <summary>The next input. Some are left as they are.</summary>
    public byte[] Next()
    {
        var input = Draw(corpus);
        for (var changes = random.Next(MostChanges); changes > 0; changes--)
            input = Change(input);
        return input;
    }

    private byte[] Change(byte[] input)
    {
        var (at, length) = Piece(input);
        switch (random.Next(9))
        {
            case 0: return Replace(input, at, Math.Min(1, length), [(byte)random.Next(256)]);
            case 1: return Replace(input, at, Math.Min(1, length), [length == 0 ? (byte)0 : (byte)(input[at] ^ (1 << random.Next(8)))]);
            case 2: return Replace(input, at, length, []);
            case 3: return Replace(input, at, 0, input[at..(at + length)]);
            case 4: return input[..at];
            case 5: return Replace(input, at, 0, Draw(dictionary));
            case 6: return Replace(input, at, length, Draw(dictionary));
            case 7:
                var other = Draw(corpus);
                var (from, taken) = Piece(other);
                return Replace(input, at, length, other[from..(from + taken)]);
            default:
                var repeated = Draw(dictionary);
                return Replace(input, at, 0, [.. Enumerable.Repeat(repeated, random.Next(MostRepeats)).SelectMany(bytes => bytes)]);
        }
    }

    private (int At, int Length) Piece(byte[] input)
    {
        var at = random.Next(input.Length + 1);
        return (at, random.Next(Math.Min(LongestPiece, input.Length - at) + 1));
    }

    private byte[] Draw(IReadOnlyList<byte[]> choices) => choices[random.Next(choices.Count)];

    private static byte[] Replace(byte[] input, int at, int length, byte[] piece) => [.. input[..at], .. piece, .. input[(at + length)..]];
}
