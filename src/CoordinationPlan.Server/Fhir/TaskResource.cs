using CoordinationPlan.V1;
using Hl7.Fhir.Model;
using static CoordinationPlan.Server.Fhir.FhirElements;
using R4Task = Hl7.Fhir.Model.Task;

namespace CoordinationPlan.Server.Fhir;

/// <summary>What a unit has to do, as a Task. docs/fhir.md lists which field becomes which element.</summary>
internal static class TaskResource
{
    public static R4Task Of(UnitTask task)
    {
        var resource = new R4Task
        {
            Id = task.Name[(task.Name.LastIndexOf('/') + 1)..],
            Status = task.State == TaskState.Done ? R4Task.TaskStatus.Completed : R4Task.TaskStatus.Requested,
            BusinessStatus = new CodeableConcept { Coding = [FhirSystems.CodeOf(task.State)] },
            Intent = R4Task.TaskIntent.Order,
            Code = new CodeableConcept { Coding = [FhirSystems.CodeOf(task.Kind)] },
            Focus = FocusOf(task.Subject),
        };
        if (task.DueDate is not null)
        {
            resource.Restriction = new R4Task.RestrictionComponent { Period = new Hl7.Fhir.Model.Period { End = Day(task.DueDate) } };
        }

        if (task.DoneDate is not null)
        {
            resource.ExecutionPeriod = new Hl7.Fhir.Model.Period { End = Day(task.DoneDate) };
        }

        if (task.Employee.Length > 0)
        {
            resource.Owner = FhirSystems.ToEntry(task.Employee);
        }

        resource.Meta = Meta(VersionIds.Of(resource));
        return resource;
    }

    private static ResourceReference FocusOf(string subject) => subject.Split('/') switch
    {
        ["plans", var plan] => To("CarePlan", plan),
        ["plans", _, "consents", _] => To("Consent", ConsentId(subject)),
        _ => new ResourceReference { Identifier = new Identifier(FhirSystems.ResourceName, subject) },
    };
}
