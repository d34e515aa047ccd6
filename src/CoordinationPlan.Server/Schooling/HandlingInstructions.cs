using System.Reflection;
using System.Text.Json;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Pupil = CoordinationPlan.V1.Pupil;

namespace CoordinationPlan.Server.Schooling;

/// <summary>How a school handles a pupil of one kind of protection.</summary>
internal sealed record Handling(SecurityMarking Marking, IReadOnlyList<HandlingInstruction> Instructions)
{
    public void ApplyTo(Pupil pupil)
    {
        pupil.SecurityMarking = Marking;
        pupil.HandlingInstructions.AddRange(Instructions.Select(instruction => instruction.Clone()));
    }
}

/// <summary>
/// What a school is told to do with a pupil's data: data, in handling-instructions.json, so that a change of words is a change of a row. Derived from how the
/// person is protected, and so that it does not tell: an assumed identity and a level that is not known read as protected population registration, the
/// strictest that SS 12000 knows. A list with a fault stops the service at start.
/// </summary>
internal sealed class HandlingInstructions
{
    private static readonly JsonSerializerOptions Strict = new(JsonSerializerDefaults.Web)
    {
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Disallow,
    };

    private static readonly Policy.ProtectionLevel[] MildestFirst =
        [Policy.ProtectionLevel.None, Policy.ProtectionLevel.ConfidentialityMarked, Policy.ProtectionLevel.ProtectedPopulationRegistration];

    private readonly Dictionary<Policy.ProtectionLevel, Handling> _byLevel;

    private HandlingInstructions(Dictionary<Policy.ProtectionLevel, Handling> byLevel) => _byLevel = byLevel;

    /// <summary>The list that comes with the service.</summary>
    public static HandlingInstructions Load()
    {
        using var file = Assembly.GetExecutingAssembly().GetManifestResourceStream("handling-instructions.json") ?? throw new InvalidOperationException("The list of handling instructions is missing.");
        return Parse(file);
    }

    /// <exception cref="InvalidOperationException">It lacks a level, or a stricter one asks for less than a milder one.</exception>
    /// <exception cref="JsonException">It is not such a list at all.</exception>
    public static HandlingInstructions Parse(Stream json)
    {
        var rows = JsonSerializer.Deserialize<Row[]>(json, Strict) ?? [];
        if (!rows.Select(row => row.Level).SequenceEqual(MildestFirst.Select(level => WireNames.Of(level))))
        {
            throw new InvalidOperationException("The list of handling instructions must have each level that a school is told of once, the mildest first.");
        }

        var handlings = rows.Select(row => new Handling(
            Named<SecurityMarking>(row.Marking),
            [.. row.Instructions.Select(instruction => new HandlingInstruction { Code = Named<HandlingCode>(instruction.Code), Text = instruction.Text })])).ToList();
        for (var i = 0; i < handlings.Count; i++)
        {
            if (handlings[i].Instructions.Any(instruction => string.IsNullOrWhiteSpace(instruction.Text)) || handlings[i].Marking != (SecurityMarking)(i + 1)
                || (i > 0 && handlings[i - 1].Instructions.Select(milder => milder.Code).Except(handlings[i].Instructions.Select(stricter => stricter.Code)).Any()))
            {
                throw new InvalidOperationException($"The handling instructions of {rows[i].Level} lack a text, have another marking, or ask for less than a milder level does.");
            }
        }

        return new HandlingInstructions(MildestFirst.Zip(handlings).ToDictionary());
    }

    /// <summary>Of a placed child at least what a confidentiality marking asks for.</summary>
    public Handling For(Policy.ProtectionLevel level, bool isPlaced) => level switch
    {
        Policy.ProtectionLevel.None when !isPlaced => _byLevel[level],
        Policy.ProtectionLevel.None or Policy.ProtectionLevel.ConfidentialityMarked => _byLevel[Policy.ProtectionLevel.ConfidentialityMarked],
        _ => _byLevel[Policy.ProtectionLevel.ProtectedPopulationRegistration],
    };

    private static T Named<T>(string name)
        where T : struct, System.Enum =>
        System.Enum.GetValues<T>().Where(value => Convert.ToInt32(value, System.Globalization.CultureInfo.InvariantCulture) > 0 && WireNames.Of(value) == name).ToList() is [var found]
            ? found
            : throw new InvalidOperationException("The list of handling instructions has a name that the contract does not.");

    private sealed record Row(string Level, string Marking, InstructionRow[] Instructions);

    private sealed record InstructionRow(string Code, string Text);
}
