using CoordinationPlan.V1;
using Hl7.Fhir.Model;
using static CoordinationPlan.Server.Fhir.FhirElements;
using Goal = CoordinationPlan.V1.Goal;
using R4Goal = Hl7.Fhir.Model.Goal;

namespace CoordinationPlan.Server.Fhir;

/// <summary>A plan as a CarePlan. docs/fhir.md lists which field becomes which element.</summary>
internal static class CarePlanResource
{
    /// <summary>The plan as it is now.</summary>
    public static CarePlan Of(Plan plan)
    {
        var meta = Meta(null);
        var resource = Map(plan, meta);
        meta.VersionId = VersionIds.Of(resource);
        return resource;
    }

    /// <summary>A plan in a list: its frame, which is not all of it, for everybody alike.</summary>
    public static CarePlan Listed(Plan plan)
    {
        var meta = Meta(null);
        meta.Tag = [Subsetted];
        return Map(plan, meta);
    }

    /// <summary>An established revision. Who the person is, participations and consents are no part of one.</summary>
    public static CarePlan Revision(Plan plan, string versionId)
    {
        var meta = Meta(versionId);
        meta.Tag = [Subsetted];
        return Map(plan, meta);
    }

    private static CarePlan Map(Plan plan, Meta meta)
    {
        var person = Person(plan.Subject);
        var goals = plan.Goals.Select(goal => ToGoal(goal, person)).ToList();
        var goalIds = plan.Goals.Select(goal => LastOf(goal.Name)).ToHashSet();
        var resource = new CarePlan
        {
            Id = CarePlanId(plan.Name),
            Meta = meta,
            Status = StatusOf(plan),
            Intent = CarePlan.CarePlanIntent.Plan,
            Category = [new CodeableConcept { Coding = [new Coding(FhirSystems.Own + "care-plan-category", "SIP")], Text = "Samordnad individuell plan" }],
            Subject = person,
            Contained = [.. goals],
            Goal = [.. goals.Select(goal => new ResourceReference("#" + goal.Id))],
            Activity = [.. plan.Interventions.Select(intervention => ToActivity(intervention, goalIds)), .. plan.OtherMeasures.Select(ToActivity)],
            Note = [.. Narratives(plan), .. plan.ProtectionMeasures.Select(ToNote)],
            SupportingInfo = [.. plan.Consents.Select(consent => To("Consent", ConsentId(consent.Name))), .. plan.RelatedPlans.Select(ToReference)],
        };
        if (plan.CaseNumber.Length > 0)
        {
            resource.Identifier.Add(new Identifier(FhirSystems.CaseNumber, plan.CaseNumber));
        }

        if (plan.EstablishedDate is not null || plan.ClosedDate is not null)
        {
            resource.Period = new Hl7.Fhir.Model.Period { Start = DayOrNull(plan.EstablishedDate), End = DayOrNull(plan.ClosedDate) };
        }

        if (plan.OwningUnit.Length > 0)
        {
            // Whoever is told whose plan it is, is told who takes part, and nobody else is pointed there.
            resource.Author = FhirSystems.ToEntry(plan.OwningUnit);
            resource.CareTeam.Add(To("CareTeam", CarePlanId(plan.Name)));
        }

        if (plan.Coordinator.Length > 0)
        {
            resource.Contributor.Add(FhirSystems.ToEntry(plan.Coordinator));
        }

        resource.Extension.AddRange(Extensions(plan));
        return resource;
    }

    private static RequestStatus StatusOf(Plan plan) => plan.State switch
    {
        PlanState.Established or PlanState.InFollowUp => RequestStatus.Active,
        PlanState.Closed => plan.ClosingReason is PlanClosingReason.GoalsReached or PlanClosingReason.NoLongerNeeded ? RequestStatus.Completed : RequestStatus.Revoked,
        PlanState.Refused or PlanState.Declined => RequestStatus.Revoked,
        _ => RequestStatus.Draft,
    };

    private static IEnumerable<Extension> Extensions(Plan plan)
    {
        if (plan.State != PlanState.Unspecified)
        {
            yield return FhirSystems.Extension("plan-state", plan.State);
        }

        if (plan.ClosingReason != PlanClosingReason.Unspecified)
        {
            yield return FhirSystems.Extension("closing-reason", plan.ClosingReason);
        }

        if (plan.DeclineReason != PlanDeclineReason.Unspecified)
        {
            yield return FhirSystems.Extension("decline-reason", plan.DeclineReason);
        }

        if (plan.DeclineReference.Length > 0)
        {
            yield return FhirSystems.Extension("decline-reference", new FhirString(plan.DeclineReference));
        }

        if (plan.Revision > 0)
        {
            yield return FhirSystems.Extension("revision", new PositiveInt(plan.Revision));
        }

        if (plan.LegalBasis.Length > 0)
        {
            yield return FhirSystems.Extension("legal-basis", new FhirString(plan.LegalBasis));
        }

        if (plan.LeadPrincipal.Length > 0)
        {
            yield return FhirSystems.Extension("lead-principal", FhirSystems.ToEntry(plan.LeadPrincipal));
        }

        if (plan.NoOtherMeasures)
        {
            yield return FhirSystems.Extension("no-other-measures", new FhirBoolean(true));
        }

        if (plan.FollowUpDate is not null)
        {
            yield return FhirSystems.Extension("follow-up-date", new Hl7.Fhir.Model.Date(Day(plan.FollowUpDate)));
        }
    }

