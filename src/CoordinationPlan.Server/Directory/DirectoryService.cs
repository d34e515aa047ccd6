using System.Text;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Hosting;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Grpc.Core;
using Role = CoordinationPlan.V1.Role;
using UnitKind = CoordinationPlan.Policy.UnitKind;

namespace CoordinationPlan.Server.Directory;

/// <summary>Who is who. What each RPC does and who may call it stands in directory_service.proto.</summary>
internal sealed class DirectoryService(CaseGate gate, PageTokens pageTokens, ServiceKeys keys, TestPersons testPersons) : V1.DirectoryService.DirectoryServiceBase
{
    private readonly DirectoryNames _names = keys.Names;

    /// <summary>The etag of an entry that is not there yet.</summary>
    private const string NewEtag = "new";
    private const int DefaultPageSize = 100;
    private const int MaxPageSize = 500;

    public override Task<ListUnitsResponse> ListUnits(ListUnitsRequest request, ServerCallContext context)
    {
        var organisationId = _names.ParseOptional(request.Organisation, ResourceName.Organisations, "organisation");
        var pageSize = request.PageSize == 0 ? DefaultPageSize : Math.Min(request.PageSize, MaxPageSize);
        return gate.Read(request, context, null, (entry, trip) =>
        {
            var after = pageTokens.Open(request.PageToken, entry.Caller.AssignmentId!, request) is { } position ? Encoding.UTF8.GetString(position) : "";
            var found = trip.Add(DirectorySql.Units(_names, organisationId, MayKnowShelters(entry.CallerFacts), entry.CallerFacts, after, pageSize + 1));
            return Task.FromResult(() =>
            {
                var response = new ListUnitsResponse();
                response.Units.AddRange(found.Value.Take(pageSize));
                if (found.Value.Count > pageSize)
                {
                    var last = _names.Stored(ResourceName.Units, response.Units[^1].Name[(ResourceName.Units.Length + 1)..]);
                    response.NextPageToken = pageTokens.Seal(Encoding.UTF8.GetBytes(last), entry.Caller.AssignmentId!, request);
                }

                return response;
            });
        });
    }

    public override Task<PutOrganisationResponse> PutOrganisation(PutOrganisationRequest request, ServerCallContext context)
    {
        var id = _names.Parse(request.Organisation.Name, ResourceName.Organisations, "organisation.name");
        return gate.Change(
            request,
            context,
            null,
            trip => trip.Add(DirectorySql.FindOrganisation(_names, id)),
            (entry, found, trip) =>
            {
                // The operator's own kind is given once, by the command that prepares the database.
                if (request.Organisation.Kind == OrganisationKind.Operator && found.Current?.Kind != OrganisationKind.Operator)
                {
                    throw Errors.InvalidFields(new FieldFault("organisation.kind", "cannot become OPERATOR"));
                }

                RequireUnchanged(found.Current is { } current && current.Kind != request.Organisation.Kind, "organisation.kind");
                var version = NextVersion(request.Organisation.Name, request.Etag, found, "organisation");
                trip.Add(DirectorySql.Put(_names, id, request.Organisation, version, entry.ChangedBy));
                var put = request.Organisation.Clone();
                put.Etag = Etag.Of(put.Name, version);
                entry.Concern(_names.StoredName(put.Name), _names.StoredName(request.Organisation.Name));
                return new PutOrganisationResponse { Organisation = put };
            },
            _names.StoredName(request.Organisation.Name));
    }

    public override Task<PutBoardResponse> PutBoard(PutBoardRequest request, ServerCallContext context)
    {
        var id = _names.Parse(request.Board.Name, ResourceName.Boards, "board.name");
        var organisationId = _names.Parse(request.Board.Organisation, ResourceName.Organisations, "board.organisation");
        return gate.Change(
            request,
            context,
            null,
            trip => trip.Add(DirectorySql.FindBoard(_names, id, organisationId)),
            (entry, found, trip) =>
            {
                RequireUnchanged(found.Current is { } current && current.Organisation != request.Board.Organisation, "board.organisation");
                var version = NextVersion(request.Board.Name, request.Etag, found, "board.organisation");
                trip.Add(DirectorySql.Put(_names, id, organisationId, request.Board, version, entry.ChangedBy));
                var put = request.Board.Clone();
                put.Etag = Etag.Of(put.Name, version);
                entry.Concern(_names.StoredName(put.Name), _names.StoredName(request.Board.Name));
                return new PutBoardResponse { Board = put };
            },
            _names.StoredName(request.Board.Name));
    }

