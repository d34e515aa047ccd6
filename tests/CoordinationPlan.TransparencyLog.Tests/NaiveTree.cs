using System.Security.Cryptography;

namespace CoordinationPlan.TransparencyLog.Tests;

/// <summary>
/// RFC 6962, section 2.1, word by word and with nothing kept: what the library is compared with. It shares no line with it.
/// </summary>
internal static class NaiveTree
{
    public static byte[] Root(ReadOnlySpan<byte[]> entries) => entries.Length switch
    {
        0 => SHA256.HashData([]),
        1 => SHA256.HashData([0, .. entries[0]]),
        _ => SHA256.HashData([1, .. Root(entries[..Split(entries.Length)]), .. Root(entries[Split(entries.Length)..])]),
    };

    public static List<byte[]> Path(int leaf, ReadOnlySpan<byte[]> entries)
    {
        if (entries.Length == 1)
        {
            return [];
        }

        var k = Split(entries.Length);
        return leaf < k ? [.. Path(leaf, entries[..k]), Root(entries[k..])] : [.. Path(leaf - k, entries[k..]), Root(entries[..k])];
    }

    public static List<byte[]> Proof(int earlier, ReadOnlySpan<byte[]> entries) => SubProof(earlier, entries, isWhole: true);

    private static List<byte[]> SubProof(int m, ReadOnlySpan<byte[]> entries, bool isWhole)
    {
        if (m == entries.Length)
        {
            return isWhole ? [] : [Root(entries)];
        }

        var k = Split(entries.Length);
        return m <= k ? [.. SubProof(m, entries[..k], isWhole), Root(entries[k..])] : [.. SubProof(m - k, entries[k..], false), Root(entries[..k])];
    }

    private static int Split(int size)
    {
        var k = 1;
        while (k * 2 < size)
        {
            k *= 2;
        }

        return k;
    }
}
