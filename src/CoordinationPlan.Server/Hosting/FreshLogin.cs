using CoordinationPlan.Server.Access;

namespace CoordinationPlan.Server.Hosting;

/// <summary>
/// Step-up: what opens emergency access is a login of just now, by the issuer's own word (<c>auth_time</c>, OpenID Connect Core section 2), not a
/// session that somebody left open. A token that does not say when is too old.
/// </summary>
internal sealed class FreshLogin(TimeSpan longest, TimeSpan clockSkew)
{
    public bool Is(CallerIdentity caller, DateTimeOffset now) =>
        caller.LoggedInAt is { } at && now - at <= longest && at - now <= clockSkew;
}
