using System.Text;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace CoordinationPlan.Server.Tests.Scenarios;

/// <summary>
/// The cases that the service must carry, played through the API to their end, with what each party may and may not learn. After each, the whole database
/// is searched for what must not stand there in clear.
/// </summary>
public sealed partial class ScenarioTests : IAsyncLifetime
{
    private static readonly DemonstrationEmployee Rvt = DemonstrationDirectory.CaseWorker;
    private static readonly DemonstrationEmployee Bup = DemonstrationDirectory.ChildPsychiatry;
    private static readonly DemonstrationEmployee PrimaryCare = DemonstrationDirectory.PrimaryCare;
    private static readonly DemonstrationEmployee Shelter = DemonstrationDirectory.Shelter;
    private static readonly DemonstrationEmployee School = DemonstrationDirectory.School;

    private readonly Service service;

    /// <summary>Each case has a service of its own, because its clock is put forward.</summary>
    public ScenarioTests(Machine machine) => service = new Service(machine);

    public ValueTask InitializeAsync() => service.InitializeAsync();

    public ValueTask DisposeAsync() => service.DisposeAsync();

    // ------------------------------------------------------------------------------------------------------------------ a plan's way

    /// <summary>What the step lacks, by rule, as the owning unit is told before it tries.</summary>
    private async Task<IEnumerable<string>> Lacks(DemonstrationEmployee owner, Plan plan, PlanState to) =>
        (await service.As(owner).Plans.GetPlanReadinessAsync(new() { Name = plan.Name })).Steps.Single(step => step.To == to).Missing.Select(unmet => unmet.Rule);

    /// <summary>Takes a step that lacks nothing.</summary>
    private async Task Advance(DemonstrationEmployee owner, Plan plan, PlanState to)
    {
        Assert.Empty(await Lacks(owner, plan, to));
        var advanced = await service.As(owner).Plans.AdvancePlanAsync(
            new() { Name = plan.Name, State = to, Etag = (await service.Read(owner, plan)).Etag, RequestId = Cases.NewId() });
        Assert.Equal(to, advanced.Plan.State);
    }

    /// <summary>Tries a step that lacks something: the same is missing that was told before, and the plan stays where it is.</summary>
    private async Task CannotAdvance(DemonstrationEmployee owner, Plan plan, PlanState to, params string[] missing)
    {
        Assert.Equal(missing, await Lacks(owner, plan, to));
        var before = await service.Read(owner, plan);
        await service.As(owner).Plans.AdvancePlanAsync(new() { Name = plan.Name, State = to, Etag = before.Etag, RequestId = Cases.NewId() })
            .Fails(StatusCode.FailedPrecondition, ErrorReason.StatutoryContentMissing);
        Assert.Equal((before.State, before.Etag), ((await service.Read(owner, plan)).State, before.Etag));
    }

    private async Task<Consent> RecordConsent(DemonstrationEmployee owner, Plan plan, Consent consent) => (await service.As(owner).Consents.RecordConsentAsync(
        new() { Parent = plan.Name, Consent = consent, Etag = (await service.Read(owner, plan)).Etag, RequestId = Cases.NewId() })).Consent;

    private static Consent NewConsent(ConsentState state, DemonstrationEmployee recipient, params InformationCategory[] categories) => new()
    {
        State = state,
        RecipientUnits = { Cases.UnitOf(recipient) },
        Categories = { categories },
        Purpose = recipient.Purpose,
        Period = Cases.HalfAYear,
        Form = ConsentForm.Oral,
        GivenBy = ConsentGiver.Self,
    };

    private async Task<Meeting> Call(DemonstrationEmployee owner, Plan plan, MeetingKind kind, IEnumerable<DemonstrationEmployee> called, bool personPermits) =>
        (await service.As(owner).Meetings.CallMeetingAsync(await CallOf(owner, plan, kind, called, personPermits))).Meeting;

    /// <summary>A call to a meeting in a week.</summary>
    private async Task<CallMeetingRequest> CallOf(DemonstrationEmployee owner, Plan plan, MeetingKind kind, IEnumerable<DemonstrationEmployee> called, bool personPermits) => new()
    {
        Parent = plan.Name,
        Meeting = new()
        {
            Kind = kind,
            StartTime = Timestamp.FromDateTimeOffset(service.Clock.GetUtcNow().AddDays(7)),
            Form = MeetingForm.Room,
            Place = "Sammanträdesrum 3",
            Agenda = "Vad är viktigt för dig?",
        },
        Units = { called.Select(Cases.UnitOf) },
        PersonPermitsInvitations = personPermits,
        Etag = (await service.Read(owner, plan)).Etag,
        RequestId = Cases.NewId(),
    };

