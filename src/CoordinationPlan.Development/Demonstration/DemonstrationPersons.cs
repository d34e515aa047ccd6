using CoordinationPlan.V1;

namespace CoordinationPlan.Development.Demonstration;

/// <summary>The invented persons of the scenarios, with numbers from the documented set of test persons (docs/test-persons.md).</summary>
public static class DemonstrationPersons
{
    /// <summary>Sara, exposed to violence by her partner.</summary>
    public static Subject Sara { get; } = Person("198804122383", "Sara", "Testsson");

    /// <summary>Her son Elias, 9 years.</summary>
    public static Subject Elias { get; } = Person("201706032396", "Elias", "Testsson");

    /// <summary>Her daughter Nora, 15 years.</summary>
    public static Subject Nora { get; } = Person("201109212389", "Nora", "Testsson");

    /// <summary>The number of Jonas, the children's violent father.</summary>
    public static IdentityNumber Jonas { get; } = new() { Kind = IdentityNumberKind.Personal, Value = "198502012399" };

    private static Subject Person(string number, string givenName, string familyName) => new()
    {
        IdentityNumber = new() { Kind = IdentityNumberKind.Personal, Value = number },
        GivenName = givenName,
        FamilyName = familyName,
    };
}
