using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;

namespace CoordinationPlan.Server.Tests.Scenarios;

/// <content>A child that moves twice, is protected otherwise and turns 16 in between: schooling goes on, and each school sees its pupil to its last day.</content>
public sealed partial class ScenarioTests
{
    private static readonly DemonstrationEmployee NextSchool = DemonstrationDirectory.Cousin;

    [Fact]
    public async Task A_child_moves_twice_and_turns_sixteen_and_goes_to_school_all_the_while()
    {
        // 16 in 40 days.
        var birthday = service.Clock.Today().AddDays(40);
        var child = await service.OpenPlan(Cases.NewPerson(birthday.AddYears(-16)));
        await PlaceAt(child, Shelter, "Gömstigen 4");
        Assert.Contains(TaskKind.SecureSchooling, await Tasks(Rvt, child));
        var first = await SchoolFrom(child, School, SchoolForm.Compulsory);
        Assert.DoesNotContain(TaskKind.SecureSchooling, await Tasks(Rvt, child));
        await Sees(School, child, SchoolArrangementState.InPlace);
        await SeesNothing(NextSchool, child);

        // Ten days on the protection is raised and the child moves: the next school begins while the first has its last days.
        service.Clock.Advance(TimeSpan.FromDays(10));
        await service.Protect(child, ProtectionLevel.ProtectedPopulationRegistration);
        await PlaceAt(child, DemonstrationDirectory.Kruton, "Myntgatan 7");
        Assert.Superset(new HashSet<TaskKind> { TaskKind.HandoverFirstStep, TaskKind.HandoverSecondStep }, (await Tasks(Rvt, child)).ToHashSet());
        var lastDay = service.Clock.Today().AddDays(4);
        first = await service.Advance(first, SchoolArrangementState.HandedOver, Cases.ToDate(lastDay));
        foreach (var step in new[] { HandoverStepKind.HomeEducationOffice, HandoverStepKind.LeavingSchool })
        {
            first = await Take(first, step);
        }

        Assert.DoesNotContain(TaskKind.HandoverFirstStep, await Tasks(Rvt, child));
        Assert.DoesNotContain(TaskKind.HandoverSecondStep, await Tasks(Rvt, child));
        var second = await SchoolFrom(child, NextSchool, SchoolForm.Compulsory);
        await Sees(School, child, SchoolArrangementState.HandedOver);
        await Sees(NextSchool, child, SchoolArrangementState.InPlace);

        // On the last day the first school still sees its pupil, on the day after not, and nobody has done anything.
        service.Clock.Advance(TimeSpan.FromDays(4));
        Assert.Equal(lastDay, service.Clock.Today());
        await Sees(School, child, SchoolArrangementState.HandedOver);
        service.Clock.Advance(TimeSpan.FromDays(1));
        await SeesNothing(School, child);
        await Sees(NextSchool, child, SchoolArrangementState.InPlace);
        Assert.DoesNotContain(TaskKind.SecureSchooling, await Tasks(Rvt, child));

        // The child turns 16, gets another protection and moves once more: to upper secondary school, where the first school is too, by an alias.
        service.Clock.Advance(TimeSpan.FromDays(25));
        Assert.Equal(birthday, service.Clock.Today());
        await service.Protect(child, ProtectionLevel.AssumedIdentity);
        await PlaceAt(child, Shelter, "Gömstigen 4");
        second = await service.Advance(second, SchoolArrangementState.Ended, Cases.ToDate(service.Clock.Today()));
        await SeesNothing(NextSchool, child);
        Assert.Contains(TaskKind.SecureSchooling, await Tasks(Rvt, child));
        var third = await SchoolFrom(child, School, SchoolForm.UpperSecondary, new() { GivenName = "Kim", FamilyName = "Ek" }, takesPart: true);
        Assert.DoesNotContain(TaskKind.SecureSchooling, await Tasks(Rvt, child));
        var pupil = await Sees(School, child, SchoolArrangementState.InPlace);
        Assert.Equal((null, "Kim", SchoolForm.UpperSecondary), (pupil.Subject, pupil.Alias.GivenName, pupil.Form));

        // All of it stands, the latest first; the school's own reports of before are not told to it anew.
        Assert.Equal(
            [(third.Name, SchoolArrangementState.InPlace), (second.Name, SchoolArrangementState.Ended), (first.Name, SchoolArrangementState.HandedOver)],
            (await service.CaseWorker.Schooling.ListSchoolArrangementsAsync(new() { Parent = child.Name })).SchoolArrangements.Select(one => (one.Name, one.State)));
    }

    /// <summary>Everything up to the first day, which is today: the school takes part, is released to, and there is a place.</summary>
    private async Task<SchoolArrangement> SchoolFrom(Plan plan, DemonstrationEmployee school, SchoolForm form, PupilAlias? alias = null, bool takesPart = false)
    {
        if (!takesPart)
        {
            await Share(plan, school, [InformationCategory.Identity, InformationCategory.Schooling, InformationCategory.ContactDetails, InformationCategory.ProtectionMeasures]);
        }

        var arrangement = Cases.NewArrangement(school);
        (arrangement.Form, arrangement.Alias, arrangement.StartDate) = (form, alias, Cases.ToDate(service.Clock.Today()));
        var added = (await service.CaseWorker.Schooling.AddSchoolArrangementAsync(
            new() { Parent = plan.Name, SchoolArrangement = arrangement, Etag = (await service.Read(Rvt, plan)).Etag, RequestId = Cases.NewId() })).SchoolArrangement;
        return await service.Advance(await service.Advance(added, SchoolArrangementState.Secured), SchoolArrangementState.InPlace);
    }

    private async Task<SchoolArrangement> Take(SchoolArrangement arrangement, HandoverStepKind step) => (await service.CaseWorker.Schooling.RecordHandoverStepAsync(new()
    {
        Name = arrangement.Name,
        Step = step,
        TakeDate = Cases.ToDate(service.Clock.Today()),
        Reference = "ANT-1",
        Etag = arrangement.Etag,
        RequestId = Cases.NewId(),
    })).SchoolArrangement;

    private async Task<Pupil> Sees(DemonstrationEmployee school, Plan plan, SchoolArrangementState state)
    {
        var pupil = (await service.As(school).Schooling.GetPupilAsync(new() { Name = plan.Name + "/pupil" })).Pupil;
        Assert.Equal((state, Cases.UnitOf(school)), (pupil.State, pupil.SchoolUnit));
        return pupil;
    }

    /// <summary>No call of the school tells that there is, or was, such a pupil.</summary>
    private async Task SeesNothing(DemonstrationEmployee school, Plan plan)
    {
        await service.As(school).Schooling.GetPupilAsync(new() { Name = plan.Name + "/pupil" }).IsRefused();
        await service.As(school).Schooling.ReportAttendanceAsync(new() { Name = plan.Name + "/pupil", Attendance = Cases.WeekOf(0, 20, 20, 0, 0), Etag = "new", RequestId = Cases.NewId() }).IsRefused();
        await IsNotThere(school, plan);
    }
}