    public override Task<PutUnitResponse> PutUnit(PutUnitRequest request, ServerCallContext context)
    {
        var id = _names.Parse(request.Unit.Name, ResourceName.Units, "unit.name");
        var organisationId = _names.Parse(request.Unit.Organisation, ResourceName.Organisations, "unit.organisation");
        var boardId = _names.ParseOptional(request.Unit.Board, ResourceName.Boards, "unit.board");
        RequireCode(request.Unit);
        return gate.Change(
            request,
            context,
            null,
            trip => trip.Add(DirectorySql.FindUnit(_names, id, organisationId, boardId)),
            (entry, found, trip) =>
            {
                RequireUnchanged(found.Current is { } current && current.Organisation != request.Unit.Organisation, "unit.organisation");
                RequireUnchanged(found.Current is { } same && same.Board != request.Unit.Board, "unit.board");
                RequireUnchanged(found.Current is { } one && one.Kind != request.Unit.Kind, "unit.kind");
                var version = NextVersion(request.Unit.Name, request.Etag, found, "unit");
                trip.Add(DirectorySql.Put(_names, id, organisationId, boardId, request.Unit, version, entry.ChangedBy));
                var put = request.Unit.Clone();
                put.Etag = Etag.Of(put.Name, version);
                entry.Concern(_names.StoredName(put.Name), _names.StoredName(boardId is null ? request.Unit.Organisation : request.Unit.Board));
                return new PutUnitResponse { Unit = put };
            },
            _names.StoredName(request.Unit.Name));
    }

    public override Task<PutEmployeeResponse> PutEmployee(PutEmployeeRequest request, ServerCallContext context)
    {
        var id = _names.Parse(request.Employee.Name, ResourceName.Employees, "employee.name");
        var organisationId = _names.Parse(request.Employee.Organisation, ResourceName.Organisations, "employee.organisation");
        var number = request.Employee.IdentityNumber;
        if (number is not null)
        {
            testPersons.Require(number, "employee.identity_number.value");
        }
        return gate.Change(
            request,
            context,
            null,
            trip => trip.Add(DirectorySql.FindEmployee(_names, id, organisationId)),
            (entry, found, trip) =>
            {
                RequireUnchanged(found.Current is { } current && current.Organisation != request.Employee.Organisation, "employee.organisation");
                var version = NextVersion(request.Employee.Name, request.Etag, found, "employee.organisation");
                trip.Add(DirectorySql.Put(_names, id, organisationId, request.Employee, number is null ? null : keys.IndexOf(number), version, entry.ChangedBy));
                var put = request.Employee.Clone();
                put.IdentityNumber = null;
                put.Etag = Etag.Of(put.Name, version);
                entry.Concern(_names.StoredName(put.Name), _names.StoredName(request.Employee.Organisation));
                return new PutEmployeeResponse { Employee = put };
            },
            _names.StoredName(request.Employee.Name));
    }