    private static IEnumerable<Annotation> Narratives(Plan plan)
    {
        foreach (var (kind, text) in new[]
        {
            ("what-matters", plan.WhatMatters), ("needs", plan.Needs), ("resources", plan.Resources), ("social-situation", plan.SocialSituation),
            ("health-situation", plan.HealthSituation), ("childs-own-words", plan.ChildsOwnWords),
        })
        {
            if (text.Length > 0)
            {
                yield return Note(kind, text);
            }
        }
    }

    private static Annotation Note(string kind, string text) =>
        new() { Text = text, Extension = [FhirSystems.Extension("note-kind", new Code(kind))] };

    private static Annotation ToNote(ProtectionMeasure measure)
    {
        var note = Note("protection-measure", measure.Instruction);
        if (measure.State != ItemState.Unspecified)
        {
            note.Extension.Add(FhirSystems.Extension("item-state", measure.State));
        }

        if (measure.Unit.Length > 0)
        {
            note.Extension.Add(FhirSystems.Extension("unit", FhirSystems.ToEntry(measure.Unit)));
        }

        if (measure.Outcome.Length > 0)
        {
            note.Extension.Add(FhirSystems.Extension("outcome", new FhirString(measure.Outcome)));
        }

        return note;
    }

    private static ResourceReference ToReference(RelatedPlan plan)
    {
        var reference = new ResourceReference { Display = OrNull(plan.Owner) };
        if (plan.Reference.Length > 0)
        {
            reference.Identifier = new Identifier(null, plan.Reference);
        }

        reference.Extension.Add(FhirSystems.Extension("related-plan-kind", plan.Kind));
        reference.Extension.Add(FhirSystems.Extension("item-state", plan.State));
        if (plan.Outcome.Length > 0)
        {
            reference.Extension.Add(FhirSystems.Extension("outcome", new FhirString(plan.Outcome)));
        }

        return reference;
    }

    private static R4Goal ToGoal(Goal goal, ResourceReference person)
    {
        var resource = new R4Goal
        {
            Id = LastOf(goal.Name),
            LifecycleStatus = goal.State switch
            {
                ItemState.Completed => R4Goal.GoalLifecycleStatus.Completed,
                ItemState.Discontinued => R4Goal.GoalLifecycleStatus.Cancelled,
                _ => R4Goal.GoalLifecycleStatus.Active,
            },
            Description = new CodeableConcept { Text = goal.Title },
            Subject = person,
            Target = goal.TargetDate is null ? [] : [new R4Goal.TargetComponent { Due = new Hl7.Fhir.Model.Date(Day(goal.TargetDate)) }],
            Category = goal.Horizon == GoalHorizon.Unspecified ? [] : [new CodeableConcept { Coding = [FhirSystems.CodeOf(goal.Horizon)] }],
        };
        foreach (var (kind, text) in new[] { ("description", goal.Description), ("own-words", goal.OwnWords), ("outcome", goal.Outcome) })
        {
            if (text.Length > 0)
            {
                resource.Note.Add(Note(kind, text));
            }
        }

        return resource;
    }

    private static CarePlan.ActivityComponent ToActivity(Intervention intervention, HashSet<string> goals)
    {
        var detail = Detail(intervention.Title, intervention.Description, intervention.State, intervention.Codes.Select(ToCoding));
        detail.Goal = [.. intervention.Goals.Select(LastOf).Where(goals.Contains).Select(goal => new ResourceReference("#" + goal))];
        detail.Scheduled = PeriodOf(intervention.Period);
        foreach (var performer in new[] { intervention.ResponsibleUnit, intervention.ContactPerson }.Where(performer => performer.Length > 0))
        {
            detail.Performer.Add(FhirSystems.ToEntry(performer));
        }

        var activity = Activity("intervention", intervention.Name, intervention.Outcome, detail);

        if (intervention.ResponsiblePrincipal.Length > 0)
        {
            activity.Extension.Add(FhirSystems.Extension("responsible-principal", FhirSystems.ToEntry(intervention.ResponsiblePrincipal)));
        }

        return activity;
    }

    private static CarePlan.ActivityComponent ToActivity(OtherMeasure measure)
    {
        var detail = Detail(measure.Title, measure.Description, measure.State, []);
        if (measure.TakenBy.Length > 0)
        {
            detail.Performer.Add(new ResourceReference { Display = measure.TakenBy });
        }

        return Activity("other-measure", measure.Name, measure.Outcome, detail);
    }

    private static CarePlan.ActivityComponent Activity(string kind, string name, string outcome, CarePlan.DetailComponent detail) => new()
    {
        ElementId = LastOf(name),
        Extension = [FhirSystems.Extension("activity-kind", new Code(kind))],
        Progress = outcome.Length > 0 ? [new Annotation { Text = outcome }] : [],
        Detail = detail,
    };

    private static CarePlan.DetailComponent Detail(string title, string description, ItemState state, IEnumerable<Coding> codes) => new()
    {
        Status = state switch
        {
            ItemState.Completed => CarePlan.CarePlanActivityStatus.Completed,
            ItemState.Discontinued => CarePlan.CarePlanActivityStatus.Stopped,
            _ => CarePlan.CarePlanActivityStatus.InProgress,
        },
        Code = new CodeableConcept { Coding = [.. codes], Text = OrNull(title) },
        Description = OrNull(description),
    };

    private static Coding ToCoding(ClassificationCode code) =>
        new(code.System == Classification.Kva ? FhirSystems.Kva : FhirSystems.Own + "classification:" + Rpc.WireNames.Of(code.System), code.Code);

    private static string LastOf(string name) => name[(name.LastIndexOf('/') + 1)..];
}
