using CoordinationPlan.V1;

namespace CoordinationPlan.Server.Rpc;

/// <summary>
/// Form of Swedish identity numbers: twelve digits YYYYMMDDNNNC, a real date (coordination numbers add 60 to the day), and a check digit by
/// the Luhn algorithm over the last ten (SKV 704).
/// </summary>
public static class IdentityNumbers
{
    /// <summary>What is wrong with the number, or null. The answer never repeats the number.</summary>
    public static string? FaultOf(IdentityNumberKind kind, string value, DateOnly today)
    {
        if (value.Length != 12 || !value.All(char.IsAsciiDigit))
        {
            return "must be twelve digits without separator";
        }

        var day = int.Parse(value.AsSpan(6, 2), System.Globalization.CultureInfo.InvariantCulture);
        var isCoordination = day > 60;
        if (isCoordination != (kind == IdentityNumberKind.Coordination))
        {
            return isCoordination
                ? "is a coordination number by its day, but is given as a personal identity number"
                : "is given as a coordination number, but its day is not raised by 60";
        }

        var year = int.Parse(value.AsSpan(0, 4), System.Globalization.CultureInfo.InvariantCulture);
        var month = int.Parse(value.AsSpan(4, 2), System.Globalization.CultureInfo.InvariantCulture);
        day -= isCoordination ? 60 : 0;
        if (year < 1900 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month) || new DateOnly(year, month, day) > today)
        {
            return "does not begin with a possible date of birth from 1900 to today";
        }

        return CheckDigit(value.AsSpan(2, 9)) == value[11] ? null : "has a wrong check digit";
    }

    /// <summary>
    /// Whether it is a number of the project's test persons: the three digits after the date are 238 or 239 (docs/test-persons.md). A
    /// development service takes only these, a production service none of them.
    /// </summary>
    public static bool IsTestNumber(string value) => value.Length == 12 && value.AsSpan(8, 3) is "238" or "239";

    /// <summary>The day of birth in a number whose form has been checked; coordination numbers add 60 to the day.</summary>
    public static DateOnly DayOfBirth(string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        int Part(int start, int length) => int.Parse(value.AsSpan(start, length), System.Globalization.CultureInfo.InvariantCulture);
        var day = Part(6, 2);
        return new DateOnly(Part(0, 4), Part(4, 2), day > 60 ? day - 60 : day);
    }

    /// <summary>The Luhn check digit of the nine digits YYMMDDNNN.</summary>
    public static char CheckDigit(ReadOnlySpan<char> digits)
    {
        var sum = 0;
        for (var i = 0; i < digits.Length; i++)
        {
            var product = (digits[i] - '0') * (i % 2 == 0 ? 2 : 1);
            sum += product > 9 ? product - 9 : product;
        }

        return (char)('0' + ((10 - (sum % 10)) % 10));
    }
}
