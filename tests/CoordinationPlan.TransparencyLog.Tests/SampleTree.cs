using System.Globalization;
using System.Text;

namespace CoordinationPlan.TransparencyLog.Tests;

/// <summary>Trees whose leaf i is the text <c>leaf i</c>, as in the vectors, with all their perfect subtrees.</summary>
internal sealed class SampleTree
{
    private readonly List<List<TreeHash>> levels = [[]];

    public SampleTree(int size, Func<int, byte[]>? entry = null)
    {
        for (var i = 0; i < size; i++)
        {
            var hash = TreeHash.OfLeaf((entry ?? Entry)(i));
            levels[0].Add(hash);
            for (var level = 0; levels[level].Count % 2 == 0; level++)
            {
                if (level + 1 == levels.Count)
                {
                    levels.Add([]);
                }

                hash = TreeHash.OfChildren(levels[level][^2], hash);
                levels[level + 1].Add(hash);
            }
        }
    }

    public static byte[] Entry(int index) => Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"leaf {index}"));

    public TreeHash Leaf(long index) => levels[0][(int)index];

    public TreeHash Node(int level, long index) => levels[level][(int)index];

    public TreeHash Root(long size) => Subtree.Root(size, Node);

    /// <summary>The tile, made of the tree's nodes and not by what writes tiles.</summary>
    public byte[] Tile(TilePath tile) =>
        [.. Enumerable.Range(0, tile.Width).SelectMany(i => Node(tile.Level * 8, (tile.Index * TilePath.FullWidth) + i).ToArray())];
}
