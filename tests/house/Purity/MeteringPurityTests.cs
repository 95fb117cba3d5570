using System.Reflection.Emit;

namespace StripeMeter.House.Tests.Purity;

/// <summary>The domain counts exactly and decides by what it is given: no floating point, no input or output, no clock of its own, no chance.</summary>
public sealed class MeteringPurityTests
{
    private static readonly string[] FloatingTypes = ["System.Double", "System.Single", "System.Half"];
    private static readonly OpCode[] FloatingInstructions =
        [OpCodes.Ldc_R4, OpCodes.Ldc_R8, OpCodes.Conv_R4, OpCodes.Conv_R8, OpCodes.Conv_R_Un];

    private static readonly string[] OutsideWorld =
    [
        "System.IO.", "System.Net.", "System.Data.", "System.Console", "System.Environment", "System.AppContext",
        "System.Diagnostics.Process", "System.Diagnostics.Stopwatch", "System.Threading.Timer", "System.Threading.Thread",
        "System.Random", "System.Security.Cryptography.RandomNumberGenerator",
    ];

    private const string Surroundings = "System.Environment";

    /// <summary>The compiler's code of every method that yields asks it, to know whether its iterator can be used again.</summary>
    private const string AskedByIterators = "System.Environment.get_CurrentManagedThreadId";

    private static readonly string[] ClockAndChance =
    [
        "System.DateTime.get_Now", "System.DateTime.get_UtcNow", "System.DateTime.get_Today",
        "System.DateTimeOffset.get_Now", "System.DateTimeOffset.get_UtcNow", "System.TimeProvider.get_System",
        "System.Guid.NewGuid", "System.Guid.CreateVersion7",
    ];

    [Fact]
    public void Metering_Everywhere_HandlesNoFloatingPoint()
    {
        using var metering = Open("StripeMeter.Metering");

        Assert.Empty(metering.Handles(FloatingTypes));
        Assert.Empty(metering.Executes(FloatingInstructions));
    }

    [Fact]
    public void Metering_Everywhere_TouchesNothingOutside()
    {
        using var metering = Open("StripeMeter.Metering");

        Assert.DoesNotContain(metering.UsedTypes().Except([Surroundings]), IsOutsideWorld);
        Assert.Empty(metering.UsedMembers()
            .Where(member => member.StartsWith(Surroundings + ".", StringComparison.Ordinal)).Except([AskedByIterators]));
    }

    [Fact]
    public void Metering_Everywhere_TakesTimeAndNamesFromItsCaller()
    {
        using var metering = Open("StripeMeter.Metering");

        Assert.Empty(metering.UsedMembers().Intersect(ClockAndChance));
    }

    [Fact]
    public void Scanner_CodeThatDoesAllOfIt_FindsIt()
    {
        using var self = Open(typeof(MeteringPurityTests).Assembly.GetName().Name!);
        const string here = "StripeMeter.House.Tests.Purity.MeteringPurityTests.Impure.";

        Assert.Contains(self.Handles(FloatingTypes), place => place.StartsWith(here + nameof(Impure.Half), StringComparison.Ordinal));
        Assert.Contains(here + nameof(Impure.Scaled) + ": " + OpCodes.Ldc_R8, self.Executes(FloatingInstructions));
        Assert.Contains("System.IO.File", self.UsedTypes().Where(IsOutsideWorld));
        Assert.Contains("System.TimeProvider.get_System", self.UsedMembers().Intersect(ClockAndChance));
    }

    private static bool IsOutsideWorld(string type) => OutsideWorld.Any(name =>
        name.EndsWith('.') ? type.StartsWith(name, StringComparison.Ordinal) : type == name);

    private static CodeScanner Open(string assembly) => new(Path.Combine(AppContext.BaseDirectory, assembly + ".dll"));

    private static class Impure
    {
        public static double Half(int value) => value / 2d;

        public static int Scaled(int value) => (int)(value * 1.5);

        public static bool IsThere(string path) => File.Exists(path);

        public static DateTimeOffset Now() => TimeProvider.System.GetUtcNow();
    }
}
