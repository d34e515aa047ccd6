namespace CoordinationPlan.Cli.Verify;

/// <summary>What was checked, what was found wrong, and what could not be checked: in the order in which it came up, a line each.</summary>
internal sealed class VerificationReport(TextWriter output)
{
    public const int AllGood = 0;
    public const int FoundWrong = 1;
    public const int NotChecked = 2;

    private int wrong;
    private int notChecked;

    /// <summary>Whether nothing wrong has been found so far.</summary>
    public bool IsClean => wrong == 0;

    /// <summary>What the program ends with. What is wrong outweighs what was not looked at.</summary>
    public int ExitCode => wrong > 0 ? FoundWrong : notChecked > 0 ? NotChecked : AllGood;

    public void Good(string what) => output.WriteLine($"ok           {what}");

    public void Wrong(string what)
    {
        wrong++;
        output.WriteLine($"WRONG        {what}");
    }

    public void CouldNotCheck(string what)
    {
        notChecked++;
        output.WriteLine($"not checked  {what}");
    }

    public void Conclude() => output.WriteLine(ExitCode switch
    {
        AllGood => "All good.",
        FoundWrong => $"{wrong} found wrong.",
        _ => $"Nothing found wrong; {notChecked} could not be checked.",
    });
}
