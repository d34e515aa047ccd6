using System.Collections.Frozen;

namespace CoordinationPlan.Server.Rpc;

/// <summary>Coded reasons as the log and the contract write them: `OwningUnit` is OWNING_UNIT.</summary>
internal static class WireNames
{
    /// <summary>The name of a value of an enumeration.</summary>
    public static string Of<T>(T value)
        where T : struct, Enum =>
        Names<T>.ByValue.TryGetValue(value, out var name) ? name : UpperSnake(value.ToString());

    private static string UpperSnake(string name) =>
        string.Concat(name.Select((letter, i) => i > 0 && char.IsUpper(letter) ? "_" + letter : char.ToUpperInvariant(letter).ToString()));

    private static class Names<T>
        where T : struct, Enum
    {
        public static readonly FrozenDictionary<T, string> ByValue = Enum.GetValues<T>().Distinct().ToFrozenDictionary(value => value, value => UpperSnake(value.ToString()));
    }
}
