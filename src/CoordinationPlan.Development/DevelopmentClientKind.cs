namespace CoordinationPlan.Development;

/// <summary>How a client system gets its tokens.</summary>
public enum DevelopmentClientKind
{
    /// <summary>A case system: its employees sign in (authorization code with PKCE), and each token names one of them.</summary>
    CaseSystem,

    /// <summary>An integration: the system acts as itself (client credentials).</summary>
    Integration,
}
