using CoordinationPlan.V1;
using Google.Protobuf.WellKnownTypes;
using Hl7.Fhir.Model;
using static CoordinationPlan.Server.Fhir.FhirElements;

namespace CoordinationPlan.Server.Fhir;

/// <summary>
/// An entry of the access log as an AuditEvent, made as IHE's Basic Audit Log Patterns make them. What these demand and the log does not keep, the network addresses of
/// both sides, is not made up, so no profile is claimed. docs/fhir.md lists which field becomes which element.
/// </summary>
internal static class AuditEventResource
{
    private const string Dicom = "http://dicom.nema.org/resources/ontology/DCM";
    private const string EntityTypes = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
    private const string EntityRoles = "http://terminology.hl7.org/CodeSystem/object-role";

    public static AuditEvent Of(AccessLogEntry entry)
    {
        var (interaction, action) = InteractionOf(entry.Method[(entry.Method.LastIndexOf('/') + 1)..]);
        // Who acted can be left out too, and then nobody is said to have asked.
        var isOfNobody = entry.Employee.Length == 0;
        var resource = new AuditEvent
        {
            Id = entry.Name[(entry.Name.LastIndexOf('/') + 1)..],
            Meta = Meta("1"),
            Type = new Coding("http://terminology.hl7.org/CodeSystem/audit-event-type", "rest"),
            Subtype = [new Coding("http://hl7.org/fhir/restful-interaction", interaction), FhirSystems.CodeOf(entry.Act), new Coding(FhirSystems.Own + "method", entry.Method)],
            Action = action,
            Recorded = (entry.Time ?? new Timestamp()).ToDateTimeOffset(),
            Outcome = entry.Outcome switch
            {
                AccessOutcome.Permitted or AccessOutcome.Validated => AuditEvent.AuditEventOutcome.N0,
                AccessOutcome.Refused => AuditEvent.AuditEventOutcome.N4,
                _ => AuditEvent.AuditEventOutcome.N8,
            },
            OutcomeDesc = OrNull(entry.Reason),
            PurposeOfEvent = entry.Purpose == Purpose.Unspecified ? [] : [new CodeableConcept { Coding = [FhirSystems.CodeOf(entry.Purpose)] }],
            Source = new AuditEvent.SourceComponent { Observer = new ResourceReference { Type = "Device", Display = "coordinationplan" } },
            Extension = [FhirSystems.Extension("access-outcome", entry.Outcome), FhirSystems.Extension("policy-version", new UnsignedInt(entry.PolicyVersion))],
        };

        resource.Agent.Add(new AuditEvent.AgentComponent
        {
            Type = new CodeableConcept(Dicom, "110153", "Source Role ID", null),
            Who = new ResourceReference { Type = "Device", Identifier = new Identifier(FhirSystems.ClientSystem, OrNull(entry.ClientSystem)) },
            Requestor = isOfNobody && entry.Role == Role.SystemIntegration,
            Extension = isOfNobody ? [.. Under(entry)] : [],
        });
        resource.Agent.Add(new AuditEvent.AgentComponent
        {
            Type = new CodeableConcept(Dicom, "110152", "Destination Role ID", null),
            Who = new ResourceReference { Type = "Device", Display = "coordinationplan" },
            Requestor = false,
        });
        if (!isOfNobody)
        {
            resource.Agent.Add(new AuditEvent.AgentComponent
            {
                Type = new CodeableConcept("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP"),
                Role = entry.Role == Role.Unspecified ? [] : [new CodeableConcept { Coding = [FhirSystems.CodeOf(entry.Role)] }],
                Who = FhirSystems.ToEntry(entry.Employee),
                Requestor = true,
                Extension = [.. Under(entry)],
            });
        }

        if (entry.Subject.Length > 0)
        {
            resource.Entity.Add(new AuditEvent.EntityComponent
            {
                Type = new Coding(EntityTypes, "1"),
                Role = new Coding(EntityRoles, "1"),
                What = new ResourceReference { Type = "Patient", Identifier = new Identifier(FhirSystems.Subject, entry.Subject["subjects/".Length..]) },
            });
        }

        if (entry.Plan.Length > 0)
        {
            resource.Entity.Add(new AuditEvent.EntityComponent
            {
                Type = new Coding(EntityTypes, "2"),
                Role = new Coding(EntityRoles, "4"),
                What = To("CarePlan", CarePlanId(entry.Plan)),
                SecurityLabel = [.. entry.Categories.Select(category => FhirSystems.CodeOf(category))],
            });
        }

        if (entry.Resource.Length > 0)
        {
            resource.Entity.Add(new AuditEvent.EntityComponent
            {
                Type = new Coding(EntityTypes, "2"),
                What = new ResourceReference { Identifier = new Identifier(FhirSystems.ResourceName, entry.Resource) },
            });
        }

        if (entry.TraceId.Length > 0)
        {
            resource.Entity.Add(new AuditEvent.EntityComponent
            {
                Type = new Coding("https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType", "XrequestId"),
                What = new ResourceReference { Identifier = new Identifier(FhirSystems.TraceId, entry.TraceId) },
            });
        }

        return resource;
    }

    private static IEnumerable<Extension> Under(AccessLogEntry entry)
    {
        if (entry.Assignment.Length > 0)
        {
            yield return FhirSystems.Extension("assignment", new Identifier(FhirSystems.ResourceName, entry.Assignment));
        }

        if (entry.Unit.Length > 0)
        {
            yield return FhirSystems.Extension("unit", FhirSystems.ToEntry(entry.Unit));
        }
    }

    /// <summary>What FHIR calls the kind of RPC, by the contract's own way of naming them.</summary>
    private static (string Interaction, AuditEvent.AuditEventAction Action) InteractionOf(string method) =>
        StartsWithAny(method, "Get", "ReadEmergency") ? ("read", AuditEvent.AuditEventAction.R)
        : method.StartsWith("Dispose", StringComparison.Ordinal) ? ("delete", AuditEvent.AuditEventAction.D)
        : StartsWithAny(method, "List", "Find", "Search", "Compare", "Explain", "Check", "Pull", "Watch") ? ("search-type", AuditEvent.AuditEventAction.E)
        : StartsWithAny(method, "Create", "Add", "Record", "Open", "Call", "Suggest", "Issue", "Propose", "Declare", "Report") ? ("create", AuditEvent.AuditEventAction.C)
        : ("update", AuditEvent.AuditEventAction.U);

    private static bool StartsWithAny(string method, params ReadOnlySpan<string> words)
    {
        foreach (var word in words)
        {
            if (method.StartsWith(word, StringComparison.Ordinal))
            {
                return true;
            }
        }

        return false;
    }
}
