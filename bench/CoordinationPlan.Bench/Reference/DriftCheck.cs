namespace CoordinationPlan.Bench.Reference;

/// <summary>Compares the copies of the service's statements with what the service sent for one call.</summary>
internal static class DriftCheck
{
    public static void Require(string method, IReadOnlyList<Statement> copies, IReadOnlyList<string> sent)
    {
        // The readiness check asks the database on the same role, at moments of its own.
        sent = [.. sent.Where(statement => Statement.OneLine(statement) != "SELECT 1")];
        for (var i = 0; i < Math.Max(copies.Count, sent.Count); i++)
        {
            var copy = i < copies.Count ? Statement.OneLine(copies[i].Sql) : "(nothing)";
            var real = i < sent.Count ? sent[i] : "(nothing)";
            if (copy != real)
            {
                throw new InvalidOperationException(
                    $"""
                    The reference has drifted from the service. Statement {i + 1} of {method} is
                      in the service:   {real}
                      in the reference: {copy}
                    Bring {nameof(ServiceStatements)} in line, and say in the commit what the change does to the ratios.
                    """);
            }
        }
    }
}
