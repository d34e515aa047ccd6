namespace CoordinationPlan.Policy.Tests;

/// <summary>What a decision was made of comes back from the log as it was.</summary>
public sealed class RecordedInputTests
{
    private static readonly Question Example = new(
        Act.WriteIntervention,
        new(true, false, Role.NamedCareContact, Purpose.CareAndTreatment, true, AssuranceLevel.Level4, UnitKind.HealthCare, false, true),
        new(true, Relation.Participating, Categories.Existence, Categories.Health, true, false, true, false, Categories.AccessLog, Categories.Identity,
            ProtectionLevel.AssumedIdentity, Blocked.Guardian, true, false, true, true, false, Pupil.Former));

    [Fact]
    public void What_is_packed_is_unpacked()
    {
        foreach (var question in World.EveryCaller().Where((_, i) => i % 7 == 0).Concat(World.Draw(100_000)))
        {
            Assert.Equal(new(question.Act, question.Caller, question.Facts), RecordedInput.Unpack(Pack(question)));
        }
    }

    // Written down, because what is in the log must be read by every later version.
    [Fact]
    public void The_layout_is_this_one() => Assert.Equal(
        "02" + "08" + "04" + "02" + "04" + "02" + "15" + "01" + "04" + "04" + "AB" + "00000002" + "00000040" + "00010000" + "00000004" + "01" + "03",
        Convert.ToHexString(Pack(Example)));

    [Fact]
    public void The_first_layout_is_read_as_of_a_time_without_arrangements_with_schools() => Assert.Equal(
        new(Example.Act, Example.Caller, Example.Facts with { Unplaced = false, NoAlias = true, Pupil = Pupil.Never }),
        RecordedInput.Unpack(Convert.FromHexString("01" + "08" + "04" + "02" + "04" + "02" + "15" + "01" + "04" + "04" + "AB" + "00000002" + "00000040" + "00010000" + "00000004")));

    [Fact]
    public void Each_yes_and_no_has_a_bit_of_its_own()
    {
        var packed = new HashSet<string>();
        foreach (var caller in (Caller[])
        [
            default(Caller) with { NamesAssignment = true }, default(Caller) with { AssignmentInForce = true }, default(Caller) with { PurposeAssigned = true },
            default(Caller) with { UnitOfPrincipal = true }, default(Caller) with { HandlesProtectedPersons = true },
        ])
        {
            var bytes = RecordedInput.Pack(default, caller, default);
            Assert.True(packed.Add(Convert.ToHexString(bytes)));
            Assert.Equal(caller, RecordedInput.Unpack(bytes).Caller);
        }

        foreach (var facts in (Facts[])
        [
            new(PlanExists: true), new(ResponsibleUnit: true), new(NewItem: true), new(ResponsibleUnitGone: true), new(OwnOrganisation: true), new(PlanOpen: true),
            new(Placement: true), new(Emergency: true), new(Unplaced: true), new(NoAlias: true),
        ])
        {
            var bytes = RecordedInput.Pack(default, default, facts);
            Assert.True(packed.Add(Convert.ToHexString(bytes)));
            Assert.Equal(facts, RecordedInput.Unpack(bytes).Facts);
        }
    }

    [Fact]
    public void Numbers_that_the_policy_does_not_know_come_back_as_such()
    {
        foreach (var number in (int[])[-1, 255, 256, 257, int.MaxValue])
        {
            var (act, caller, facts) = RecordedInput.Unpack(RecordedInput.Pack((Act)number, default(Caller) with { Role = (Role)number }, new(Blocked: (Blocked)number)));
            Assert.Equal((255, 255, 255), ((int)act, (int)caller.Role, (int)facts.Blocked));
        }

        Assert.Equal((Act)254, RecordedInput.Unpack(RecordedInput.Pack((Act)254, default, default)).Act);
        Assert.Equal((Act)0, RecordedInput.Unpack(RecordedInput.Pack(0, default, default)).Act);
    }

    [Fact]
    public void Another_layout_is_not_guessed_at()
    {
        var packed = Pack(Example);

        foreach (var other in (byte[][])[[], packed[..^1], [.. packed, 0], [1, .. packed[1..]], [2, .. packed[1..27]], [0, .. packed[1..]]])
        {
            Assert.False(RecordedInput.TryUnpack(other, out var input));
            Assert.Equal(default, input);
            Assert.Contains($"{other.Length} bytes", Assert.Throws<FormatException>(() => RecordedInput.Unpack(other)).Message, StringComparison.Ordinal);
        }
    }

    private static byte[] Pack(Question question) => RecordedInput.Pack(question.Act, question.Caller, question.Facts);
}