    private async Task Reply(DemonstrationEmployee who, Meeting meeting, CallReply reply) => await service.As(who).Meetings.ReplyToCallAsync(
        new() { Name = meeting.Name, Reply = reply, Etag = meeting.Etag, RequestId = Cases.NewId() });

    /// <summary>The day comes, and it is recorded who was there.</summary>
    private async Task<Meeting> Hold(DemonstrationEmployee owner, Meeting meeting, params DemonstrationEmployee[] came)
    {
        RecordMeetingRequest Request() => new()
        {
            Name = meeting.Name,
            AttendingUnits = { came.Select(Cases.UnitOf) },
            Minutes = "Mötet hölls.",
            Decisions = "Planen görs klar.",
            Etag = meeting.Etag,
            RequestId = Cases.NewId(),
        };
        await service.As(owner).Meetings.RecordMeetingAsync(Request()).Fails(StatusCode.FailedPrecondition, ErrorReason.WrongState);
        service.Clock.Advance(TimeSpan.FromDays(8));
        return (await service.As(owner).Meetings.RecordMeetingAsync(Request())).Meeting;
    }

    private static (CallKind, CallReply, Attendance) CallOf(Meeting meeting, DemonstrationEmployee who) =>
        meeting.Calls.Single(call => call.Unit == Cases.UnitOf(who)) is var call ? (call.Kind, call.Reply, call.Attendance) : default;

    private async Task Write(DemonstrationEmployee owner, Plan plan, Plan fields, params string[] paths)
    {
        fields.Name = plan.Name;
        await service.As(owner).Plans.UpdatePlanAsync(
            new() { Plan = fields, UpdateMask = new() { Paths = { paths } }, Etag = (await service.Read(owner, plan)).Etag, RequestId = Cases.NewId() });
    }

    private async Task<Goal> AddGoal(DemonstrationEmployee owner, Plan plan, Goal goal) => (await service.As(owner).Plans.AddGoalAsync(
        new() { Parent = plan.Name, Goal = goal, Etag = (await service.Read(owner, plan)).Etag, RequestId = Cases.NewId() })).Goal;

    private async Task<Intervention> AddIntervention(DemonstrationEmployee owner, Plan plan, DemonstrationEmployee responsible, string title, params Goal[] goals) =>
        (await service.As(owner).Plans.AddInterventionAsync(new()
        {
            Parent = plan.Name,
            Intervention = new() { Title = title, ResponsibleUnit = Cases.UnitOf(responsible), Goals = { goals.Select(goal => goal.Name) } },
            Etag = (await service.Read(owner, plan)).Etag,
            RequestId = Cases.NewId(),
        })).Intervention;

    private async Task AddMeasure(DemonstrationEmployee owner, Plan plan, string title, string takenBy) => await service.As(owner).Plans.AddOtherMeasureAsync(new()
    {
        Parent = plan.Name,
        OtherMeasure = new() { Title = title, TakenBy = takenBy },
        Etag = (await service.Read(owner, plan)).Etag,
        RequestId = Cases.NewId(),
    });

    /// <summary>The content is proposed, the units answer, and just that is established.</summary>
    private async Task Agree(DemonstrationEmployee owner, Plan plan, params DemonstrationEmployee[] answering)
    {
        var proposal = (await service.As(owner).Plans.ProposeRevisionAsync(
            new() { Parent = plan.Name, Etag = (await service.Read(owner, plan)).Etag, RequestId = Cases.NewId() })).Proposal;
        foreach (var unit in answering)
        {
            var objection = new AnswerProposalRequest { Name = proposal.Name, Answer = ProposalAnswerKind.Objects, Etag = proposal.Etag, RequestId = Cases.NewId() };
            await service.As(unit).Plans.AnswerProposalAsync(objection).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
            await service.As(unit).Plans.AnswerProposalAsync(new() { Name = proposal.Name, Answer = ProposalAnswerKind.Agrees, Etag = proposal.Etag, RequestId = Cases.NewId() });
        }

        var revision = (await service.Read(owner, plan)).Revision;
        var established = (await service.As(owner).Plans.EstablishPlanAsync(
            new() { Name = plan.Name, Proposal = proposal.Name, Etag = (await service.Read(owner, plan)).Etag, RequestId = Cases.NewId() })).Plan;
        Assert.Equal((PlanState.Established, revision + 1), (established.State, established.Revision));
        var kept = (await service.As(owner).Plans.ListProposalsAsync(new() { Parent = plan.Name })).Proposals.Single(kept => kept.Name == proposal.Name);
        Assert.Equal(
            answering.Select(unit => (Cases.UnitOf(unit), ProposalAnswerKind.Agrees)).Order(), kept.Answers.Select(answer => (answer.Unit, answer.Answer)).Order());
        Assert.Equal(established.Revision, kept.EstablishedRevision);
    }

