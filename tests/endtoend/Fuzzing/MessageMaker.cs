using System.Collections;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace StripeMeter.EndToEnd.Tests.Fuzzing;

/// <summary>Makes messages of any type: every field may be left out, and holds what its type allows, at its extremes more often than not.</summary>
internal sealed class MessageMaker(string tenant, Random random)
{
    private const int MaximumDepth = 5;

    private static readonly string[] Texts =
    [
        "", " ", "a", "cus_1", "calls", "0", "-1", "1.5", "1e400", "99999999999999999999", "0.1", "null", "{}", "[]", "{\"a\":", "ä😀", "\0", "a/b", "../..",
        "'; DROP TABLE records; --", "{\"$gt\":\"\"}", "2026-01-31", "Europe/Berlin", "price_1", "acct_1", "mtr_1", "si_1", "in_1", "default", "events:read",
        "eyJhIjoxfQ", "\u202e", new('x', 129), new('x', 300), new('9', 5_000),
    ];

    private static readonly long[] Numbers = [0, 1, -1, 2, 31, 100, 1_000, 10_001, int.MaxValue, int.MinValue, long.MaxValue, long.MinValue, 1_767_225_600, 253_402_300_799, -62_135_596_800];

    public IMessage Make(MessageDescriptor type) => Make(type, 0);

    private IMessage Make(MessageDescriptor type, int depth)
    {
        var message = type.Parser.ParseFrom([]);
        foreach (var field in type.Fields.InDeclarationOrder())
        {
            if (random.Next(4) == 0 || (depth > MaximumDepth && field.FieldType == FieldType.Message))
                continue;
            if (field.IsMap)
                Fill((IDictionary)field.Accessor.GetValue(message), field, depth);
            else if (field.IsRepeated)
                Fill((IList)field.Accessor.GetValue(message), field, depth);
            else
                field.Accessor.SetValue(message, Value(field, depth));
        }

        return message;
    }

    private void Fill(IList list, FieldDescriptor field, int depth)
    {
        for (var left = random.Next(4); left > 0; left--)
            list.Add(Value(field, depth));
    }

    private void Fill(IDictionary map, FieldDescriptor field, int depth)
    {
        var (key, value) = (field.MessageType.FindFieldByNumber(1), field.MessageType.FindFieldByNumber(2));
        for (var left = random.Next(3); left > 0; left--)
            map[Value(key, depth)] = Value(value, depth);
    }

    private object Value(FieldDescriptor field, int depth) => field.FieldType switch
    {
        FieldType.Message => Make(field.MessageType, depth + 1),
        FieldType.String => field.Name == "tenant_id" && random.Next(8) > 0 ? tenant : Texts[random.Next(Texts.Length)],
        FieldType.Bytes => ByteString.CopyFrom(Bytes()),
        FieldType.Bool => random.Next(2) == 0,
        FieldType.Enum => Enum.ToObject(field.EnumType.ClrType, random.Next(-1, 12)),
        FieldType.Int32 or FieldType.SInt32 or FieldType.SFixed32 => unchecked((int)Number()),
        FieldType.UInt32 or FieldType.Fixed32 => unchecked((uint)Number()),
        FieldType.UInt64 or FieldType.Fixed64 => unchecked((ulong)Number()),
        FieldType.Double => (object)double.NaN,
        FieldType.Float => float.NaN,
        _ => Number(),
    };

    private long Number() => Numbers[random.Next(Numbers.Length)];

    private byte[] Bytes()
    {
        var bytes = new byte[random.Next(64)];
        random.NextBytes(bytes);
        return bytes;
    }
}
