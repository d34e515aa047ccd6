using System.Globalization;

namespace CoordinationPlan.Bench.Data;

/// <summary>
/// The ids of the n-th plan and of what belongs to it: spread over all ids, and still known to everybody without a look-up. They are made of
/// decimal digits, because pgbench can calculate with integers and with nothing else.
/// </summary>
internal static class PlanIds
{
    /// <summary>Added to the second half, for the plan's subject.</summary>
    public const int Subject = 1;

    /// <summary>Added for the first part, participation and consent; the others follow.</summary>
    public const int FirstPart = 100;
    public const int FirstParticipation = 200;
    public const int FirstConsent = 300;

    private const long Smallest = 1_000_000_000_000_000;
    private const long FirstFactor = 5_851_263_149_827;
    private const long FirstModulus = 8_999_999_999_999_989;
    private const long SecondFactor = 8_121_957_374_603;
    private const long SecondModulus = 8_999_999_999_990_001;

    /// <summary>The halves, 16 digits each, of the n-th plan's id, in the language of pgbench and of PostgreSQL alike.</summary>
    public static string FirstHalf(string n) => Half(n, FirstFactor, FirstModulus);

    /// <inheritdoc cref="FirstHalf"/>
    public static string SecondHalf(string n) => Half(n, SecondFactor, SecondModulus);

    /// <summary>The id as the service has it.</summary>
    public static Guid Of(long n, int offset = 0) => Guid.ParseExact(
        string.Create(
            CultureInfo.InvariantCulture,
            $"{Smallest + (n * FirstFactor % FirstModulus)}{Smallest + (n * SecondFactor % SecondModulus) + offset}"),
        "N");

    private static string Half(string n, long factor, long modulus) =>
        string.Create(CultureInfo.InvariantCulture, $"({Smallest} + ({n} * {factor} % {modulus}))");
}
