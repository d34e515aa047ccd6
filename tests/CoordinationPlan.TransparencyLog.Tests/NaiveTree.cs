using System.Security.Cryptography;

namespace CoordinationPlan.TransparencyLog.Tests;

/// <summary>
/// RFC 6962, section 2.1, word by word, over slices of the entries: what the library is compared with. It shares no line with it. A slice's hash is kept, so that all
/// sizes can be tried.
/// </summary>
internal sealed class NaiveTree(byte[][] entries)
{
    private readonly Dictionary<(int From, int To), byte[]> hashes = [];

    public byte[] Root(int size) => Hash(0, size);

    public List<byte[]> Path(int leaf, int size) => Path(leaf, 0, size);

    public List<byte[]> Proof(int earlier, int size) => SubProof(earlier, 0, size, isWhole: true);

    private byte[] Hash(int from, int to)
    {
        if (!hashes.TryGetValue((from, to), out var hash))
        {
            hash = (to - from) switch
            {
                0 => SHA256.HashData([]),
                1 => SHA256.HashData([0, .. entries[from]]),
                var n => SHA256.HashData([1, .. Hash(from, from + Split(n)), .. Hash(from + Split(n), to)]),
            };
            hashes.Add((from, to), hash);
        }

        return hash;
    }

    private List<byte[]> Path(int m, int from, int to)
    {
        if (to - from == 1)
        {
            return [];
        }

        var k = Split(to - from);
        return m < k ? [.. Path(m, from, from + k), Hash(from + k, to)] : [.. Path(m - k, from + k, to), Hash(from, from + k)];
    }

    private List<byte[]> SubProof(int m, int from, int to, bool isWhole)
    {
        if (m == to - from)
        {
            return isWhole ? [] : [Hash(from, to)];
        }

        var k = Split(to - from);
        return m <= k
            ? [.. SubProof(m, from, from + k, isWhole), Hash(from + k, to)]
            : [.. SubProof(m - k, from + k, to, isWhole: false), Hash(from, from + k)];
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