    public override Task<PutAssignmentResponse> PutAssignment(PutAssignmentRequest request, ServerCallContext context)
    {
        var assignment = request.Assignment;
        var id = _names.Parse(assignment.Name, ResourceName.Assignments, "assignment.name");
        var unitId = _names.Parse(assignment.Unit, ResourceName.Units, "assignment.unit");
        var employeeId = _names.ParseOptional(assignment.Employee, ResourceName.Employees, "assignment.employee");
        if (employeeId is null == (assignment.ClientSystem.Length == 0))
        {
            throw Errors.InvalidFields(new FieldFault("assignment.employee", "exactly one of employee and client_system must be set"));
        }

        if (assignment.ClientSystem.Length > 0 != (assignment.Role == Role.SystemIntegration))
        {
            throw Errors.InvalidFields(new FieldFault("assignment.role", "SYSTEM_INTEGRATION is the role of systems, and the only one"));
        }

        return gate.Change(
            request,
            context,
            null,
            trip => trip.Add(DirectorySql.FindAssignment(_names, id, unitId, employeeId)),
            (entry, found, trip) =>
            {
                if (employeeId is not null && employeeId == entry.Caller.EmployeeId)
                {
                    throw Errors.InvalidFields(new FieldFault("assignment.employee", "nobody gives himself an assignment; another administrator does"));
                }

                RequireUnchanged(
                    found.Current is { } current && (current.Employee != assignment.Employee || current.ClientSystem != assignment.ClientSystem),
                    "assignment.employee");
                RequireUnchanged(found.Current is { } same && same.Unit != assignment.Unit, "assignment.unit");
                RequireUnchanged(found.Current is { } one && one.Role != assignment.Role, "assignment.role");
                if (found.ReferencesExist && !Fits(assignment.Role, found.UnitKind))
                {
                    throw Errors.InvalidFields(new FieldFault("assignment.role", "is not a role of such a unit"));
                }

                RequireUnchanged(found.Current is { Revoked: true } && !assignment.Revoked, "assignment.revoked");
                var version = NextVersion(assignment.Name, request.Etag, found, "assignment");
                trip.Add(DirectorySql.Put(_names, id, unitId, employeeId, assignment, version, entry.ChangedBy));
                var put = assignment.Clone();
                put.Etag = Etag.Of(put.Name, version);
                entry.Concern(_names.StoredName(put.Name), found.Controller);
                return new PutAssignmentResponse { Assignment = put };
            },
            _names.StoredName(assignment.Name));
    }

    /// <summary>A role is what its unit does: nobody is a social case worker at a school.</summary>
    private static bool Fits(Role role, V1.UnitKind unit) => role switch
    {
        Role.SocialCaseWorker => unit == V1.UnitKind.SocialServices,
        Role.HealthCareProfessional or Role.NamedCareContact => unit == V1.UnitKind.HealthCare,
        Role.SchoolContact => unit == V1.UnitKind.School,
        Role.ShelterContactPerson => unit == V1.UnitKind.ShelteredHousing,
        Role.SupportProvider => unit == V1.UnitKind.Support,
        Role.DirectoryAdministrator or Role.LogReviewer or Role.DataProtectionOfficer or Role.Statistician => unit == V1.UnitKind.Administration,
        _ => true,
    };

    private static void RequireCode(V1.Unit unit)
    {
        if (unit.SchoolUnitCode.Length > 0 && (unit.Kind != V1.UnitKind.School || unit.SchoolUnitCode.Length != 8 || !unit.SchoolUnitCode.All(char.IsAsciiDigit)))
        {
            throw Errors.InvalidFields(new FieldFault("unit.school_unit_code", "must be eight digits, and is for a unit of kind SCHOOL"));
        }
    }

    /// <summary>Where somebody hides is for those who place people there, and for the operator, who keeps the directory.</summary>
    private static bool MayKnowShelters(CallerFacts caller) => caller switch
    {
        { UnitKind: UnitKind.SocialServices, Role: Policy.Role.SocialCaseWorker or Policy.Role.UnitManager } => true,
        { Role: Policy.Role.DirectoryAdministrator, OrganisationKind: OrganisationKind.Operator } => true,
        _ => false,
    };

    /// <summary>The version after this change, which must be made from the current one, and must not refer to what is not there.</summary>
    private static int NextVersion<T>(string name, string etag, Found<T> found, string referringField)
        where T : class
    {
        Entry.RequireEtag(etag, found.Current is null ? NewEtag : Etag.Of(name, found.Version));
        if (!found.ReferencesExist)
        {
            throw Errors.UnknownReference(referringField, "refers to an organisation, board, unit or employee that is not in the directory");
        }

        return found.Version + 1;
    }

    private static void RequireUnchanged(bool changed, string field)
    {
        if (changed)
        {
            throw Errors.InvalidFields(new FieldFault(field, "cannot be changed"));
        }
    }
}
