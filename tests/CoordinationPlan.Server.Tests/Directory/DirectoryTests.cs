using CoordinationPlan.Client;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Directory;
using CoordinationPlan.V1;
using Grpc.Core;

namespace CoordinationPlan.Server.Tests.Directory;

public sealed class DirectoryTests(Service service) : IClassFixture<Service>
{
    private static int _number;

    [Fact]
    public async Task A_revoked_assignment_opens_nothing_from_that_moment_and_never_again()
    {
        var assignment = await NewAssignment();
        var clients = service.As(service.Infrastructure.Choice(DemonstrationDirectory.UnitManager) with { Assignment = assignment.Name }, "case-system-social");
        await clients.Plans.ListPlansAsync(new());

        var revoked = assignment.Clone();
        revoked.Revoked = true;
        revoked = (await Administrator.PutAssignmentAsync(new() { Assignment = revoked, Etag = assignment.Etag, RequestId = Cases.NewId() })).Assignment;

        await clients.Plans.ListPlansAsync(new()).IsRefused();
        var restored = revoked.Clone();
        restored.Revoked = false;
        await Administrator.PutAssignmentAsync(new() { Assignment = restored, Etag = revoked.Etag, RequestId = Cases.NewId() })
            .Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
    }

    [Theory]
    [InlineData(-10, -1)]
    [InlineData(1, null)]
    public async Task An_assignment_opens_nothing_outside_its_period(int from, int? to)
    {
        var assignment = await NewAssignment(found => found.Period = Cases.Period(from, to));
        var clients = service.As(service.Infrastructure.Choice(DemonstrationDirectory.UnitManager) with { Assignment = assignment.Name }, "case-system-social");

        await clients.Plans.ListPlansAsync(new()).IsRefused();
    }

    [Fact]
    public async Task What_an_entry_is_cannot_be_changed_afterwards()
    {
        var unit = new V1.Unit { Name = NewName("units"), Organisation = Cases.City, Kind = UnitKind.ShelteredHousing, DisplayName = "Boende" };
        var put = (await Administrator.PutUnitAsync(new() { Unit = unit, Etag = "new", RequestId = Cases.NewId() })).Unit;
        var other = put.Clone();
        other.Kind = UnitKind.Support;

        var error = await Administrator.PutUnitAsync(new() { Unit = other, Etag = put.Etag, RequestId = Cases.NewId() }).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);

        Assert.Equal("unit.kind", error.FieldFaults().Single().Field);
    }

    [Fact]
    public async Task References_must_be_there()
    {
        await Administrator.PutUnitAsync(new()
        {
            Unit = new() { Name = NewName("units"), Organisation = Cases.City, Board = "boards/of-nobody", Kind = UnitKind.Support, DisplayName = "Enhet" },
            Etag = "new",
            RequestId = Cases.NewId(),
        }).Fails(StatusCode.FailedPrecondition, ErrorReason.UnknownReference);
        await Administrator.PutEmployeeAsync(new()
        {
            Employee = new() { Name = NewName("employees"), Organisation = "organisations/0000000000", DisplayName = "Ingen" },
            Etag = "new",
            RequestId = Cases.NewId(),
        }).Fails(StatusCode.FailedPrecondition, ErrorReason.UnknownReference);
    }

    [Fact]
    public async Task An_organisations_own_administrator_writes_its_own_entries_only()
    {
        var assignment = await NewAssignment(found =>
            (found.Role, found.Purposes[0], found.Unit) = (Role.DirectoryAdministrator, Purpose.Administration, Cases.UnitOf(DemonstrationDirectory.LogReviewer)));
        var choice = service.Infrastructure.Choice(DemonstrationDirectory.UnitManager) with { Assignment = assignment.Name, Purpose = Purpose.Administration };
        var own = service.As(choice, "case-system-social").Directory;

        await own.PutEmployeeAsync(Employee(Cases.City));
        await own.PutEmployeeAsync(Employee("organisations/" + DemonstrationDirectory.Region)).IsRefused();
        // Nor takes over one that another organisation has.
        var regions = Employee("organisations/" + DemonstrationDirectory.Region);
        var put = (await Administrator.PutEmployeeAsync(regions)).Employee;
        await own.PutEmployeeAsync(new() { Employee = new() { Name = put.Name, Organisation = Cases.City, DisplayName = "Övertagen" }, Etag = put.Etag, RequestId = Cases.NewId() }).IsRefused();
    }

    [Fact]
    public async Task Nobody_becomes_the_operator()
    {
        await Administrator.PutOrganisationAsync(new()
        {
            Organisation = new() { Name = NewName("organisations"), Kind = OrganisationKind.Operator, DisplayName = "Annan drift" },
            Etag = "new",
            RequestId = Cases.NewId(),
        }).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        Assert.False(await Bootstrap.Run(service.Database.AdministratorConnectionString, DemonstrationDirectory.Operator, service.Infrastructure.OpenKeyRing(), TimeProvider.System, default));
    }

    [Fact]
    public async Task An_assignment_is_an_employees_or_a_systems()
    {
        foreach (var change in new Action<Assignment>[]
        {
            found => found.Employee = "",
            found => found.ClientSystem = "region-integration",
            found => found.Role = Role.SystemIntegration,
        })
        {
            var error = await Assert.ThrowsAsync<RpcException>(() => NewAssignment(change));
            Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        }
    }

    [Fact]
    public async Task Units_are_paged_and_each_comes_once()
    {
        var units = new List<string>();
        var token = "";
        do
        {
            var page = await service.CaseWorker.Directory.ListUnitsAsync(new() { PageSize = 7, PageToken = token, Organisation = Cases.City });
            units.AddRange(page.Units.Select(unit => unit.Name));
            token = page.NextPageToken;
        }
        while (token.Length > 0);

        Assert.True(units.Count > 20);
        Assert.Equal(units.Distinct().Count(), units.Count);
    }

    private V1.DirectoryService.DirectoryServiceClient Administrator => service.As(DemonstrationDirectory.Administrator).Directory;

    private static string NewName(string collection) => $"{collection}/d{Interlocked.Increment(ref _number)}";

    private static PutEmployeeRequest Employee(string organisation) => new()
    {
        Employee = new() { Name = NewName("employees"), Organisation = organisation, DisplayName = "Medarbetare" },
        Etag = "new",
        RequestId = Cases.NewId(),
    };

    private async Task<Assignment> NewAssignment(Action<Assignment>? change = null)
    {
        var assignment = new Assignment
        {
            Name = NewName("assignments"),
            Employee = "employees/" + DemonstrationDirectory.UnitManager.Id,
            Unit = Cases.UnitOf(DemonstrationDirectory.UnitManager),
            Role = Role.SocialCaseWorker,
            Purposes = { Purpose.SocialServicesCase },
            Period = Cases.HalfAYear,
        };
        change?.Invoke(assignment);
        return (await Administrator.PutAssignmentAsync(new() { Assignment = assignment, Etag = "new", RequestId = Cases.NewId() })).Assignment;
    }
}
