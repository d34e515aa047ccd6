using System.Buffers.Binary;

namespace CoordinationPlan.TransparencyLog;

/// <summary>The entries under a tile of leaves (C2SP tlog-tiles): each after its length in two bytes.</summary>
public static class EntryBundle
{
    public static byte[] Format(IEnumerable<ReadOnlyMemory<byte>> entries)
    {
        ArgumentNullException.ThrowIfNull(entries);
        using var bundle = new MemoryStream();
        Span<byte> length = stackalloc byte[sizeof(ushort)];
        foreach (var entry in entries)
        {
            BinaryPrimitives.WriteUInt16BigEndian(length, checked((ushort)entry.Length));
            bundle.Write(length);
            bundle.Write(entry.Span);
        }

        return bundle.ToArray();
    }

    /// <param name="width">How many entries it must hold.</param>
    /// <exception cref="FormatException">It ends within an entry, or holds more or fewer.</exception>
    public static IReadOnlyList<ReadOnlyMemory<byte>> Parse(ReadOnlyMemory<byte> bundle, int width)
    {
        List<ReadOnlyMemory<byte>> entries = new(width);
        while (bundle.Length > 0)
        {
            if (!BinaryPrimitives.TryReadUInt16BigEndian(bundle.Span, out var length) || bundle.Length < sizeof(ushort) + length)
            {
                throw new FormatException("The bundle of entries ends within one.");
            }

            entries.Add(bundle.Slice(sizeof(ushort), length));
            bundle = bundle[(sizeof(ushort) + length)..];
        }

        return entries.Count == width ? entries : throw new FormatException($"The bundle holds {entries.Count} entries, not {width}.");
    }
}
