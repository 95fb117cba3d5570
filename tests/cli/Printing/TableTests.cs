using StripeMeter.Cli.Printing;
using Xunit;

namespace StripeMeter.Cli.Tests.Printing;

public sealed class TableTests
{
    [Fact]
    public void ToText_ColumnOfNumbers_IsSetToTheRight()
    {
        var table = new Table("NAME", "SUM").Add("a", "1.5").Add("bcdef", "-10.25");

        Assert.Equal("NAME      SUM\na         1.5\nbcdef  -10.25\n", table.ToText(("", "")));
    }

    [Fact]
    public void ToText_Terminal_SetsHeadersOff()
    {
        Assert.Equal("<NAME>\na\n", new Table("NAME").Add("a").ToText(("<", ">")));
    }
}
