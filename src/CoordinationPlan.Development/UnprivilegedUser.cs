using System.Globalization;

namespace CoordinationPlan.Development;

/// <summary>Whom PostgreSQL runs as when we are root, whom it refuses to run as.</summary>
internal sealed record UnprivilegedUser(string Name, uint UserId, uint GroupId)
{
    /// <summary>Null when we are not root, and PostgreSQL runs as ourselves.</summary>
    public static UnprivilegedUser? IfRoot()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return null;
        }

        // initdb asks for the name of its user, so a bare number that the file does not know will not do. The group may be a bare number.
        var users = File.ReadLines("/etc/passwd").Select(line => line.Split(':')).ToList();
        var user = users.Find(fields => fields[0] == "postgres") ?? users.Find(fields => fields[0] == "nobody")
            ?? throw new InvalidOperationException("PostgreSQL does not run as root, and /etc/passwd has no 'postgres' and no 'nobody'.");
        return new UnprivilegedUser(user[0], Number(user[2]), Number(user[3]));
    }

    private static uint Number(string text) => uint.Parse(text, CultureInfo.InvariantCulture);
}
