namespace CoordinationPlan.Development;

/// <summary>A system that the identity provider knows.</summary>
/// <param name="ClientId">Its OAuth client id.</param>
/// <param name="CertificateSubject">The subject of its certificate, such as <c>CN=case-system, O=Social Services</c>.</param>
/// <param name="Kind">How it gets its tokens.</param>
public sealed record DevelopmentClientSystem(string ClientId, string CertificateSubject, DevelopmentClientKind Kind);
