using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Time;
using Xunit;

namespace StripeMeter.Access.Tests.Identity;

public sealed class SignedTokenTests
{
    private static readonly Instant Now = Instant.OfDate(2026, 1, 1);
    private static readonly KeySecret Secret = new("a secret of thirty-two characters");
    private readonly SignedToken<CustomerClaims> _tokens = new(Secret.Derive("customer"), "t_");
    private readonly CustomerClaims _claims = new("acme", "cus_1", "api:x");

    [Fact]
    public void TryRead_OfWhatWasWritten_IsIt_UntilItEnds()
    {
        var token = _tokens.Write(_claims, Now + TimeSpan.FromMinutes(1));

        Assert.True(_tokens.TryRead(token, Now, out var read));
        Assert.Equal(_claims, read);
        Assert.False(_tokens.TryRead(token, Now + TimeSpan.FromMinutes(1), out _));
    }

    [Fact]
    public void TryRead_OneCharacterChanged_IsNothing()
    {
        var token = _tokens.Write(_claims, Now + TimeSpan.FromMinutes(1));

        // The last character of each part carries bits that its bytes do not have.
        Assert.All(Enumerable.Range(0, token.Length - 1).Except([token.LastIndexOf('.') - 1]), place =>
        {
            var changed = token.ToCharArray();
            changed[place] = changed[place] == 'A' ? 'B' : 'A';
            Assert.False(_tokens.TryRead(new string(changed), Now, out _), $"changed at {place}");
        });
    }

    [Fact]
    public void TryRead_OfAnotherPurposeOrSecret_IsNothing()
    {
        var expires = Now + TimeSpan.FromMinutes(1);
        var ofAnotherPurpose = new SignedToken<CustomerClaims>(Secret.Derive("caller"), "t_").Write(_claims, expires);
        var ofAnotherSecret = new SignedToken<CustomerClaims>(new KeySecret("another secret, and long enough too").Derive("customer"), "t_").Write(_claims, expires);

        Assert.False(_tokens.TryRead(ofAnotherPurpose, Now, out _));
        Assert.False(_tokens.TryRead(ofAnotherSecret, Now, out _));
        Assert.All((string[])["", ".", "t_", "t_.", "t_..", "t_e30.e30", new string('t', 10_000)], text => Assert.False(_tokens.TryRead(text, Now, out _)));
    }
}
