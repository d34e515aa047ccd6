using System.Buffers.Binary;

namespace CoordinationPlan.Policy;

/// <summary>
/// What a decision was made of, packed for the access log so that it can be made again by another policy. Says nothing about who the person or
/// the caller is. A fixed layout of one byte each but for the sets of categories, which have four, most significant first:
/// layout, act, role, purpose, assurance, kind of unit, the caller's yes and no, relation, protection, block, the facts' yes and no, released,
/// withheld, released by law, overriding; from layout 2 on: the facts' further yes and no, pupil.
/// </summary>
/// <remarks>Never change a layout that has been written: add one, and read both.</remarks>
public readonly record struct RecordedInput(Act Act, Caller Caller, Facts Facts)
{
    /// <summary>The layout that <see cref="Pack"/> writes.</summary>
    public const byte Layout = 2;

    /// <summary>The length of what <see cref="Pack"/> writes.</summary>
    public const int Length = 29;

    private const int LengthOfLayout1 = 27;

    // A number that is none of the policy's is refused whichever it is, so one stands for all that do not fit a byte.
    private const byte Unknown = byte.MaxValue;

    /// <summary>Packs what a decision is made of.</summary>
    public static byte[] Pack(Act act, in Caller caller, in Facts facts)
    {
        var packed = new byte[Length];
        packed[0] = Layout;
        packed[1] = ByteOf((int)act);
        packed[2] = ByteOf((int)caller.Role);
        packed[3] = ByteOf((int)caller.Purpose);
        packed[4] = ByteOf((int)caller.Assurance);
        packed[5] = ByteOf((int)caller.UnitKind);
        packed[6] = Bits(
            caller.NamesAssignment,
            caller.AssignmentInForce,
            caller.PurposeAssigned,
            caller.UnitOfPrincipal,
            caller.HandlesProtectedPersons);
        packed[7] = ByteOf((int)facts.Relation);
        packed[8] = ByteOf((int)facts.Protection);
        packed[9] = ByteOf((int)facts.Blocked);
        packed[10] = Bits(
            facts.PlanExists,
            facts.ResponsibleUnit,
            facts.NewItem,
            facts.ResponsibleUnitGone,
            facts.OwnOrganisation,
            facts.PlanOpen,
            facts.Placement,
            facts.Emergency);
        BinaryPrimitives.WriteInt32BigEndian(packed.AsSpan(11), (int)facts.Released);
        BinaryPrimitives.WriteInt32BigEndian(packed.AsSpan(15), (int)facts.Withheld);
        BinaryPrimitives.WriteInt32BigEndian(packed.AsSpan(19), (int)facts.ReleasedByLaw);
        BinaryPrimitives.WriteInt32BigEndian(packed.AsSpan(23), (int)facts.Overriding);
        packed[27] = Bits(facts.Unplaced, facts.NoAlias);
        packed[28] = ByteOf((int)facts.Pupil);
        return packed;
    }

    /// <summary>Unpacks what <see cref="Pack"/> has written.</summary>
    /// <exception cref="FormatException">It is of a layout that this version does not know.</exception>
    public static RecordedInput Unpack(ReadOnlySpan<byte> packed) => TryUnpack(packed, out var input)
        ? input
        : throw new FormatException($"A recorded decision of {packed.Length} bytes is of no layout that this version knows.");

    /// <summary>Unpacks what <see cref="Pack"/> has written; false where it is of a layout that this version does not know.</summary>
    public static bool TryUnpack(ReadOnlySpan<byte> packed, out RecordedInput input)
    {
        input = default;
        if (packed is not ([Layout, ..] and { Length: Length } or [1, ..] and { Length: LengthOfLayout1 }))
        {
            return false;
        }

        var caller = new Caller(
            NamesAssignment: Bit(packed[6], 0),
            AssignmentInForce: Bit(packed[6], 1),
            Role: (Role)packed[2],
            Purpose: (Purpose)packed[3],
            PurposeAssigned: Bit(packed[6], 2),
            Assurance: (AssuranceLevel)packed[4],
            UnitKind: (UnitKind)packed[5],
            UnitOfPrincipal: Bit(packed[6], 3),
            HandlesProtectedPersons: Bit(packed[6], 4));
        var facts = new Facts(
            PlanExists: Bit(packed[10], 0),
            Relation: (Relation)packed[7],
            Released: CategoriesOf(packed[11..]),
            Withheld: CategoriesOf(packed[15..]),
            ResponsibleUnit: Bit(packed[10], 1),
            NewItem: Bit(packed[10], 2),
            ResponsibleUnitGone: Bit(packed[10], 3),
            OwnOrganisation: Bit(packed[10], 4),
            ReleasedByLaw: CategoriesOf(packed[19..]),
            Overriding: CategoriesOf(packed[23..]),
            Protection: (ProtectionLevel)packed[8],
            Blocked: (Blocked)packed[9],
            PlanOpen: Bit(packed[10], 5),
            Placement: Bit(packed[10], 6),
            Emergency: Bit(packed[10], 7),
            Unplaced: packed[0] > 1 && Bit(packed[27], 0),
            // When the first layout was written, there were no arrangements with schools, and so no aliases and no pupils.
            NoAlias: packed[0] == 1 || Bit(packed[27], 1),
            Pupil: packed[0] == 1 ? Pupil.Never : (Pupil)packed[28]);
        input = new((Act)packed[1], caller, facts);
        return true;
    }

    private static byte ByteOf(int number) => number is >= 0 and < Unknown ? (byte)number : Unknown;

    private static byte Bits(params ReadOnlySpan<bool> values)
    {
        var bits = 0;
        for (var i = 0; i < values.Length; i++)
        {
            bits |= values[i] ? 1 << i : 0;
        }

        return (byte)bits;
    }

    private static bool Bit(byte bits, int number) => (bits & (1 << number)) != 0;

    private static Categories CategoriesOf(ReadOnlySpan<byte> packed) => (Categories)BinaryPrimitives.ReadInt32BigEndian(packed);
}
