using System.Globalization;

namespace StripeMeter.Metering.Text;

/// <summary>Text that survives every hop unchanged: well-formed Unicode without control characters.</summary>
public static class PrintableText
{
    public static bool IsPrintable(ReadOnlySpan<char> text)
    {
        for (var index = 0; index < text.Length; index++)
        {
            var character = text[index];
            if (char.IsHighSurrogate(character) && index + 1 < text.Length && char.IsLowSurrogate(text[index + 1]))
                index++;
            else if (char.IsSurrogate(character) || IsControl(character))
                return false;
        }

        return true;
    }

    private static bool IsControl(char character) => char.IsControl(character)
        || CharUnicodeInfo.GetUnicodeCategory(character) is UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
}
