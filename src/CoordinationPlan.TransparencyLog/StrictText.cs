using System.Globalization;
using System.Text;

namespace CoordinationPlan.TransparencyLog;

/// <summary>
/// Texts that mean one thing are written in one way. Whatever reads a second spelling lets two parties see different bytes under one signature.
/// </summary>
internal static class StrictText
{
    private static readonly UTF8Encoding Encoding = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <exception cref="FormatException">It is no base64, or not the one that these bytes are written as (white space, other trailing bits).</exception>
    public static byte[] Base64(ReadOnlySpan<char> text)
    {
        var bytes = new byte[((text.Length / 4) + 1) * 3];
        if (!Convert.TryFromBase64Chars(text, bytes, out var length) || !text.SequenceEqual(Convert.ToBase64String(bytes.AsSpan(0, length))))
        {
            throw new FormatException("Not base64 in its canonical form.");
        }

        return bytes[..length];
    }

    /// <exception cref="FormatException">It is no decimal number of zero or more that fits, or has leading zeroes or a sign.</exception>
    public static long Number(ReadOnlySpan<char> text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && text.SequenceEqual(number.ToString(CultureInfo.InvariantCulture))
            ? number
            : throw new FormatException("Not a decimal number without leading zeroes.");

    /// <exception cref="FormatException">It is no UTF-8.</exception>
    public static string Utf8(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return Encoding.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw new FormatException("Not UTF-8.");
        }
    }

    /// <exception cref="FormatException">It has half a character.</exception>
    public static byte[] Utf8(string text)
    {
        try
        {
            return Encoding.GetBytes(text);
        }
        catch (EncoderFallbackException)
        {
            throw new FormatException("Not Unicode text.");
        }
    }

    /// <summary>The lines of a text in which each ends with a newline, without it.</summary>
    /// <exception cref="FormatException">The last line does not end.</exception>
    public static string[] Lines(string text) =>
        text.EndsWith('\n') ? text[..^1].Split('\n') : throw new FormatException("The last line does not end with a newline.");
}
