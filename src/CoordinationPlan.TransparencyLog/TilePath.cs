using System.Globalization;
using System.Text;

namespace CoordinationPlan.TransparencyLog;

/// <summary>
/// Where a tile of the tree is (C2SP tlog-tiles): up to 256 hashes of one level, or the entries under as many leaves.
/// </summary>
/// <param name="Level">0 holds the hashes of leaves; each hash of a level is the root over a full tile of the level below. <see cref="Entries"/> holds the entries.</param>
/// <param name="Index">Which of its level, from 0.</param>
/// <param name="Width">How many hashes or entries it holds: 256 when it is full.</param>
public readonly record struct TilePath(int Level, long Index, int Width)
{
    /// <summary>The level of the entries themselves.</summary>
    public const int Entries = -1;

    /// <summary>How many hashes a full tile holds.</summary>
    public const int FullWidth = 256;

    internal const int Height = 8;

    private const int MaxLevel = 63;

    public bool IsEntries => Level == Entries;

    public bool IsFull => Width == FullWidth;

    /// <summary>The full tile that comes in place of this one.</summary>
    public TilePath Full => this with { Width = FullWidth };

    /// <summary>The path after the log's address, as <c>tile/0/x001/234.p/5</c>.</summary>
    public override string ToString()
    {
        var digits = Index.ToString("000", CultureInfo.InvariantCulture);
        digits = digits.PadLeft((digits.Length + 2) / 3 * 3, '0');
        var path = new StringBuilder("tile/").Append(IsEntries ? "entries" : Level.ToString(CultureInfo.InvariantCulture));
        for (var i = 0; i < digits.Length; i += 3)
        {
            path.Append(i + 3 < digits.Length ? "/x" : "/").Append(digits, i, 3);
        }

        return IsFull ? path.ToString() : path.Append(".p/").Append(Width.ToString(CultureInfo.InvariantCulture)).ToString();
    }

    /// <exception cref="FormatException">It is no path of a tile, or not the one way to write it.</exception>
    public static TilePath Parse(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        var width = FullWidth;
        var rest = path;
        if (path.IndexOf(".p/", StringComparison.Ordinal) is >= 0 and var at)
        {
            width = (int)Math.Min(StrictText.Number(path.AsSpan(at + 3)), FullWidth);
            rest = path[..at];
        }

        var parts = rest.Split('/');
        if (parts.Length is < 3 or > 9 || parts[0] != "tile")
        {
            throw Wrong(path);
        }

        var level = parts[1] == "entries" ? Entries : StrictText.Number(parts[1]);
        var digits = string.Concat(parts.Skip(2).Select((part, i) => i < parts.Length - 3 && part.StartsWith('x') ? part[1..] : part));
        if (level > MaxLevel || !long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var index))
        {
            throw Wrong(path);
        }

        // Whatever else is wrong with it, it is not what this tile is written as.
        var tile = new TilePath((int)level, index, width);
        return width > 0 && tile.ToString() == path ? tile : throw Wrong(path);
    }

    private static FormatException Wrong(string path) => new($"Not the path of a tile: {path}");
}