    private async Task<RiskAssessment> Assess(DemonstrationEmployee owner, Plan plan, RiskInstrument instrument, string version, Action<RiskAssessment>? change = null)
    {
        var assessment = Cases.NewRiskAssessment();
        (assessment.Instrument, assessment.InstrumentVersion) = (instrument, version);
        assessment.AssessDate = Cases.ToDate(service.Clock.Today());
        assessment.ReassessDate = Cases.ToDate(service.Clock.Today().AddMonths(3));
        change?.Invoke(assessment);
        return (await service.As(owner).Risk.RecordRiskAssessmentAsync(
            new() { Parent = plan.Name, RiskAssessment = assessment, Etag = (await service.Read(owner, plan)).Etag, RequestId = Cases.NewId() })).RiskAssessment;
    }

    private Task<List<TaskKind>> Overdue(DemonstrationEmployee owner, Plan plan) =>
        Tasks(owner, plan, task => new DateOnly(task.DueDate.Year, task.DueDate.Month, task.DueDate.Day) < service.Clock.Today());

    private async Task<List<TaskKind>> Tasks(DemonstrationEmployee owner, Plan plan, Func<UnitTask, bool>? which = null) =>
        [.. (await service.As(owner).Oversight.ListTasksAsync(new() { PageSize = 500 })).Tasks
            .Where(task => task.Subject == plan.Name || task.Subject.StartsWith(plan.Name + "/", StringComparison.Ordinal))
            .Where(which ?? (_ => true)).Select(task => task.Kind).Distinct()];

    // ------------------------------------------------------------------------------------------------------------- what each party sees

    private static Subject Person(int yearsOld, string givenName, string familyName)
    {
        var person = Cases.NewPerson(yearsOld);
        (person.GivenName, person.FamilyName) = (givenName, familyName);
        return person;
    }

    private static Subject Born(DateOnly day, string givenName, string familyName)
    {
        var digits = day.ToString("yyyyMMdd", System.Globalization.CultureInfo.InvariantCulture) + "238";
        return new()
        {
            IdentityNumber = new() { Kind = IdentityNumberKind.Personal, Value = digits + IdentityNumbers.CheckDigit(digits.AsSpan(2)) },
            GivenName = givenName,
            FamilyName = familyName,
        };
    }

    private static void DoesNotMention(Plan plan, params string[] secrets) =>
        Assert.All(secrets, secret => Assert.DoesNotContain(secret, plan.ToString(), StringComparison.OrdinalIgnoreCase));

    private Task<AddBlockResponse> Block(Plan plan, Block block)
    {
        (block.DecideDate, block.ReviewDate) = (Cases.Today, Cases.InMonths(6));
        return service.CaseWorker.Protection.AddBlockAsync(new() { Parent = plan.Name, Block = block, Etag = plan.Etag, RequestId = Cases.NewId() }).ResponseAsync;
    }

    private Task PlaceAt(Plan plan, DemonstrationEmployee shelter, string address) => Place(Rvt, plan, shelter, address);

    private async Task Place(DemonstrationEmployee owner, Plan plan, DemonstrationEmployee shelter, string address) =>
        await service.As(owner).Protection.SetWhereaboutsAsync(new()
        {
            Whereabouts = new() { Name = plan.Name + "/whereabouts", Unit = Cases.UnitOf(shelter), Address = address },
            Etag = (await Whereabouts(owner, plan)).Etag,
            RequestId = Cases.NewId(),
        });

    private Task<Consent> Share(Plan plan, DemonstrationEmployee recipient, InformationCategory[] categories) => Take(Rvt, plan, recipient, categories);

