using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using StripeMeter.Metering.Events;

namespace StripeMeter.Metering.Tests.Events;

public sealed class CanonicalJsonTests
{
    private static readonly Gen<string> Name = Gen.String[Gen.Char["abcXYZ\"\\/<é日\u0001 "], 0, 4];

    [Theory]
    [InlineData("""{ "b" : 1 , "a" : [ true, null ] }""", """{"a":[true,null],"b":1}""")]
    [InlineData("""{"a":{"z":1,"y":{"x":2,"B":3}}}""", """{"a":{"y":{"B":3,"x":2},"z":1}}""")]
    [InlineData("""{"n":1.0,"m":1e5,"l":-0,"k":123456789012345678901234567890.1}""", """{"k":123456789012345678901234567890.1,"l":-0,"m":1e5,"n":1.0}""")]
    [InlineData("""{"s":"\u0061\/\u00e9<>&'\u65e5"}""", """{"s":"a/é<>&'日"}""")]
    [InlineData("""{"\u0062":1,"a":2}""", """{"a":2,"b":1}""")]
    [InlineData("""{"s":"\"\\\n\u0001"}""", """{"s":"\"\\\n\u0001"}""")]
    [InlineData("{}", "{}")]
    public void Write_AnObject_IsItsOneForm(string json, string expected) => Assert.Equal(expected, Write(json));

    [Theory]
    [InlineData("[1]")]
    [InlineData("1")]
    [InlineData("\"a\"")]
    [InlineData("null")]
    [InlineData("""{"a":1,"a":1}""")]
    [InlineData("""{"a":1,"\u0061":2}""")]
    [InlineData("""{"x":[{"a":1,"b":2,"a":3}]}""")]
    public void Write_NoObjectOrAMemberTwice_Throws(string json) => Assert.Throws<ArgumentException>(() => Write(json));

    [Fact]
    public void Write_MembersInAnyOrder_IsTheSameText()
    {
        var members = Gen.Select(Name, Gen.Int).Array[0, 8].Select(all => all.DistinctBy(member => member.Item1).ToArray());

        Gen.Select(members, Gen.Int).Sample((all, seed) =>
        {
            var shuffled = all.ToArray();
            new Random(seed).Shuffle(shuffled);
            return Write(Text(all)) == Write(Text(shuffled));
        });

        static string Text((string Name, int Value)[] members)
        {
            var json = new JsonObject();
            foreach (var (name, value) in members)
                json.Add(name, value);
            return json.ToJsonString();
        }
    }

    [Fact]
    public void Write_ItsOwnText_IsTheSame() => Name.Sample(name =>
    {
        var once = Write(new JsonObject { [name] = name, ["list"] = new JsonArray(name) }.ToJsonString());
        Assert.Equal(once, Write(once));
        Assert.Equal(name, JsonDocument.Parse(once).RootElement.GetProperty(name).GetString());
    });

    private static string Write(string json)
    {
        using var document = JsonDocument.Parse(json);
        return CanonicalJson.Write(document.RootElement);
    }
}
