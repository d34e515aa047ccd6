namespace CoordinationPlan.Development;

/// <summary>There is no PostgreSQL on this machine. The message says how to get one.</summary>
public sealed class PostgresNotFoundException(string message) : Exception(message);
