using CoordinationPlan.V1;
using Hl7.Fhir.Model;
using static CoordinationPlan.Server.Fhir.FhirElements;
using Consent = CoordinationPlan.V1.Consent;
using R4Consent = Hl7.Fhir.Model.Consent;

namespace CoordinationPlan.Server.Fhir;

/// <summary>A consent or a refusal as a Consent. docs/fhir.md lists which field becomes which element.</summary>
internal static class ConsentResource
{
    public static R4Consent Of(Plan plan, Consent consent)
    {
        var person = PersonOrNull(plan.Subject);
        var provision = new R4Consent.provisionComponent
        {
            Type = consent.State == ConsentState.Refused ? R4Consent.ConsentProvisionType.Deny : R4Consent.ConsentProvisionType.Permit,
            Period = PeriodOf(consent.Period),
            Actor = [.. consent.RecipientUnits.Select(ToRecipient)],
            Purpose = consent.Purpose == Purpose.Unspecified ? [] : [FhirSystems.CodeOf(consent.Purpose)],
            Code = [.. consent.Categories.Select(ToCode)],
            Data = [new R4Consent.provisionDataComponent { Meaning = R4Consent.ConsentDataMeaning.Related, Reference = To("CarePlan", CarePlanId(plan.Name)) }],
        };
        var resource = new R4Consent
        {
            Id = ConsentId(consent.Name),
            // Its state too, because that a consent has expired follows from the day.
            Meta = Meta(VersionIds.Of([(consent.Name, consent.Etag), ("state", consent.State.ToString())])),
            Status = consent.State switch
            {
                ConsentState.Given => R4Consent.ConsentState.Active,
                ConsentState.Refused => R4Consent.ConsentState.Rejected,
                ConsentState.Asked => R4Consent.ConsentState.Proposed,
                _ => R4Consent.ConsentState.Inactive,
            },
            Scope = new CodeableConcept("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy"),
            Category = [new CodeableConcept("http://loinc.org", "59284-0")],
            Patient = person,
            DateTimeElement = Moment(consent.RecordTime),
            // That lifts secrecy: a consent of the person's, which is never general.
            PolicyRule = new CodeableConcept { Text = "OSL (2009:400) 10 kap. 1 §, 12 kap. 2 §" },
            Provision = provision,
        };
        if (plan.OwningUnit.Length > 0)
        {
            resource.Organization.Add(FhirSystems.ToEntry(plan.OwningUnit));
        }

        if (consent.ExcludedCategories.Count > 0)
        {
            provision.Provision.Add(new R4Consent.provisionComponent
            {
                Type = R4Consent.ConsentProvisionType.Deny,
                Actor = [.. consent.RecipientUnits.Select(ToRecipient)],
                Code = [.. consent.ExcludedCategories.Select(ToCode)],
            });
        }

        if (consent.EvidenceReference.Length > 0)
        {
            resource.Source = new ResourceReference { Identifier = new Identifier(null, consent.EvidenceReference) };
        }

        if (consent.GivenBy == ConsentGiver.Self && person is not null)
        {
            resource.Performer.Add(person);
        }

        if (consent.Representative.Length > 0)
        {
            resource.Performer.Add(new ResourceReference { Display = consent.Representative });
        }

        resource.Extension.AddRange(Extensions(consent));
        return resource;
    }

    private static IEnumerable<Extension> Extensions(Consent consent)
    {
        yield return FhirSystems.Extension("consent-state", consent.State);
        if (consent.Form != ConsentForm.Unspecified)
        {
            yield return FhirSystems.Extension("consent-form", consent.Form);
        }

        if (consent.GivenBy != ConsentGiver.Unspecified)
        {
            yield return FhirSystems.Extension("given-by", consent.GivenBy);
        }

        if (consent.RecordedBy.Length > 0)
        {
            yield return FhirSystems.Extension("recorded-by", FhirSystems.ToEntry(consent.RecordedBy));
        }

        if (Moment(consent.WithdrawTime) is { } withdrawn)
        {
            yield return FhirSystems.Extension("withdraw-time", withdrawn);
        }

        if (consent.ChildsView.Length > 0)
        {
            yield return FhirSystems.Extension("childs-view", new FhirString(consent.ChildsView));
        }

        foreach (var guardian in consent.MissingGuardians)
        {
            yield return new Extension
            {
                Url = FhirSystems.Own + "missing-guardian",
                Extension = [new Extension("ground", new Code(Rpc.WireNames.Of(guardian.Ground))), new Extension("decision", new FhirString(guardian.DecisionReference))],
            };
        }
    }

    private static R4Consent.provisionActorComponent ToRecipient(string unit) => new()
    {
        Role = new CodeableConcept("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP"),
        Reference = FhirSystems.ToEntry(unit),
    };

    private static CodeableConcept ToCode(InformationCategory category) => new() { Coding = [FhirSystems.CodeOf(category)] };
}
