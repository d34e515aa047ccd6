using CoordinationPlan.Client;
using CoordinationPlan.Development;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Type;
using Grpc.Core;
using Spectre.Console;
using Purpose = CoordinationPlan.V1.Purpose;

namespace CoordinationPlan.Cli.Demo;

/// <summary>What the play came to.</summary>
/// <param name="IsAsTheScenarioSays">Everything went as it should.</param>
/// <param name="Plan">Sara's plan, to look at afterwards.</param>
internal sealed record PlayOutcome(bool IsAsTheScenarioSays, Plan Plan);

/// <summary>
/// Scenario A: Sara, Elias and Nora; partner violence, shelter, school, and a father who works in health care. Played through the real API with
/// the clients that case systems use.
/// </summary>
internal sealed class ScenarioA : IDisposable
{
    private readonly DevelopmentInfrastructure _infrastructure;
    private readonly Dictionary<string, CoordinationPlanConnection> _connections;
    private readonly Stage _stage = new();
    private readonly DatePeriod _halfAYear;
    private readonly Timestamp _began = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddSeconds(-5));
    private readonly CancellationToken _stop;

    private ScenarioA(DevelopmentInfrastructure infrastructure, Uri address, CancellationToken stop)
    {
        _infrastructure = infrastructure;
        _connections = DevelopmentClients.All.ToDictionary(client => client, client => infrastructure.Connect(address, client));
        var today = TimeProvider.System.Today();
        _halfAYear = new DatePeriod { StartDate = ToDate(today), EndDate = ToDate(today.AddMonths(6)) };
        _stop = stop;
    }

    public static async Task<PlayOutcome> Play(DevelopmentInfrastructure infrastructure, Uri address, CancellationToken stop)
    {
        using var play = new ScenarioA(infrastructure, address, stop);
        return await play.Run();
    }

    public void Dispose()
    {
        foreach (var connection in _connections.Values)
        {
            connection.Dispose();
        }
    }

    private async Task<PlayOutcome> Run()
    {
        _stage.Title("Scenario A: Sara, Elias (9) and Nora (15)");
        var sara = await OpenSarasPlan();
        var consent = await ConsentToPrimaryCare(sara);
        sara = await Prepare(sara);
        sara = await GiveStatutoryContents(sara);
        var elias = await EliasPlan();
        await WhereEliasIs(elias);
        await EliasGoesToSchool(elias);
        await WhatEachPartySees(sara, elias);
        await AnOutsiderLearnsNothing(sara);
        await Emergency(elias);
        await Withdraw(sara, consent);
        await Close(elias);
        await WhatTheLogSays(sara);
        _stage.End();
        return new PlayOutcome(_stage.IsAsTheScenarioSays, sara);
    }

    private async Task<Plan> OpenSarasPlan()
    {
        _stage.Step("RVT Farsta opens a plan for Sara");
        var created = await Open(new Plan
        {
            Subject = DemonstrationPersons.Sara,
            Coordinator = "employees/" + DemonstrationDirectory.CaseWorker.Id,
            SocialSituation = "Sara har levt med våld i en nära relation och bor nu skyddat. Behov av samordning mellan socialtjänst och vård.",
        });
        _stage.Expect(created.State == PlanState.Noted, "the need is noted");
        _stage.Expect(await ExistingPlan(DemonstrationPersons.Sara) == created.Name, "a second plan for her is refused, with the name of this one");

        try
        {
            await As(DemonstrationDirectory.CaseWorker).Plans.EstablishPlanAsync(
                new EstablishPlanRequest { Name = created.Name, Etag = created.Etag, RequestId = NewId() }, cancellationToken: _stop);
            _stage.Expect(false, "an empty plan cannot be established");
        }
        catch (RpcException error)
        {
            _stage.Expect(error.Reason() == ErrorReason.StatutoryContentMissing, "an empty plan cannot be established");
            _stage.Table("What the law still asks for", ["About", "What is missing"], error.UnmetPreconditions().Select(unmet => new[] { unmet.Subject, unmet.Description }));
        }

        return created;
    }

    /// <summary>Opens a plan. One that an earlier play has left open is closed first: a person has one plan.</summary>
    private async Task<Plan> Open(Plan plan)
    {
        var worker = As(DemonstrationDirectory.CaseWorker).Plans;
        while (await ExistingPlan(plan.Subject) is { } name)
        {
            var earlier = (await worker.GetPlanAsync(new GetPlanRequest { Name = name }, cancellationToken: _stop)).Plan;
            await worker.ClosePlanAsync(
                new ClosePlanRequest { Name = name, Reason = PlanClosingReason.NoLongerNeeded, Etag = earlier.Etag, RequestId = NewId() }, cancellationToken: _stop);
        }

        return (await worker.CreatePlanAsync(new CreatePlanRequest { Plan = plan, RequestId = NewId() }, cancellationToken: _stop)).Plan;
    }

    /// <summary>The open plan that stands in the way of another one; null where there is none.</summary>
    private async Task<string?> ExistingPlan(Subject person)
    {
        try
        {
            await As(DemonstrationDirectory.CaseWorker).Plans.CreatePlanAsync(
                new CreatePlanRequest { Plan = new Plan { Subject = person }, RequestId = NewId(), ValidateOnly = true }, cancellationToken: _stop);
            return null;
        }
        catch (RpcException error) when (error.Reason() == ErrorReason.PlanExists)
        {
            return error.ExistingPlan();
        }
    }

    private async Task<Consent> ConsentToPrimaryCare(Plan plan)
    {
        _stage.Step("Sara consents: primary care may know who she is, the goals and its own part, for six months");
        var consent = await RecordConsent(
            plan,
            DemonstrationDirectory.PrimaryCare,
            Purpose.CareAndTreatment,
            ConsentGiver.Self,
            [InformationCategory.Identity, InformationCategory.GoalsAndInterventions, InformationCategory.Health, InformationCategory.Meetings, InformationCategory.ProtectionMeasures]);
        await Join(plan, DemonstrationDirectory.PrimaryCare.UnitId);
        await Join(plan, DemonstrationDirectory.Shelter.UnitId);
        _stage.Expect(consent.State == ConsentState.Given, "the consent is recorded, with recipient, categories, purpose and period");
        return consent;
    }

    private async Task<Plan> Prepare(Plan plan)
    {
        _stage.Step("The risk is assessed, the plan is being prepared, and primary care is summoned to a meeting and accepts");
        var worker = As(DemonstrationDirectory.CaseWorker);
        await worker.Risk.RecordRiskAssessmentAsync(
            new RecordRiskAssessmentRequest
            {
                Parent = plan.Name,
                RiskAssessment = new RiskAssessment
                {
                    Instrument = RiskInstrument.Freda,
                    InstrumentVersion = "farlighetsbedömning",
                    AssessDate = _halfAYear.StartDate,
                    ReassessDate = _halfAYear.EndDate,
                    OwnEstimate = "Jag är rädd när det ringer på dörren.",
                    Conclusion = "Risk för fortsatt våld.",
                },
                Etag = plan.Etag,
                RequestId = NewId(),
            },
            cancellationToken: _stop);
        await worker.Plans.AddProtectionMeasureAsync(
            new AddProtectionMeasureRequest
            {
                Parent = plan.Name,
                ProtectionMeasure = new ProtectionMeasure { Instruction = "Ring bara det nummer som Sara har lämnat. Lämna inga meddelanden.", Unit = "units/" + DemonstrationDirectory.PrimaryCare.UnitId },
                Etag = plan.Etag,
                RequestId = NewId(),
            },
            cancellationToken: _stop);
        var toldCare = await As(DemonstrationDirectory.PrimaryCare).Plans.GetPlanAsync(new GetPlanRequest { Name = plan.Name }, cancellationToken: _stop);
        _stage.Expect(toldCare.Plan.ProtectionMeasures.Count == 1, "primary care is told what to mind, and nothing of the assessment behind it");
        plan = (await worker.Plans.AdvancePlanAsync(
            new AdvancePlanRequest { Name = plan.Name, State = PlanState.Preparing, Etag = plan.Etag, RequestId = NewId() }, cancellationToken: _stop)).Plan;
        var meeting = (await worker.Meetings.CallMeetingAsync(
            new CallMeetingRequest
            {
                Parent = plan.Name,
                Meeting = new Meeting
                {
                    Kind = MeetingKind.Planning,
                    StartTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddDays(5)),
                    Form = MeetingForm.Room,
                    Place = "Farsta stadsdelsförvaltning, rum 3",
                    Agenda = "Vad är viktigt för Sara?",
                },
                Units = { "units/" + DemonstrationDirectory.CaseWorker.UnitId, "units/" + DemonstrationDirectory.PrimaryCare.UnitId },
                Etag = plan.Etag,
                RequestId = NewId(),
            },
            cancellationToken: _stop)).Meeting;
        var replied = (await As(DemonstrationDirectory.PrimaryCare).Meetings.ReplyToCallAsync(
            new ReplyToCallRequest { Name = meeting.Name, Reply = CallReply.Accepted, Etag = meeting.Etag, RequestId = NewId() }, cancellationToken: _stop)).Meeting;
        _stage.Expect(replied.Calls.Any(call => call is { Kind: CallKind.Summons, Reply: CallReply.Accepted }), "primary care has accepted its summons");

        var readiness = await worker.Plans.GetPlanReadinessAsync(new GetPlanReadinessRequest { Name = plan.Name }, cancellationToken: _stop);
        _stage.Table(
            "What the next steps lack",
            ["Step", "By", "Lacks"],
            readiness.Steps.Select(step => new[] { step.To.ToString(), step.Method, step.Ready ? "nothing" : string.Join(" ", step.Missing.Select(rule => rule.DemandSv)) }));
        _stage.Expect(readiness.Steps.Any(step => step is { To: PlanState.Summoned, Ready: true }), "it can be moved to SUMMONED");
        return (await worker.Plans.AdvancePlanAsync(
            new AdvancePlanRequest { Name = plan.Name, State = PlanState.Summoned, Etag = plan.Etag, RequestId = NewId() }, cancellationToken: _stop)).Plan;
    }

    private async Task<Plan> GiveStatutoryContents(Plan plan)
    {
        _stage.Step("Goals, interventions, measures by others, a lead principal; then the plan is established");
        var worker = As(DemonstrationDirectory.CaseWorker).Plans;
        var goal = await worker.AddGoalAsync(
            new AddGoalRequest { Parent = plan.Name, Goal = new Goal { Title = "Jag vill sova om nätterna och känna mig trygg" }, Etag = plan.Etag, RequestId = NewId() },
            cancellationToken: _stop);
        await AddIntervention(worker, plan, goal.Goal, DemonstrationDirectory.CaseWorker.UnitId, "Stödsamtal och hjälp med ansökan om skyddad folkbokföring");
        var care = await AddIntervention(As(DemonstrationDirectory.PrimaryCare).Plans, plan, goal.Goal, DemonstrationDirectory.PrimaryCare.UnitId, "Behandling av sömnbesvär");
        await worker.AddOtherMeasureAsync(
            new AddOtherMeasureRequest { Parent = plan.Name, OtherMeasure = new OtherMeasure { Title = "Juridisk rådgivning", TakenBy = "Kvinnojour" }, Etag = plan.Etag, RequestId = NewId() },
            cancellationToken: _stop);
        var updated = await worker.UpdatePlanAsync(
            new UpdatePlanRequest
            {
                Plan = new Plan { Name = plan.Name, LeadPrincipal = "organisations/" + DemonstrationDirectory.City, FollowUpDate = _halfAYear.EndDate },
                UpdateMask = FieldMask.FromStringEnumerable<Plan>(["lead_principal", "follow_up_date"]),
                Etag = plan.Etag,
                RequestId = NewId(),
            },
            cancellationToken: _stop);
        var established = await worker.EstablishPlanAsync(
            new EstablishPlanRequest { Name = plan.Name, Etag = updated.Plan.Etag, RequestId = NewId() }, cancellationToken: _stop);
        _stage.Expect(care.ResponsibleUnit.EndsWith("-VC", StringComparison.Ordinal), "primary care writes its own intervention");
        _stage.Expect(established.Plan is { State: PlanState.Established, Revision: 1 }, "the plan is established, revision 1");
        return established.Plan;
    }

    private async Task<Plan> EliasPlan()
    {
        _stage.Step("The school suggests a plan for Elias; he has one of his own: BUP, the school in the other municipality, and the shelter take part");
        var worker = As(DemonstrationDirectory.CaseWorker);
        await As(DemonstrationDirectory.School).Suggestions.SuggestPlanAsync(
            new SuggestPlanRequest
            {
                PlanSuggestion = new PlanSuggestion
                {
                    Subject = DemonstrationPersons.Elias,
                    RecipientUnit = "units/" + DemonstrationDirectory.CaseWorker.UnitId,
                    Reason = "Elias är ofta borta och orkar inte med hela dagar.",
                    Contact = "Mentorn, säkrast före lunch",
                },
                RequestId = NewId(),
            },
            cancellationToken: _stop);
        var plan = await Open(new Plan
        {
            Subject = DemonstrationPersons.Elias,
            SocialSituation = "Elias har upplevt våld hemma.",
            LeadPrincipal = "organisations/" + DemonstrationDirectory.City,
        });
        var suggested = (await worker.Suggestions.ListSuggestionsAsync(new ListSuggestionsRequest(), cancellationToken: _stop)).PlanSuggestions;
        foreach (var suggestion in suggested)
        {
            await worker.Suggestions.AnswerSuggestionAsync(
                new AnswerSuggestionRequest { Name = suggestion.Name, Plan = plan.Name, Etag = suggestion.Etag, RequestId = NewId() }, cancellationToken: _stop);
        }

        _stage.Expect(suggested.Any(suggestion => suggestion.Subject.Equals(DemonstrationPersons.Elias)), "RVT has taken up what the school suggested; the school is not told what becomes of it");
        await Join(plan, DemonstrationDirectory.ChildPsychiatry.UnitId);
        await Join(plan, DemonstrationDirectory.School.UnitId);
        await Join(plan, DemonstrationDirectory.Shelter.UnitId);
        await RecordConsent(plan, DemonstrationDirectory.ChildPsychiatry, Purpose.CareAndTreatment, ConsentGiver.Guardian,
            [InformationCategory.Identity, InformationCategory.GoalsAndInterventions, InformationCategory.Health, InformationCategory.Meetings]);
        await RecordConsent(plan, DemonstrationDirectory.School, Purpose.Schooling, ConsentGiver.Guardian,
            [InformationCategory.Identity, InformationCategory.Schooling, InformationCategory.ContactDetails, InformationCategory.ProtectionMeasures, InformationCategory.SocialSituation]);
        await RecordConsent(plan, DemonstrationDirectory.Shelter, Purpose.SocialServicesCase, ConsentGiver.Guardian,
            [InformationCategory.Identity, InformationCategory.GoalsAndInterventions, InformationCategory.Schooling, InformationCategory.Meetings]);
        await worker.Plans.AddGoalAsync(
            new AddGoalRequest { Parent = plan.Name, Goal = new Goal { Title = "Jag vill gå i skolan som vanligt" }, Etag = plan.Etag, RequestId = NewId() }, cancellationToken: _stop);
        return plan;
    }

    private async Task WhereEliasIs(Plan elias)
    {
        _stage.Step("Where Elias stays is kept from everybody but RVT and the shelter, and Jonas is blocked");
        var protection = As(DemonstrationDirectory.CaseWorker).Protection;
        var name = elias.Name + "/whereabouts";
        var etag = (await protection.GetWhereaboutsAsync(new GetWhereaboutsRequest { Name = name }, cancellationToken: _stop)).Whereabouts.Etag;
        await protection.SetWhereaboutsAsync(
            new SetWhereaboutsRequest
            {
                Whereabouts = new Whereabouts { Name = name, Unit = "units/" + DemonstrationDirectory.Shelter.UnitId, Address = "Påhittade gatan 4", SafeContact = "Via kontaktpersonen" },
                Etag = etag,
                RequestId = NewId(),
            },
            cancellationToken: _stop);
        var decided = (await protection.GetProtectionAsync(new GetProtectionRequest { Name = elias.Name + "/protection" }, cancellationToken: _stop)).Protection;
        if (decided.Blocks.Count == 0)
        {
            // A block follows the person into new plans, so another run of the play finds it.
            await protection.DecideLocationSecrecyAsync(
                new DecideLocationSecrecyRequest
                {
                    Parent = elias.Name,
                    LocationSecrecy = new LocationSecrecy
                    {
                        Guardian = DemonstrationPersons.Jonas,
                        Ground = "OSL 12 kap. 3 §",
                        Decider = "Sociala delegationen",
                        DecideDate = _halfAYear.StartDate,
                        ReviewDate = _halfAYear.EndDate,
                    },
                    Etag = elias.Etag,
                    RequestId = NewId(),
                },
                cancellationToken: _stop);
            await protection.AddBlockAsync(
                new AddBlockRequest
                {
                    Parent = elias.Name,
                    Block = new Block { Guardian = DemonstrationPersons.Jonas, Ground = BlockGround.ExposesToViolence, DecideDate = _halfAYear.StartDate, ReviewDate = _halfAYear.EndDate },
                    Etag = elias.Etag,
                    RequestId = NewId(),
                },
                cancellationToken: _stop);
        }

        _stage.Expect(await Address(DemonstrationDirectory.Shelter, name) is not null, "the shelter's contact person knows where Elias stays");
        foreach (var employee in new[] { DemonstrationDirectory.ChildPsychiatry, DemonstrationDirectory.School, DemonstrationDirectory.Jonas })
        {
            _stage.Expect(await Address(employee, name) is null, $"{employee.DisplayName}: does not");
        }
    }

    private async Task EliasGoesToSchool(Plan elias)
    {
        _stage.Step("Elias goes to school where he stays: the place is secured, the school gets an alias and what it needs, and reports his attendance");
        var worker = As(DemonstrationDirectory.CaseWorker);
        var due = (await worker.Oversight.ListTasksAsync(new ListTasksRequest { PageSize = 500 }, cancellationToken: _stop)).Tasks
            .FirstOrDefault(task => task.Kind == TaskKind.SecureSchooling && task.Subject.StartsWith(elias.Name, StringComparison.Ordinal));
        _stage.Expect(due is not null, "RVT has the task to secure his schooling, from the day he was placed");
        var added = (await worker.Schooling.AddSchoolArrangementAsync(
            new AddSchoolArrangementRequest { Parent = elias.Name, SchoolArrangement = EliasSchool(), Etag = elias.Etag, RequestId = NewId() }, cancellationToken: _stop)).SchoolArrangement;
        var steps = new List<string[]> { new[] { "added", Stage.Words(added.State.ToString()), "what the case worker knows is written down" } };
        foreach (var (state, says) in new[]
        {
            (SchoolArrangementState.BeingArranged, "a case worker answers for it"),
            (SchoolArrangementState.Secured, "school, form, first day and Elias's own words are there"),
            (SchoolArrangementState.InPlace, "the day has come, and his mother has agreed to what the school is told"),
        })
        {
            added = (await worker.Schooling.AdvanceSchoolArrangementAsync(
                new AdvanceSchoolArrangementRequest { Name = added.Name, State = state, Etag = added.Etag, RequestId = NewId() }, cancellationToken: _stop)).SchoolArrangement;
            steps.Add(["advanced", Stage.Words(state.ToString()), says]);
        }

        var school = As(DemonstrationDirectory.School).Schooling;
        var pupil = (await school.GetPupilAsync(new GetPupilRequest { Name = elias.Name + "/pupil" }, cancellationToken: _stop)).Pupil;
        var today = TimeProvider.System.Today().ToDateTime(TimeOnly.MinValue);
        var week = new AttendanceWeek
        {
            Year = System.Globalization.ISOWeek.GetYear(today),
            Week = System.Globalization.ISOWeek.GetWeekOfYear(today),
            HoursPossible = 20,
            HoursAttended = 14,
            HoursAbsentValid = 6,
        };
        await As(DemonstrationDirectory.SchoolRegister).Schooling.ReportAttendanceAsync(
            new ReportAttendanceRequest { Name = elias.Name + "/pupil", Attendance = week, Etag = "new", RequestId = NewId() }, cancellationToken: _stop);
        steps.Add(["reported", "14 of 20 hours", "by the school's own register: four numbers, no words"]);
        _stage.Table("From placement to classroom", ["What", "State", "Because"], steps);
        _stage.Table(
            "All that the school knows of its pupil",
            ["About", "What it says"],
            [
                ["name", $"{pupil.Alias?.GivenName} {pupil.Alias?.FamilyName}, as agreed"],
                ["needs", pupil.SupportNeeds],
                ["whom to ask", $"{pupil.Contact}, {pupil.ContactPhone}"],
                ["safe contact", pupil.SafeContactRules],
                ["fetching", pupil.PickUpRules],
                ["marking (SS 12000)", Stage.Words(pupil.SecurityMarking.ToString())],
                .. pupil.HandlingInstructions.Select(instruction => new[] { "handling", instruction.Text }),
            ]);
        _stage.Expect(pupil is { Subject: null, Alias.GivenName: "Kim" } && pupil.SecurityMarking != SecurityMarking.None, "the school has the alias and not the name, and is told to handle him as protected");
        var attendance = await worker.Schooling.ListAttendanceAsync(new ListAttendanceRequest { Parent = added.Name }, cancellationToken: _stop);
        _stage.Expect(attendance.AbsencePattern, "the absence is a pattern, and a task for the case worker");
        _stage.Expect(
            await Read(DemonstrationDirectory.ChildPsychiatry, elias) is { } told && !told.ToString().Contains(DemonstrationDirectory.School.UnitId, StringComparison.Ordinal),
            "BUP takes part, and does not learn which school it is");
    }

    private SchoolArrangement EliasSchool() => new()
    {
        SchoolUnit = "units/" + DemonstrationDirectory.School.UnitId,
        Form = SchoolForm.Compulsory,
        Solution = SchoolSolution.MunicipalityOfStay,
        StartDate = _halfAYear.StartDate,
        FollowUpDate = _halfAYear.EndDate,
        SchoolContact = "employees/" + DemonstrationDirectory.School.Id,
        CaseWorker = "employees/" + DemonstrationDirectory.CaseWorker.Id,
        SupportNeeds = "Lugn plats, extra tid, en vuxen att gå till.",
        ChildsWords = "Jag vill gå i skolan som vanligt.",
        Alias = new PupilAlias { GivenName = "Kim", FamilyName = "Ek" },
        ContactForSchool = "Handläggare för skolgång",
        ContactPhone = "08-000 00 00",
        SafeContactRules = "Ring kontaktpersonen, aldrig familjen.",
        PickUpRules = "Bara den som kontaktpersonen har sagt.",
    };

    private async Task Emergency(Plan elias)
    {
        _stage.Step("A night: a doctor on call opens emergency access to Elias, and so does Jonas");
        var doctors = await OpenAndRead(DemonstrationDirectory.Psychiatry);
        _stage.Expect(
            doctors.Any(plan => plan.Name == elias.Name && plan.SocialSituation.Length == 0 && !plan.ToString().Contains("KRISCENTRUM", StringComparison.Ordinal)),
            "the doctor reads what a life may hang on, for an hour at most; nothing of the violence or the shelter");
        _stage.Expect((await OpenAndRead(DemonstrationDirectory.Jonas)).Count == 0, "Jonas reads that there is nothing, as for a person whom nobody knows");
        var alerts = (await As(DemonstrationDirectory.CaseWorker).Oversight.ListAlertsAsync(new ListAlertsRequest(), cancellationToken: _stop)).Alerts;
        _stage.Expect(alerts.Any(alert => alert.Kind == AlertKind.EmergencyAccess && alert.Plan == elias.Name), "RVT hears of it at once, and its manager must review it");

        async Task<IList<Plan>> OpenAndRead(DemonstrationEmployee employee)
        {
            var service = As(employee).EmergencyAccess;
            var access = await service.OpenEmergencyAccessAsync(
                new OpenEmergencyAccessRequest
                {
                    Person = DemonstrationPersons.Elias.IdentityNumber,
                    Reason = EmergencyReason.UrgentCare,
                    Explanation = "Inkommen akut, kan inte svara för sig.",
                    RequestId = NewId(),
                },
                cancellationToken: _stop);
            return (await service.ReadEmergencyPlansAsync(new ReadEmergencyPlansRequest { Name = access.EmergencyAccess.Name }, cancellationToken: _stop)).Plans;
        }
    }

    private async Task<string?> Address(DemonstrationEmployee employee, string whereabouts)
    {
        try
        {
            return (await As(employee).Protection.GetWhereaboutsAsync(new GetWhereaboutsRequest { Name = whereabouts }, cancellationToken: _stop)).Whereabouts.Address;
        }
        catch (RpcException error) when (error.StatusCode == StatusCode.PermissionDenied)
        {
            return null;
        }
    }

    private async Task WhatEachPartySees(Plan sara, Plan elias)
    {
        _stage.Step("What each party sees");
        var rows = new List<string[]>();
        foreach (var (plan, name, employees) in new[]
        {
            (sara, "Sara", new[] { DemonstrationDirectory.CaseWorker, DemonstrationDirectory.PrimaryCare, DemonstrationDirectory.ChildPsychiatry, DemonstrationDirectory.OtherCaseWorker, DemonstrationDirectory.Jonas, DemonstrationDirectory.Colleague }),
            (elias, "Elias", [DemonstrationDirectory.CaseWorker, DemonstrationDirectory.ChildPsychiatry, DemonstrationDirectory.Shelter, DemonstrationDirectory.School, DemonstrationDirectory.PrimaryCare, DemonstrationDirectory.Jonas]),
        })
        {
            foreach (var employee in employees)
            {
                var seen = await Read(employee, plan);
                rows.Add([name, employee.DisplayName, Stage.Describe(seen)]);
                if (seen is not null && employee != DemonstrationDirectory.CaseWorker)
                {
                    _stage.Expect(seen.Consents.Count == 0, $"{employee.DisplayName}: the consents stay with the owning unit");
                    _stage.Expect(
                        employee == DemonstrationDirectory.Shelter || !seen.ToString().Contains("KRISCENTRUM", StringComparison.Ordinal),
                        $"{employee.DisplayName}: nothing about the shelter");
                }
            }
        }

        _stage.Table("Reading the plans", ["Plan", "Who", "Sees"], rows);
        _stage.Expect((await Read(DemonstrationDirectory.CaseWorker, sara))!.Participations.Any(part => part.Unit.EndsWith("KRISCENTRUM", StringComparison.Ordinal)), "the case worker sees that the shelter takes part");
        var school = await Read(DemonstrationDirectory.School, elias);
        _stage.Expect(school is { Subject: null, SocialSituation: "", Goals.Count: 0, Participations.Count: 0, OwningUnit: "" },
            "the school sees that there is a plan, and not whose it is, the violence, the parties or where he comes from");
    }

    private async Task AnOutsiderLearnsNothing(Plan plan)
    {
        _stage.Step("Jonas, logged in as a nurse, looks for the plan");
        var existing = await RefusalOf(plan.Name);
        var invented = await RefusalOf($"plans/{Guid.CreateVersion7():D}");
        _stage.Expect(existing.SequenceEqual(invented), $"the same {existing.Length} bytes for Sara's plan and for one that was never made");
        var list = await As(DemonstrationDirectory.Jonas).Plans.ListPlansAsync(new ListPlansRequest(), cancellationToken: _stop);
        _stage.Expect(list.Plans.Count == 0, "his list of plans is empty");
    }

    private async Task Withdraw(Plan plan, Consent consent)
    {
        _stage.Step("Sara withdraws her consent for primary care");
        await As(DemonstrationDirectory.CaseWorker).Consents.WithdrawConsentAsync(
            new WithdrawConsentRequest { Name = consent.Name, Etag = consent.Etag, RequestId = NewId() }, cancellationToken: _stop);
        _stage.Expect(await Read(DemonstrationDirectory.PrimaryCare, plan) is null, "primary care's reads stop at once");
    }

    private async Task Close(Plan elias)
    {
        _stage.Step("Elias's plan is closed");
        var closed = await As(DemonstrationDirectory.CaseWorker).Plans.ClosePlanAsync(
            new ClosePlanRequest { Name = elias.Name, Etag = elias.Etag, Reason = PlanClosingReason.Replaced, RequestId = NewId() }, cancellationToken: _stop);
        _stage.Expect(closed.Plan.State == PlanState.Closed, "it is closed");
        _stage.Expect(await Read(DemonstrationDirectory.School, elias) is null, "nobody but the owning unit reads it any more");
    }

    private async Task WhatTheLogSays(Plan plan)
    {
        _stage.Step("The log reviewer of the board that owns the case sees it all, and no plan content");
        var log = await As(DemonstrationDirectory.LogReviewer).AccessLog.SearchAccessLogAsync(
            new SearchAccessLogRequest
            {
                StartTime = _began,
                EndTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddMinutes(1)),
                Plan = plan.Name,
                PageSize = 500,
            },
            cancellationToken: _stop);
        _stage.Table(
            "The access log of Sara's plan, newest first",
            ["Time", "Who", "Act", "Outcome", "Why", "Disclosed"],
            log.Entries.Select(entry => new[]
            {
                SwedishTime.ToSwedishClock(entry.Time.ToDateTimeOffset()),
                DemonstrationDirectory.Employees.FirstOrDefault(employee => entry.Employee == "employees/" + employee.Id)?.DisplayName ?? entry.Employee,
                Stage.Words(entry.Act.ToString()),
                Stage.Words(entry.Outcome.ToString()),
                Stage.Words(entry.Reason),
                string.Join(", ", entry.Categories.Select(category => Stage.Words(category.ToString()))),
            }));
        _stage.Expect(log.Entries.Any(entry => entry.Outcome == AccessOutcome.Refused && entry.Employee.EndsWith(DemonstrationDirectory.Jonas.Id, StringComparison.Ordinal)), "Jonas's attempts are there");
        _stage.Expect(log.Entries.Any(entry => entry.Act == Act.CreatePlan) && log.Entries.Any(entry => entry.Act == Act.WithdrawConsent), "from the opening to the withdrawal");
    }

    private CoordinationPlanClients As(DemonstrationEmployee employee) =>
        _connections[DevelopmentInfrastructure.ClientOf(employee)].For(_infrastructure.Choice(employee));

    private async Task<Plan?> Read(DemonstrationEmployee employee, Plan plan)
    {
        try
        {
            return (await As(employee).Plans.GetPlanAsync(new GetPlanRequest { Name = plan.Name }, cancellationToken: _stop)).Plan;
        }
        catch (RpcException error) when (error.StatusCode == StatusCode.PermissionDenied)
        {
            return null;
        }
    }

    private async Task<byte[]> RefusalOf(string plan)
    {
        try
        {
            await As(DemonstrationDirectory.Jonas).Plans.GetPlanAsync(new GetPlanRequest { Name = plan }, cancellationToken: _stop);
            return [];
        }
        catch (RpcException error)
        {
            return error.GetRpcStatus()!.ToByteArray();
        }
    }

    private async Task Join(Plan plan, string unitId) =>
        await As(DemonstrationDirectory.CaseWorker).Participations.AddParticipationAsync(
            new AddParticipationRequest
            {
                Parent = plan.Name,
                Participation = new Participation { Unit = "units/" + unitId, Period = _halfAYear },
                Etag = plan.Etag,
                RequestId = NewId(),
            },
            cancellationToken: _stop);

    private async Task<Consent> RecordConsent(Plan plan, DemonstrationEmployee recipient, Purpose purpose, ConsentGiver giver, IEnumerable<InformationCategory> categories) =>
        (await As(DemonstrationDirectory.CaseWorker).Consents.RecordConsentAsync(
            new RecordConsentRequest
            {
                Parent = plan.Name,
                Consent = new Consent
                {
                    State = ConsentState.Given,
                    RecipientUnits = { "units/" + recipient.UnitId },
                    Categories = { categories },
                    Purpose = purpose,
                    Period = _halfAYear,
                    Form = ConsentForm.Oral,
                    GivenBy = giver,
                },
                Etag = plan.Etag,
                RequestId = NewId(),
            },
            cancellationToken: _stop)).Consent;

    private async Task<Intervention> AddIntervention(PlanService.PlanServiceClient plans, Plan plan, Goal goal, string unitId, string title) =>
        (await plans.AddInterventionAsync(
            new AddInterventionRequest
            {
                Parent = plan.Name,
                Intervention = new Intervention { Title = title, ResponsibleUnit = "units/" + unitId, Goals = { goal.Name }, Period = _halfAYear },
                Etag = plan.Etag,
                RequestId = NewId(),
            },
            cancellationToken: _stop)).Intervention;

    private static string NewId() => Guid.CreateVersion7().ToString("D");

    private static Date ToDate(DateOnly day) => new() { Year = day.Year, Month = day.Month, Day = day.Day };
}
