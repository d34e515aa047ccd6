namespace CoordinationPlan.RegionSystem;

/// <summary>
/// What the system says of its own work: what it did, how many, and coded reasons. Never a person, a plan, a unit, a cursor or what an error's text says, because logs
/// go where the data may not.
/// </summary>
internal static class Journal
{
    public static void Write(string line) => Console.Error.WriteLine($"{TimeProvider.System.GetUtcNow():O} {line}");
}
