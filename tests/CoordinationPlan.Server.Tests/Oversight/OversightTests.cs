using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.V1;

namespace CoordinationPlan.Server.Tests.Oversight;

/// <summary>Who can read, what is found, and what is heard of.</summary>
public sealed class OversightTests(Service service) : IClassFixture<Service>
{
    [Fact]
    public async Task The_explanation_says_just_who_can_read_and_by_what()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        await service.Join(plan, DemonstrationDirectory.PrimaryCare);
        await service.Join(plan, DemonstrationDirectory.ChildPsychiatry);
        await service.Consent(plan, DemonstrationDirectory.PrimaryCare, [InformationCategory.Health]);

        var readers = await Explain(DemonstrationDirectory.UnitManager, plan, 1);

        Assert.Equal(
            new[]
            {
                (DemonstrationDirectory.CaseWorker.Id, "OWNING_UNIT"), (DemonstrationDirectory.UnitManager.Id, "OWNING_UNIT"), (DemonstrationDirectory.NewCaseWorker.Id, "OWNING_UNIT"),
                (DemonstrationDirectory.PrimaryCare.Id, "RELEASE"),
            }.Order(),
            readers.Select(reader => (reader.Employee["employees/".Length..], reader.Basis)).Order());
        Assert.Equal(
            [InformationCategory.Existence, InformationCategory.Health],
            readers.Single(reader => reader.Basis == "RELEASE").Categories);

