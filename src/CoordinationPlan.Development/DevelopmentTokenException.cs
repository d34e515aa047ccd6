namespace CoordinationPlan.Development;

/// <summary>The identity provider refused to give a token.</summary>
/// <param name="error">OAuth's code for the error, such as <c>invalid_client</c>.</param>
/// <param name="description">What the provider says about it.</param>
public sealed class DevelopmentTokenException(string error, string? description) : Exception($"{error}: {description}")
{
    /// <summary>OAuth's code for the error, such as <c>invalid_client</c>.</summary>
    public string Error { get; } = error;
}
