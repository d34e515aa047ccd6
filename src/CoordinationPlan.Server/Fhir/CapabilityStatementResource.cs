using Hl7.Fhir.Model;

namespace CoordinationPlan.Server.Fhir;

/// <summary>What the FHIR door can do. The same for everybody; nothing of a case.</summary>
internal static class CapabilityStatementResource
{
    /// <summary>The day on which what stands here changed last.</summary>
    private const string Date = "2026-11-26";

    private const string BaseDefinition = "http://hl7.org/fhir/StructureDefinition/";

    private static readonly CapabilityStatement.TypeRestfulInteraction[] Reads =
    [
        CapabilityStatement.TypeRestfulInteraction.Read, CapabilityStatement.TypeRestfulInteraction.Vread, CapabilityStatement.TypeRestfulInteraction.HistoryInstance,
    ];

    public static CapabilityStatement Of(string address) => new()
    {
        Status = PublicationStatus.Active,
        Date = Date,
        Kind = CapabilityStatementKind.Instance,
        Software = new CapabilityStatement.SoftwareComponent { Name = "CoordinationPlan", Version = typeof(CapabilityStatementResource).Assembly.GetName().Version?.ToString(3) },
        Implementation = new CapabilityStatement.ImplementationComponent { Description = "Coordinated individual plans (samordnad individuell plan, SIP)", Url = address },
        FhirVersion = FHIRVersion.N4_0_1,
        FormatElement = [new Code(FhirJson.MediaType)],
        Rest =
        [
            new CapabilityStatement.RestComponent
            {
                Mode = CapabilityStatement.RestfulCapabilityMode.Server,
                Documentation =
                    "Searches are made by POST to _search; nothing of a search goes into the address. A refusal and what does not exist answer alike.",
                Security = new CapabilityStatement.SecurityComponent
                {
                    Service = [new CodeableConcept("http://terminology.hl7.org/CodeSystem/restful-security-service", "OAuth")],
                    Description =
                        "Client certificate and a bearer token bound to it; the headers coordinationplan-assignment and coordinationplan-purpose as for the gRPC contract. "
                        + "Every interaction leaves an entry in the access log before it is answered, and its answer has a receipt in the header audit-receipt-bin.",
                },
                Resource =
                [
                    Resource(
                        "CarePlan",
                        "The coordinated individual plan, as far as the caller's unit may read it. Its versions are its established revisions, and the one that was read last.",
                        [.. Reads, CapabilityStatement.TypeRestfulInteraction.SearchType],
                        ("_id", SearchParamType.Token, "The plan's id."),
                        ("patient", SearchParamType.Reference, "Only as patient:identifier, with a personal identity number or a coordination number by its system."),
                        ("identifier", SearchParamType.Token, "The owning unit's number of the case, by its system.")),
                    Resource(
                        "CareTeam",
                        "The units that take part in the plan of the same id; for a region's system, what it has reported of its own units' part in it. An update adds or ends one participant, or reports "
                        + "one; it needs If-Match and X-Request-Id.",
                        [.. Reads, CapabilityStatement.TypeRestfulInteraction.Update]),
                    Resource(
                        "Consent",
                        "The person's consents and refusals.",
                        [.. Reads, CapabilityStatement.TypeRestfulInteraction.SearchType],
                        ("data", SearchParamType.Reference, "The plan that the consents are about: CarePlan/[id].")),
                    Resource(
                        "Task",
                        "What the caller's unit has to do.",
                        [.. Reads, CapabilityStatement.TypeRestfulInteraction.SearchType],
                        ("owner", SearchParamType.Reference, "Only as owner:identifier: whose task it is."),
                        ("status", SearchParamType.Token, "requested (if none is given) or completed."),
                        ("modified", SearchParamType.Date, "With completed: ge and the first day.")),
                    Resource(
                        "AuditEvent",
                        "The access log, for those who review it.",
                        [.. Reads, CapabilityStatement.TypeRestfulInteraction.SearchType],
                        ("date", SearchParamType.Date, "Needed twice: ge and lt, each an instant with its time zone."),
                        ("patient", SearchParamType.Reference, "Only as patient:identifier."),
                        ("entity", SearchParamType.Reference, "The plan: CarePlan/[id]."),
                        ("agent", SearchParamType.Reference, "Only as agent:identifier: the employee.")),
                ],
            },
        ],
    };

    private static CapabilityStatement.ResourceComponent Resource(
        string type, string documentation, CapabilityStatement.TypeRestfulInteraction[] interactions, params (string Name, SearchParamType Type, string Documentation)[] terms) => new()
        {
            TypeElement = new Code(type),
            Profile = BaseDefinition + type,
            Documentation = documentation,
            Interaction = [.. interactions.Select(interaction => new CapabilityStatement.ResourceInteractionComponent { Code = interaction })],
            Versioning = interactions.Contains(CapabilityStatement.TypeRestfulInteraction.Update)
                ? CapabilityStatement.ResourceVersionPolicy.VersionedUpdate
                : CapabilityStatement.ResourceVersionPolicy.Versioned,
            // Of the others the present version is the only one that is kept.
            ReadHistory = type == "CarePlan",
            UpdateCreate = false,
            ConditionalRead = CapabilityStatement.ConditionalReadStatus.NotMatch,
            SearchParam = [.. terms.Select(term => new CapabilityStatement.SearchParamComponent { Name = term.Name, Type = term.Type, Documentation = term.Documentation })],
        };
}
