using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Grpc.Core;

namespace CoordinationPlan.Server.Routines;

/// <summary>The boards' routines for schooling. What each RPC does and who may call it stands in school_routine_service.proto.</summary>
internal sealed class SchoolRoutineService(CaseGate gate, DirectoryNames names, TimeProvider time) : V1.SchoolRoutineService.SchoolRoutineServiceBase
{
    public override Task<RegisterSchoolRoutineResponse> RegisterSchoolRoutine(RegisterSchoolRoutineRequest request, ServerCallContext context)
    {
        var routine = request.SchoolRoutine;
        var (decidedOn, validTo) = (routine.DecideDate.ToDateOnly(), routine.ValidToDate.ToDateOnly());
        RequireInOrder(decidedOn, validTo);
        var assignment = CallerIdentity.Of(context, names).AssignmentId;
        return gate.Change(
            request,
            context,
            null,
            trip =>
            {
                trip.Add(RoutineSql.LockOwn(assignment));
                return trip.Add(RoutineSql.LatestOfOwn(assignment));
            },
            (entry, latest, trip) =>
            {
                // Whose it is follows from where the caller works, so that nobody registers for another board.
                var controller = entry.CallerFacts.Controller;
                Entry.RequireEtag(request.Etag, RoutineRecord.EtagOf(controller, latest.Version));
                var record = new RoutineRecord(
                    controller, latest.Version + 1, routine.Reference, routine.Form, routine.DecisionLevel, routine.Decider, decidedOn, validTo, entry.Now);
                trip.Add(RoutineSql.Insert(record, names, entry.ChangedBy));
                entry.Concern(controller, controller);
                return new RegisterSchoolRoutineResponse { SchoolRoutine = record.ToSchoolRoutine(names), Etag = RoutineRecord.EtagOf(controller, record.Version) };
            });
    }

    public override Task<ListSchoolRoutinesResponse> ListSchoolRoutines(ListSchoolRoutinesRequest request, ServerCallContext context)
    {
        var named = request.Authority.Length == 0 ? null : StoredAuthority(request.Authority);
        return gate.Read(request, context, null, (entry, trip) =>
        {
            var controller = named ?? entry.CallerFacts.Controller;
            var routines = trip.Add(RoutineSql.Of(controller, names));
            return Task.FromResult(() => new ListSchoolRoutinesResponse
            {
                SchoolRoutines = { routines.Value.Select(routine => routine.ToSchoolRoutine(names)) },
                Etag = RoutineRecord.EtagOf(controller, routines.Value.Count == 0 ? 0 : routines.Value[0].Version),
            });
        });
    }

    public override Task<GetSchoolRoutineIndicatorResponse> GetSchoolRoutineIndicator(GetSchoolRoutineIndicatorRequest request, ServerCallContext context)
    {
        var named = names.ParseOptional(request.Organisation, ResourceName.Organisations, "organisation");
        var day = request.Date?.ToDateOnly() ?? time.Today();
        if (day > time.Today())
        {
            throw Errors.InvalidFields(new FieldFault("date", "must not be in the future"));
        }

        return gate.Read(request, context, null, (entry, trip) =>
        {
            var organisation = named ?? entry.CallerFacts.OrganisationId;
            var due = trip.Add(RoutineSql.Due(organisation));
            var routines = trip.Add(RoutineSql.OfOrganisation(organisation, names));
            return Task.FromResult(() => new GetSchoolRoutineIndicatorResponse
            {
                SchoolRoutineIndicator = RoutineIndicator.Of(names.Name(ResourceName.Organisations, organisation), day, due.Value, routines.Value, names.NameOf),
            });
        });
    }

    private void RequireInOrder(DateOnly decidedOn, DateOnly validTo)
    {
        var faults = new List<FieldFault>();
        if (decidedOn > time.Today())
        {
            faults.Add(new FieldFault("school_routine.decide_date", "must not be in the future"));
        }

        if (validTo < decidedOn)
        {
            faults.Add(new FieldFault("school_routine.valid_to_date", "must not be before decide_date"));
        }

        if (faults.Count > 0)
        {
            throw Errors.InvalidFields(faults);
        }
    }

    private string StoredAuthority(string authority) =>
        ResourceName.TryParseEntry(authority, ResourceName.Boards) is not null || ResourceName.TryParseEntry(authority, ResourceName.Organisations) is not null
            ? names.StoredName(authority)
            : throw Errors.InvalidFields(new FieldFault("authority", "must be a name of the form boards/{id} or organisations/{id}"));
}