    /// <summary>The recipient's unit takes part, and the person consents.</summary>
    private async Task<Consent> Take(DemonstrationEmployee owner, Plan plan, DemonstrationEmployee recipient, InformationCategory[] categories)
    {
        var clients = service.As(owner);
        await clients.Participations.AddParticipationAsync(new()
        {
            Parent = plan.Name,
            Participation = new() { Unit = Cases.UnitOf(recipient), Period = Cases.HalfAYear },
            Etag = plan.Etag,
            RequestId = Cases.NewId(),
        });
        return (await clients.Consents.RecordConsentAsync(new()
        {
            Parent = plan.Name,
            Consent = new()
            {
                State = ConsentState.Given,
                RecipientUnits = { Cases.UnitOf(recipient) },
                Categories = { categories },
                Purpose = recipient.Purpose,
                Period = Cases.HalfAYear,
                Form = ConsentForm.Oral,
                GivenBy = ConsentGiver.Self,
            },
            Etag = plan.Etag,
            RequestId = Cases.NewId(),
        })).Consent;
    }

    private async Task<WithdrawConsentRequest> FirstConsent(Plan plan)
    {
        var consent = (await service.Read(Rvt, plan)).Consents.First(consent => consent.State == ConsentState.Given);
        return new() { Name = consent.Name, Etag = consent.Etag, RequestId = Cases.NewId() };
    }

    private async Task<Whereabouts> Whereabouts(DemonstrationEmployee caller, Plan plan) =>
        (await service.As(caller).Protection.GetWhereaboutsAsync(new() { Name = plan.Name + "/whereabouts" })).Whereabouts;

    /// <summary>For the caller the plans are like plans that never were: by name, in lists and in searches.</summary>
    private async Task IsNotThere(DemonstrationEmployee caller, params Plan[] plans)
    {
        var clients = service.As(caller).Plans;
        var never = await clients.GetPlanAsync(new() { Name = "plans/" + Cases.NewId() }).IsRefused();
        foreach (var plan in plans)
        {
            var refused = await clients.GetPlanAsync(new() { Name = plan.Name }).IsRefused();
            Assert.Equal(never.Status, refused.Status);
            if (!caller.IsSystem)
            {
                Assert.DoesNotContain((await clients.FindPlansAsync(new() { IdentityNumber = plan.Subject.IdentityNumber })).Plans, found => found.Name == plan.Name);
                Assert.DoesNotContain((await clients.ListPlansAsync(new() { PageSize = 500 })).Plans, listed => listed.Name == plan.Name);
            }
        }
    }

    private async Task<IEnumerable<AccessLogEntry>> Log(Plan plan) =>
        (await service.As(DemonstrationDirectory.LogReviewer).AccessLog.SearchAccessLogAsync(new()
        {
            StartTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddHours(-1)),
            EndTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddHours(1)),
            Plan = plan.Name,
            PageSize = 500,
        })).Entries;

    private static AddDischargeNoticeRequest NoticeOf(Plan plan, DischargeNoticeKind kind, DateTimeOffset at) => new()
    {
        Parent = plan.Name,
        DischargeNotice = new() { Kind = kind, NoticeTime = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(at), Note = "Avdelning 34" },
        Etag = plan.Etag,
        RequestId = Cases.NewId(),
    };

    private async Task<IEnumerable<Google.Type.Date>> SummonsTasks(Plan plan) =>
        (await service.CaseWorker.Oversight.ListTasksAsync(new() { PageSize = 500 })).Tasks
            .Where(task => task.Kind == TaskKind.SummonForDischarge && task.Subject.StartsWith(plan.Name, StringComparison.Ordinal)).Select(task => task.DueDate);

    private async Task Close(Plan plan) => await service.CaseWorker.Plans.ClosePlanAsync(
        new() { Name = plan.Name, Reason = PlanClosingReason.GoalsReached, Etag = (await service.Read(Rvt, plan)).Etag, RequestId = Cases.NewId() });

    private async Task NothingInClear(IEnumerable<Subject> persons, params string[] more)
    {
        var dump = await service.Dump();
        string[] secrets = [.. persons.SelectMany(person => new[] { person.IdentityNumber.Value, person.GivenName, person.FamilyName }), .. more];
        Assert.All(secrets, secret =>
        {
            Assert.DoesNotContain(secret, dump, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain(Convert.ToHexStringLower(Encoding.UTF8.GetBytes(secret)), dump, StringComparison.Ordinal);
        });
        Assert.Contains("PlanService/CreatePlan", dump, StringComparison.Ordinal);
    }
}