        await service.Protect(plan, ProtectionLevel.ConfidentialityMarked);
        await service.BlockEmployee(plan, DemonstrationDirectory.PrimaryCare);
        Assert.Equal(
            new[] { DemonstrationDirectory.CaseWorker.Id, DemonstrationDirectory.UnitManager.Id }.Order(),
            (await Explain(DemonstrationDirectory.UnitManager, plan, 500)).Select(reader => reader.Employee["employees/".Length..]).Order());
        // The data protection officer of the board asks the same, and reads nothing of the plan.
        Assert.Equal(2, (await Explain(DemonstrationDirectory.DataProtectionOfficer, plan, 500)).Count);
        await service.As(DemonstrationDirectory.DataProtectionOfficer).Plans.GetPlanAsync(new() { Name = plan.Name }).IsRefused();
        await service.CaseWorker.Oversight.ExplainAccessAsync(new() { Parent = plan.Name }).IsRefused();
    }

    [Fact]
    public async Task What_a_caller_may_do_now_is_what_it_can_do()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        Assert.Contains(Act.UpdatePlan, plan.PermittedActs);
        Assert.DoesNotContain(Act.DisposeSubject, plan.PermittedActs);
        Assert.DoesNotContain(Act.ExplainAccess, plan.PermittedActs);
        Assert.Contains(Act.ExplainAccess, (await service.Read(DemonstrationDirectory.UnitManager, plan)).PermittedActs);
        var closed = (await service.CaseWorker.Plans.ClosePlanAsync(new() { Name = plan.Name, Reason = PlanClosingReason.Moved, Etag = plan.Etag, RequestId = Cases.NewId() })).Plan;
        Assert.DoesNotContain(Act.UpdatePlan, closed.PermittedActs);
        Assert.Contains(Act.WithdrawConsent, closed.PermittedActs);
        Assert.Contains(Act.DisposeSubject, (await service.Read(DemonstrationDirectory.UnitManager, plan)).PermittedActs);
    }

    [Fact]
    public async Task A_person_is_found_by_number_or_full_name_exactly_and_only_by_those_who_may_know()
    {
        var person = Cases.NewPerson();
        person.GivenName = "Ann-Sofí" + person.GivenName;
        var plan = await service.OpenPlan(person);
        foreach (var search in new[]
        {
            new FindPlansRequest { IdentityNumber = person.IdentityNumber },
            new FindPlansRequest { GivenName = person.GivenName, FamilyName = person.FamilyName },
            new FindPlansRequest { GivenName = person.GivenName.ToUpperInvariant().Replace("-", " ", StringComparison.Ordinal), FamilyName = person.FamilyName },
        })
        {
            Assert.Equal([plan.Name], (await service.CaseWorker.Plans.FindPlansAsync(search)).Plans.Select(found => found.Name));
            Assert.Empty((await service.As(DemonstrationDirectory.OtherCaseWorker).Plans.FindPlansAsync(search)).Plans);
        }

        foreach (var search in new[]
        {
            new FindPlansRequest(), new FindPlansRequest { FamilyName = person.FamilyName }, new FindPlansRequest { GivenName = person.GivenName },
            new FindPlansRequest { IdentityNumber = person.IdentityNumber, GivenName = "a", FamilyName = "b" },
        })
        {
            await service.CaseWorker.Plans.FindPlansAsync(search).Fails(Grpc.Core.StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        }
    }

    [Fact]
    public async Task A_plan_is_found_by_its_case_number_by_those_who_may_know_whose_case_it_is()
    {
        var number = "SN 2026/" + Cases.NewId()[24..];
        var plan = (await service.CaseWorker.Plans.CreatePlanAsync(new() { Plan = new() { Subject = Cases.NewPerson(), CaseNumber = number }, RequestId = Cases.NewId() })).Plan;
        Assert.Equal(number, plan.CaseNumber);
        await service.Join(plan, DemonstrationDirectory.PrimaryCare);
        await service.Join(plan, DemonstrationDirectory.ChildPsychiatry);
        await service.Consent(plan, DemonstrationDirectory.PrimaryCare, [InformationCategory.Identity]);
        await service.Consent(plan, DemonstrationDirectory.ChildPsychiatry, [InformationCategory.Meetings]);

        Assert.Equal([plan.Name], await Find(DemonstrationDirectory.CaseWorker, number.Replace(" ", "", StringComparison.Ordinal).ToLowerInvariant()));
        Assert.Equal([plan.Name], await Find(DemonstrationDirectory.ChildPsychiatry, number));
        Assert.Empty(await Find(DemonstrationDirectory.PrimaryCare, number));
        Assert.Equal("", (await service.Read(DemonstrationDirectory.PrimaryCare, plan)).CaseNumber);
        Assert.Empty(await Find(DemonstrationDirectory.OtherCaseWorker, number));
        Assert.Empty(await Find(DemonstrationDirectory.CaseWorker, number[..^1]));
        Assert.DoesNotContain(number, await service.Dump(), StringComparison.OrdinalIgnoreCase);

        // Another number, and none: what is written last is what it is found by. The coordinator, of the same category, leaves it as it is.
        var moved = await Update("SN 2027/" + number[8..], "case_number");
        Assert.Empty(await Find(DemonstrationDirectory.CaseWorker, number));
        Assert.Equal([plan.Name], await Find(DemonstrationDirectory.CaseWorker, moved.CaseNumber));
        Assert.Equal(moved.CaseNumber, (await Update("", "coordinator")).CaseNumber);
        Assert.Equal("", (await Update("", "case_number")).CaseNumber);
        Assert.Empty(await Find(DemonstrationDirectory.CaseWorker, moved.CaseNumber));

        async Task<IEnumerable<string>> Find(DemonstrationEmployee employee, string term) =>
            (await service.As(employee).Plans.FindPlansAsync(new() { CaseNumber = term })).Plans.Select(found => found.Name);

        async Task<Plan> Update(string caseNumber, string path) => (await service.CaseWorker.Plans.UpdatePlanAsync(new()
        {
            Plan = new() { Name = plan.Name, CaseNumber = caseNumber },
            UpdateMask = new() { Paths = { path } },
            Etag = (await service.Read(DemonstrationDirectory.CaseWorker, plan)).Etag,
            RequestId = Cases.NewId(),
        })).Plan;
    }

    [Fact]
    public async Task A_page_of_tasks_is_full_whatever_was_left_out_before_it()
    {
        var colleague = DemonstrationDirectory.NewCaseWorker;
        // More than are decided at a time, each of a person whose level is not known, so that the colleague may not hear of it.
        var hidden = new List<Guid>();
        while (hidden.Count < 110)
        {
            hidden.Add(Guid.Parse((await service.OpenPlan(Cases.NewPerson())).Name["plans/".Length..]));
        }

        await using var forget = service.Administrator.CreateCommand(
            "UPDATE coordinationplan.subject s SET protection = 0 FROM coordinationplan.plan p WHERE p.subject_id = s.subject_id AND p.plan_id = ANY ($1)");
        forget.Parameters.Add(new() { Value = hidden.ToArray() });
        Assert.Equal(hidden.Count, await forget.ExecuteNonQueryAsync(TestContext.Current.CancellationToken));
        var plan = await service.OpenPlan(Cases.NewPerson());
        var block = Cases.BlockOf(DemonstrationDirectory.Colleague);
        block.ReviewDate = Cases.InMonths(5);
        await service.CaseWorker.Protection.AddBlockAsync(new() { Parent = plan.Name, Block = block, Etag = plan.Etag, RequestId = Cases.NewId() });

        var seen = new List<UnitTask>();
        var request = new ListTasksRequest { PageSize = 1 };
        do
        {
            var page = await service.As(colleague).Oversight.ListTasksAsync(request);
            seen.Add(Assert.Single(page.Tasks));
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);

        Assert.Equal(
            [TaskKind.BeginPlan, TaskKind.AssessRisk, TaskKind.ReviewBlock],
            seen.Where(task => task.Subject.StartsWith(plan.Name, StringComparison.Ordinal)).Select(task => task.Kind));
        Assert.DoesNotContain(seen, task => hidden.Contains(Guid.Parse(task.Subject.AsSpan("plans/".Length, 36))));
        Assert.True((await service.CaseWorker.Oversight.ListTasksAsync(new() { PageSize = 500 })).Tasks.Count > 110);
    }

    [Fact]
    public async Task Searches_that_find_nobody_again_and_again_raise_one_alert()
    {
        var searcher = DemonstrationDirectory.OtherCaseWorker;
        for (var i = 0; i < 7; i++)
        {
            await service.As(searcher).Plans.FindPlansAsync(new() { IdentityNumber = Cases.NewPerson().IdentityNumber });
        }

        var alerts = (await service.As(searcher).Oversight.ListAlertsAsync(new())).Alerts.Where(alert => alert.Kind == AlertKind.RepeatedMisses).ToList();
        Assert.Equal(["employees/" + searcher.Id], alerts.Select(alert => alert.Employee));
    }

    private async Task<List<Reader>> Explain(DemonstrationEmployee employee, Plan plan, int pageSize)
    {
        var readers = new List<Reader>();
        var token = "";
        do
        {
            var page = await service.As(employee).Oversight.ExplainAccessAsync(new() { Parent = plan.Name, PageSize = pageSize, PageToken = token });
            readers.AddRange(page.Readers);
            token = page.NextPageToken;
        }
        while (token.Length > 0);

        return readers;
    }
}
