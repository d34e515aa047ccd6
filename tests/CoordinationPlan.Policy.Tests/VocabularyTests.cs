using Google.Protobuf.Reflection;

namespace CoordinationPlan.Policy.Tests;

/// <summary>The policy's words are the contract's: a number that means one thing here and another there would open the wrong door.</summary>
public sealed class VocabularyTests
{
    [Fact]
    public void Acts_are_the_contracts() => SameAs<Act>(V1.ActReflection.Descriptor, "ACT");

    [Fact]
    public void Roles_are_the_contracts() => SameAs<Role>(V1.RoleReflection.Descriptor, "ROLE");

    [Fact]
    public void Purposes_are_the_contracts() => SameAs<Purpose>(V1.PurposeReflection.Descriptor, "PURPOSE");

    [Fact]
    public void Kinds_of_unit_are_the_contracts() => SameAs<UnitKind>(V1.UnitReflection.Descriptor, "UNIT_KIND");

    [Fact]
    public void Levels_of_protection_are_the_contracts() => SameAs<ProtectionLevel>(V1.ProtectionLevelReflection.Descriptor, "PROTECTION_LEVEL");

    [Fact]
    public void Categories_are_the_contracts_as_bits() => Assert.Equal(
        Contract(V1.InformationCategoryReflection.Descriptor, "INFORMATION_CATEGORY")
            .Where(value => value.Number != 0)
            .Select(value => (value.Name, Number: 1 << value.Number))
            .Prepend((nameof(Categories.None), 0)),
        Ours<Categories>());

    private static void SameAs<T>(FileDescriptor file, string prefix)
        where T : struct, Enum => Assert.Equal(Contract(file, prefix), Ours<T>());

    private static IEnumerable<(string Name, int Number)> Ours<T>()
        where T : struct, Enum => Enum.GetValues<T>().Select(value => (value.ToString(), Convert.ToInt32(value, null)));

    private static IEnumerable<(string Name, int Number)> Contract(FileDescriptor file, string prefix) =>
        Assert.Single(file.EnumTypes).Values.Select(value => (PascalCase(value.Name, prefix + "_"), value.Number));

    private static string PascalCase(string name, string prefix)
    {
        Assert.StartsWith(prefix, name, StringComparison.Ordinal);
        return string.Concat(name[prefix.Length..].Split('_').Select(word => word[0] + word[1..].ToLowerInvariant()));
    }
}
