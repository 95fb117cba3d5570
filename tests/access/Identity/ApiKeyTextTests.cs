using CsCheck;
using StripeMeter.Metering.Identity;
using Xunit;

namespace StripeMeter.Access.Tests.Identity;

public sealed class ApiKeyTextTests
{
    private static readonly byte[] Random = [.. Enumerable.Range(0, ApiKeyText.RandomBytes).Select(number => (byte)number)];

    [Fact]
    public void Create_OfBytes_IsTheKeyOfThoseBytes()
    {
        Assert.Equal("sm_live_000102030405.BgcICQoLDA0ODxAREhMUFRYXGBkaGxwd", ApiKeyText.Create(true, Random)[..^4]);
        Assert.StartsWith("sm_test_000102030405.", ApiKeyText.Create(false, Random), StringComparison.Ordinal);
        Assert.Equal(ApiKeyText.Length, ApiKeyText.Create(true, Random).Length);
    }

    [Fact]
    public void TryReadId_OfAnyKey_IsWhatStandsBeforeTheDot() => Gen.Select(Gen.Bool, Gen.Byte.Array[ApiKeyText.RandomBytes]).Sample((live, random) =>
    {
        var key = ApiKeyText.Create(live, random);

        return ApiKeyText.TryReadId(key, out var id) && key.StartsWith(id + ".", StringComparison.Ordinal) && ApiKeyText.IsLive(id) == live;
    });

    [Fact]
    public void TryReadId_OneCharacterChanged_IsNoKey()
    {
        var key = ApiKeyText.Create(true, Random);

        Assert.All(Enumerable.Range(0, key.Length), place =>
        {
            var changed = key.ToCharArray();
            changed[place] = changed[place] == 'A' ? 'B' : 'A';
            Assert.False(ApiKeyText.TryReadId(new string(changed), out _), $"changed at {place}");
        });
    }

    [Theory, InlineData(null), InlineData(""), InlineData("."), InlineData("sm_live_"), InlineData("sm_live_000102030405.BgcI")]
    public void TryReadId_OfSomethingElse_IsNoKey(string? text) => Assert.False(ApiKeyText.TryReadId(text, out _));
}
