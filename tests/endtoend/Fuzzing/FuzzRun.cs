using System.Globalization;
using Xunit;

namespace StripeMeter.EndToEnd.Tests.Fuzzing;

/// <summary>
/// Feeds an entrance inputs that are almost right, from several callers at once. A seed gives the same inputs to each caller.
/// </summary>
/// <remarks>
/// <c>STRIPEMETER_FUZZ_INPUTS</c> is how many inputs every entrance is fed, <c>STRIPEMETER_FUZZ_SEED</c> which ones. Both are
/// printed.
/// </remarks>
internal static class FuzzRun
{
    private const int Callers = 8;
    private const int DefaultInputs = 4_000;
    private const int DefaultSeed = 1;
    private const int ShownBytes = 400;

    /// <param name="corpus">Inputs that are right, of which others are made.</param>
    /// <param name="dictionary">Pieces that are put into them.</param>
    /// <param name="feed">Feeds an input and fails if it is not treated as it must be.</param>
    public static async Task RunAsync(IReadOnlyList<byte[]> corpus, IReadOnlyList<byte[]> dictionary, Func<byte[], Task> feed)
    {
        var (inputs, seed) = (Setting("STRIPEMETER_FUZZ_INPUTS", DefaultInputs), Setting("STRIPEMETER_FUZZ_SEED", DefaultSeed));
        TestContext.Current.TestOutputHelper?.WriteLine(FormattableString.Invariant($"{inputs:N0} inputs from seed {seed}"));
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
        {
            var mutator = new Mutator(new Random(seed * Callers + caller), corpus, dictionary);
            for (var number = caller; number < inputs; number += Callers)
            {
                var input = mutator.Next();
                try
                {
                    await feed(input);
                }
                catch (Exception failure)
                {
                    throw new InvalidOperationException(Invariant(seed, number, input), failure);
                }
            }
        })));
    }

    private static string Invariant(int seed, int number, byte[] input) => FormattableString.Invariant(
        $"Input {number} of seed {seed}, {input.Length} bytes: {Convert.ToBase64String(input, 0, Math.Min(input.Length, ShownBytes))}");

    private static int Setting(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
