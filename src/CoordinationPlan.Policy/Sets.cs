namespace CoordinationPlan.Policy;

/// <summary>A set of roles.</summary>
internal readonly record struct Roles(int Bits)
{
    /// <summary>Every role but the unspecified one.</summary>
    public static readonly Roles All = Of([.. Enum.GetValues<Role>().Where(role => role != Role.Unspecified)]);

    /// <summary>Every role that an employee has: not that of a system.</summary>
    public static readonly Roles AllEmployees = new(All.Bits & ~Of(Role.SystemIntegration).Bits);

    public static Roles Of(params Role[] roles) => new(roles.Aggregate(0, (bits, role) => bits | (1 << (int)role)));

    // A shift takes its count modulo 32: an unknown number must not pass for a known one.
    public bool Contains(Role role) => (int)role is > 0 and < 32 && (Bits & (1 << (int)role)) != 0;
}

/// <summary>A set of purposes.</summary>
public readonly record struct Purposes(int Bits)
{
    public static Purposes Of(params ReadOnlySpan<Purpose> purposes)
    {
        var bits = 0;
        foreach (var purpose in purposes)
        {
            bits |= 1 << (int)purpose;
        }

        return new(bits);
    }

    public bool Contains(Purpose purpose) => (int)purpose is > 0 and < 32 && (Bits & (1 << (int)purpose)) != 0;
}
