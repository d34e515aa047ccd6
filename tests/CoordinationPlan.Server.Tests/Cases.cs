using CoordinationPlan.Client;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Law;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf.WellKnownTypes;
using Google.Type;
using Grpc.Core;

namespace CoordinationPlan.Server.Tests;

/// <summary>What tests need cases for, in the words of the field.</summary>
public static class Cases
{
    private static int _persons;
    private static int _ofAnAge;

    public const string City = "organisations/" + DemonstrationDirectory.City;

    /// <summary>Today and half a year on.</summary>
    public static DatePeriod HalfAYear => Period(0, 180);

    public static string NewId() => Guid.CreateVersion7().ToString("D");

    /// <summary>A period by days from today.</summary>
    public static DatePeriod Period(int from, int? to) => new()
    {
        StartDate = ToDate(TimeProvider.System.Today().AddDays(from)),
        EndDate = to is { } days ? ToDate(TimeProvider.System.Today().AddDays(days)) : null,
    };

    public static Date ToDate(DateOnly day) => new() { Year = day.Year, Month = day.Month, Day = day.Day };

    public static Date Today => ToDate(TimeProvider.System.Today());

    public static Date InMonths(int months) => ToDate(TimeProvider.System.Today().AddMonths(months));

    /// <summary>A test person whom no other test has, and whose file is not kept for good.</summary>
    public static Subject NewPerson(int? yearsOld = null)
    {
        int n;
        DateOnly born;
        do
        {
            // Those of an age have a year's days alone: counted apart, so that they are used up by nobody else.
            n = yearsOld is null ? Interlocked.Increment(ref _persons) : Interlocked.Increment(ref _ofAnAge);
            born = yearsOld is { } years ? TimeProvider.System.Today().AddYears(-years).AddDays(-1 - (n % 300)) : new DateOnly(1950, 1, 1).AddDays(n / 2);
        }
        while (PlanRetention.SampledBirths.Holds(born));

        var digits = born.ToString("yyyyMMdd", System.Globalization.CultureInfo.InvariantCulture) + (n % 2 == 0 ? "238" : "239");
        return NewPerson(yearsOld is null ? n : n + 1_000_000, digits);
    }

    /// <summary>A test person born on a day.</summary>
    public static Subject NewPerson(DateOnly born) => NewPerson(Interlocked.Increment(ref _persons), born.ToString("yyyyMMdd", System.Globalization.CultureInfo.InvariantCulture) + "238");

    private static Subject NewPerson(int n, string digits)
    {
        return new Subject
        {
            IdentityNumber = new() { Kind = IdentityNumberKind.Personal, Value = digits + IdentityNumbers.CheckDigit(digits.AsSpan(2)) },
            GivenName = "Prov" + n,
            FamilyName = "Testsson",
        };
    }

    public static async Task<Plan> OpenAndClosePlan(this Service service, Subject? subject = null)
    {
        var plan = await service.OpenPlan(subject ?? NewPerson());
        return (await service.CaseWorker.Plans.ClosePlanAsync(new ClosePlanRequest
        {
            Name = plan.Name,
            Reason = PlanClosingReason.NoLongerNeeded,
            Etag = plan.Etag,
            RequestId = NewId(),
        })).Plan;
    }

    public static Block BlockOf(DemonstrationEmployee employee) =>
        new() { Employee = "employees/" + employee.Id, Ground = BlockGround.LinkedToViolentPerson, DecideDate = Today };

    public static LocationSecrecy SecretFromJonas() => new()
    {
        Guardian = DemonstrationPersons.Jonas,
        Ground = "OSL 12 kap. 3 §",
        Decider = "Sociala delegationen",
        DecideDate = Today,
        ReviewDate = InMonths(6),
    };

    public static async Task<Block> BlockEmployee(this Service service, Plan plan, DemonstrationEmployee employee) =>
        (await service.CaseWorker.Protection.AddBlockAsync(new AddBlockRequest { Parent = plan.Name, Block = BlockOf(employee), Etag = plan.Etag, RequestId = NewId() })).Block;

    public static async Task<LocationSecrecy> KeepSecretFromJonas(this Service service, Plan plan) =>
        (await service.CaseWorker.Protection.DecideLocationSecrecyAsync(
            new DecideLocationSecrecyRequest { Parent = plan.Name, LocationSecrecy = SecretFromJonas(), Etag = plan.Etag, RequestId = NewId() })).LocationSecrecy;

    public static async Task Protect(this Service service, Plan plan, ProtectionLevel level) =>
        await service.CaseWorker.Protection.DecideProtectionLevelAsync(new DecideProtectionLevelRequest
        {
            Parent = plan.Name,
            Decision = new ProtectionDecision { Level = level, Source = ProtectionSource.UnitAssessment, DecideDate = Today },
            Etag = plan.Etag,
            RequestId = NewId(),
        });

    public static string UnitOf(DemonstrationEmployee employee) => "units/" + employee.UnitId;

    public static async Task<Plan> OpenPlan(this Service service, Subject? subject = null, string socialSituation = "Våld i en nära relation.", DemonstrationEmployee? owner = null) =>
        (await service.As(owner ?? DemonstrationDirectory.CaseWorker).Plans.CreatePlanAsync(new CreatePlanRequest
        {
            Plan = new Plan { Subject = subject ?? NewPerson(), SocialSituation = socialSituation, HealthSituation = "Sömnbesvär." },
            RequestId = NewId(),
        })).Plan;

    /// <summary>A school's suggestion to a unit that somebody needs a plan.</summary>
    public static SuggestPlanRequest NewSuggestion(Subject person, DemonstrationEmployee recipient) => new()
    {
        PlanSuggestion = new PlanSuggestion
        {
            Subject = person,
            RecipientUnit = UnitOf(recipient),
            Reason = "Eleven kommer sällan och är rädd att gå hem.",
            Contact = "Mentorn, säkrast före lunch",
        },
        RequestId = NewId(),
    };

    /// <summary>What the school suggests of a person, as the receiving unit would list it: its name and etag.</summary>
    public static async Task<PlanSuggestion> Suggest(this Service service, Subject person, DemonstrationEmployee recipient)
    {
        await service.As(DemonstrationDirectory.School).Suggestions.SuggestPlanAsync(NewSuggestion(person, recipient));
        await using var command = service.Administrator.CreateCommand("SELECT suggestion_id FROM coordinationplan.plan_suggestion ORDER BY created_at DESC LIMIT 1");
        var id = (Guid)(await command.ExecuteScalarAsync())!;
        return new PlanSuggestion { Name = ResourceName.PlanSuggestion(id), Etag = Etag.Of(id, 1) };
    }

    public static Meeting NewMeeting(TimeSpan fromNow, MeetingKind kind = MeetingKind.Planning) => new()
    {
        Kind = kind,
        StartTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().Add(fromNow)),
        Form = MeetingForm.Room,
        Place = "Sammanträdesrum 3",
        Agenda = "Vad är viktigt för dig?",
    };

    /// <summary>A meeting that the units of the employees are called to, with the person's leave.</summary>
    public static async Task<Meeting> CallMeeting(
        this Service service, Plan plan, IEnumerable<DemonstrationEmployee> called, TimeSpan fromNow, MeetingKind kind = MeetingKind.Planning) =>
        (await service.CaseWorker.Meetings.CallMeetingAsync(new CallMeetingRequest
        {
            Parent = plan.Name,
            Meeting = NewMeeting(fromNow, kind),
            Units = { called.Select(UnitOf) },
            PersonPermitsInvitations = true,
            Etag = plan.Etag,
            RequestId = NewId(),
        })).Meeting;

    /// <summary>Sets when anything was last written about a plan's person to twelve years ago, as if the time had passed.</summary>
    public static async Task LetRetentionPass(this Service service, Plan plan)
    {
        const string Person = "(SELECT p.subject_id FROM coordinationplan.plan p WHERE p.plan_id = $1)";
        const string Plans = $"(SELECT q.plan_id FROM coordinationplan.plan q WHERE q.subject_id = {Person})";
        foreach (var (table, column, whose) in new[]
        {
            ("plan", "changed_at", $"subject_id = {Person}"), ("consent", "changed_at", $"plan_id IN {Plans}"), ("legal_release", "changed_at", $"plan_id IN {Plans}"),
            ("block", "changed_at", $"subject_id = {Person}"), ("location_secrecy", "changed_at", $"subject_id = {Person}"), ("whereabouts", "changed_at", $"subject_id = {Person}"),
            ("protection_decision", "created_at", $"subject_id = {Person}"), ("emergency_access", "changed_at", $"subject_id = {Person}"),
        })
        {
            await using var age = service.Administrator.CreateCommand($"UPDATE coordinationplan.{table} SET {column} = {column} - interval '12 years' WHERE {whose}");
            age.Parameters.Add(new() { Value = Guid.Parse(plan.Name.AsSpan("plans/".Length)) });
            await age.ExecuteNonQueryAsync();
        }
    }

    /// <summary>Sets a called meeting's beginning to a minute ago, as if the time had passed.</summary>
    public static async Task LetBegin(this Service service, Meeting meeting)
    {
        await using var begin = service.Administrator.CreateCommand("UPDATE coordinationplan.meeting SET starts_at = clock_timestamp() - interval '1 minute' WHERE meeting_id = $1");
        begin.Parameters.Add(new() { Value = Guid.Parse(meeting.Name.AsSpan(meeting.Name.LastIndexOf('/') + 1)) });
        Assert.Equal(1, await begin.ExecuteNonQueryAsync());
    }

    /// <summary>An order of school transport with a text.</summary>
    public static Disclosure NewDisclosure(string text) => new()
    {
        Kind = DisclosureKind.Transport,
        Ground = "SKOL_10_33",
        DecisionReference = "BESLUT 77",
        ReceiverName = "Taxibolaget, beställningen",
        Document = new() { Text = text },
    };

    public static RiskAssessment NewRiskAssessment() => new()
    {
        Instrument = RiskInstrument.Freda,
        InstrumentVersion = "farlighetsbedömning",
        AssessDate = Today,
        ReassessDate = InMonths(3),
        Acute = true,
        Sources = "Samtal med den utsatta",
        OwnEstimate = "Jag är rädd för vad som händer när han kommer hem.",
        Conclusion = "Risk för fortsatt våld.",
        Measures = "Skyddat boende.",
    };

    public static async Task<Plan> Read(this Service service, DemonstrationEmployee employee, Plan plan) =>
        (await service.As(employee).Plans.GetPlanAsync(new GetPlanRequest { Name = plan.Name })).Plan;

    public static async Task<Participation> Join(this Service service, Plan plan, DemonstrationEmployee employee, DatePeriod? period = null, DemonstrationEmployee? owner = null) =>
        (await service.As(owner ?? DemonstrationDirectory.CaseWorker).Participations.AddParticipationAsync(new AddParticipationRequest
        {
            Parent = plan.Name,
            Participation = new Participation { Unit = UnitOf(employee), Period = period ?? HalfAYear },
            Etag = plan.Etag,
            RequestId = NewId(),
        })).Participation;

    public static async Task<Consent> Consent(
        this Service service, Plan plan, DemonstrationEmployee recipient, IEnumerable<InformationCategory> categories, Action<Consent>? change = null,
        DemonstrationEmployee? owner = null)
    {
        var consent = new Consent
        {
            State = ConsentState.Given,
            RecipientUnits = { UnitOf(recipient) },
            Categories = { categories },
            Purpose = recipient.Purpose,
            Period = HalfAYear,
            Form = ConsentForm.Oral,
            GivenBy = ConsentGiver.Self,
        };
        change?.Invoke(consent);
        return (await service.As(owner ?? DemonstrationDirectory.CaseWorker).Consents.RecordConsentAsync(new RecordConsentRequest
        {
            Parent = plan.Name,
            Consent = consent,
            Etag = plan.Etag,
            RequestId = NewId(),
        })).Consent;
    }

    /// <summary>A release of the social services' for a month.</summary>
    public static Release NewRelease(DemonstrationEmployee recipient, IEnumerable<InformationCategory> categories, Action<Release>? change = null)
    {
        ArgumentNullException.ThrowIfNull(recipient);
        var release = new Release
        {
            Ground = "OSL_26_9_ADDICTION",
            RecipientUnits = { UnitOf(recipient) },
            Categories = { categories },
            Purpose = recipient.Purpose,
            Period = Period(0, 40),
            Decider = "Enhetschef enligt delegation 4.2",
            Reason = "Behövs för vården. Mindre räcker inte.",
        };
        change?.Invoke(release);
        return release;
    }

    public static async Task<Release> Release(
        this Service service, Plan plan, DemonstrationEmployee recipient, IEnumerable<InformationCategory> categories, Action<Release>? change = null) =>
        (await service.CaseWorker.Releases.RecordReleaseAsync(new RecordReleaseRequest
        {
            Parent = plan.Name,
            Release = NewRelease(recipient, categories, change),
            Etag = plan.Etag,
            RequestId = NewId(),
        })).Release;

    public static async Task<EmergencyAccess> OpenEmergencyAccess(this Service service, DemonstrationEmployee employee, Subject person, int minutes = 0) =>
        (await service.As(employee).EmergencyAccess.OpenEmergencyAccessAsync(new OpenEmergencyAccessRequest
        {
            Person = person.IdentityNumber,
            Reason = EmergencyReason.UrgentCare,
            Explanation = "Medvetslös på akuten.",
            Minutes = minutes,
            RequestId = NewId(),
        })).EmergencyAccess;

    /// <summary>An arrangement with a school that takes part and that schooling is released to, with a place from 60 days ago on.</summary>
    public static async Task<SchoolArrangement> SecureSchool(
        this Service service, Plan plan, DemonstrationEmployee? school = null, Action<SchoolArrangement>? change = null, IEnumerable<InformationCategory>? categories = null)
    {
        school ??= DemonstrationDirectory.School;
        await service.Join(plan, school);
        await service.Consent(plan, school, categories ?? [InformationCategory.Identity, InformationCategory.Schooling, InformationCategory.ContactDetails, InformationCategory.ProtectionMeasures]);
        var arrangement = NewArrangement(school);
        change?.Invoke(arrangement);
        var added = (await service.CaseWorker.Schooling.AddSchoolArrangementAsync(new()
        {
            Parent = plan.Name,
            SchoolArrangement = arrangement,
            Etag = plan.Etag,
            RequestId = NewId(),
        })).SchoolArrangement;
        return await service.Advance(added, SchoolArrangementState.Secured);
    }

    /// <summary>One more school of the organiser of <see cref="DemonstrationDirectory.School"/>.</summary>
    public static async Task AddSchool(this Service service, string code) =>
        await service.As(DemonstrationDirectory.Administrator).Directory.PutUnitAsync(new()
        {
            Unit = new()
            {
                Name = "units/" + code,
                Organisation = "organisations/" + DemonstrationDirectory.OtherMunicipality,
                Kind = UnitKind.School,
                DisplayName = "En skola till",
                SchoolUnitCode = code,
            },
            Etag = "new",
            RequestId = NewId(),
        });

    /// <summary>All that a place in a school demands.</summary>
    public static SchoolArrangement NewArrangement(DemonstrationEmployee school) => new()
    {
        SchoolUnit = UnitOf(school),
        Form = SchoolForm.Compulsory,
        Solution = SchoolSolution.MunicipalityOfStay,
        StartDate = Period(-60, null).StartDate,
        SchoolContact = "employees/" + school.Id,
        SchoolContactDetails = "Rektorsexpeditionen, vardagar",
        CaseWorker = "employees/" + DemonstrationDirectory.CaseWorker.Id,
        SupportNeeds = "Behöver en lugn plats och extra tid.",
        ChildsWords = "Jag vill gå i skolan som vanligt.",
        ContactForSchool = "Handläggare för skolgång",
        ContactPhone = "08-000 00 00",
        SafeContactRules = "Ring bara kontaktpersonen.",
        PickUpRules = "Bara mamma hämtar.",
    };

    public static async Task<SchoolArrangement> Advance(this Service service, SchoolArrangement arrangement, SchoolArrangementState state, Date? last = null) =>
        (await service.CaseWorker.Schooling.AdvanceSchoolArrangementAsync(new()
        {
            Name = arrangement.Name,
            State = state,
            LastDate = last,
            Etag = arrangement.Etag,
            RequestId = NewId(),
        })).SchoolArrangement;

    /// <summary>The hours of a week, so many weeks ago.</summary>
    public static AttendanceWeek WeekOf(int weeksAgo, int possible, int attended, int valid, int invalid)
    {
        var day = TimeProvider.System.Today().AddDays(-7 * weeksAgo).ToDateTime(TimeOnly.MinValue);
        return new()
        {
            Year = System.Globalization.ISOWeek.GetYear(day),
            Week = System.Globalization.ISOWeek.GetWeekOfYear(day),
            HoursPossible = possible,
            HoursAttended = attended,
            HoursAbsentValid = valid,
            HoursAbsentInvalid = invalid,
        };
    }

    public static async Task<Goal> AddGoal(this Service service, Plan plan, string title = "Trygghet") =>
        (await service.CaseWorker.Plans.AddGoalAsync(new AddGoalRequest { Parent = plan.Name, Goal = new Goal { Title = title }, Etag = plan.Etag, RequestId = NewId() })).Goal;

    public static async Task<Intervention> AddIntervention(this Service service, Plan plan, DemonstrationEmployee responsible, string title = "Stöd") =>
        (await service.CaseWorker.Plans.AddInterventionAsync(new AddInterventionRequest
        {
            Parent = plan.Name,
            Intervention = new Intervention { Title = title, ResponsibleUnit = UnitOf(responsible) },
            Etag = plan.Etag,
            RequestId = NewId(),
        })).Intervention;

    public static async Task<OtherMeasure> AddOtherMeasure(this Service service, Plan plan, string title = "Rådgivning") =>
        (await service.CaseWorker.Plans.AddOtherMeasureAsync(new AddOtherMeasureRequest
        {
            Parent = plan.Name,
            OtherMeasure = new OtherMeasure { Title = title, TakenBy = "Kvinnojour" },
            Etag = plan.Etag,
            RequestId = NewId(),
        })).OtherMeasure;

    /// <summary>A protection measure for the employee's unit, or for every unit.</summary>
    public static async Task<ProtectionMeasure> AddProtectionMeasure(
        this Service service, Plan plan, DemonstrationEmployee? concerned = null, string instruction = "Lämna inga meddelanden.") =>
        (await service.CaseWorker.Plans.AddProtectionMeasureAsync(new AddProtectionMeasureRequest
        {
            Parent = plan.Name,
            ProtectionMeasure = new ProtectionMeasure { Instruction = instruction, Unit = concerned is null ? "" : UnitOf(concerned) },
            Etag = plan.Etag,
            RequestId = NewId(),
        })).ProtectionMeasure;

    /// <summary>A plan with all that the law asks for, not established yet.</summary>
    public static async Task<Plan> OpenCompletePlan(this Service service, Subject? subject = null)
    {
        var plan = await service.OpenPlan(subject);
        await service.AddGoal(plan);
        await service.AddIntervention(plan, DemonstrationDirectory.CaseWorker);
        await service.AddOtherMeasure(plan);
        await service.Consent(plan, DemonstrationDirectory.PrimaryCare, [InformationCategory.GoalsAndInterventions]);
        return (await service.CaseWorker.Plans.UpdatePlanAsync(new UpdatePlanRequest
        {
            Plan = new Plan { Name = plan.Name, LeadPrincipal = City },
            UpdateMask = new() { Paths = { "lead_principal" } },
            Etag = plan.Etag,
            RequestId = NewId(),
        })).Plan;
    }

    /// <summary>What the region's system says of a unit's part in a plan.</summary>
    public static ParticipationItem Item(Plan plan, DemonstrationEmployee unit, string externalId = "vårdrelation-1", long version = 1, DatePeriod? period = null, bool ended = false) => new()
    {
        Plan = plan.Name,
        Unit = UnitOf(unit),
        ExternalId = externalId,
        ExternalVersion = version,
        // The same each time, so that the same version says the same.
        ExternalTime = Timestamp.FromDateTimeOffset(new DateTimeOffset(TimeProvider.System.Today().AddDays(-1), TimeOnly.MinValue, TimeSpan.Zero).AddHours(version)),
        Role = ParticipantRole.NamedCareContact,
        NamedCareContact = new() { Employee = "employees/SE2321000016-E999", DisplayName = "Vera Vårdkontakt" },
        Period = period ?? HalfAYear,
        Ended = ended,
    };

    /// <summary>What becomes of it, item by item.</summary>
    public static async Task<IReadOnlyList<ParticipationItemResult>> Sync(this Service service, params ParticipationItem[] items) =>
        (await service.As(DemonstrationDirectory.RegionIntegration).ParticipationSync.BatchSyncParticipationsAsync(new() { Items = { items }, RequestId = NewId() })).Results;

    /// <summary>What has been done with a plan in these hours.</summary>
    public static SearchAccessLogRequest SearchOfTheLog(Plan plan) => new()
    {
        StartTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddHours(-1)),
        EndTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddHours(1)),
        Plan = plan.Name,
    };

    /// <summary>The first thing that the owning unit has to do in a plan.</summary>
    public static async Task<UnitTask> TaskOf(this Service service, Plan plan)
    {
        var request = new ListTasksRequest { PageSize = 500 };
        while (true)
        {
            var page = await service.CaseWorker.Oversight.ListTasksAsync(request);
            if (page.Tasks.FirstOrDefault(task => task.Subject.StartsWith(plan.Name, StringComparison.Ordinal)) is { } found)
            {
                return found;
            }

            Assert.NotEmpty(page.NextPageToken);
            request.PageToken = page.NextPageToken;
        }
    }

    /// <summary>All that has been changed until now is in order for those who are told of it.</summary>
    public static async Task Settled(this Service service)
    {
        for (var begin = TimeProvider.System.GetTimestamp(); ; await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System))
        {
            await using var command = service.Administrator.CreateCommand("SELECT NOT EXISTS (SELECT FROM coordinationplan.change_pending)");
            if ((bool)(await command.ExecuteScalarAsync())!)
            {
                return;
            }

            Assert.True(TimeProvider.System.GetElapsedTime(begin) < TimeSpan.FromSeconds(60), "Changes are not put in order.");
        }
    }

    /// <summary>Sets when everything in the feeds was put in order to so long before, as if the time had passed.</summary>
    public static async Task Reorder(this Service service, TimeSpan before)
    {
        await using var command = service.Administrator.CreateCommand("UPDATE coordinationplan.change_item SET sequenced_at = sequenced_at - $1");
        command.Parameters.Add(new() { Value = before });
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Changes somebody's assignment, as the operator's administrator does.</summary>
    public static async Task<Assignment> Reassign(this Service service, DemonstrationEmployee employee, Action<Assignment> change)
    {
        var assignment = new Assignment
        {
            Name = "assignments/" + employee.AssignmentId,
            Employee = employee.IsSystem ? "" : "employees/" + employee.Id,
            ClientSystem = employee.IsSystem ? employee.Id : "",
            Unit = UnitOf(employee),
            Role = employee.Role,
            Purposes = { employee.Purpose },
            Period = new DatePeriod { StartDate = new Date { Year = TimeProvider.System.Today().Year - 1, Month = 1, Day = 1 } },
            ProtectedPersons = employee.HandlesProtectedPersons,
        };
        change(assignment);
        var stored = service.Names.Stored(ResourceName.Assignments, assignment.Name["assignments/".Length..]);
        var version = await service.Scalar<int>($"SELECT coalesce(max(version), 0) FROM coordinationplan.assignment WHERE assignment_id = '{stored}'");
        return (await service.As(DemonstrationDirectory.Administrator).Directory.PutAssignmentAsync(
            new() { Assignment = assignment, Etag = version == 0 ? "new" : Etag.Of(assignment.Name, version), RequestId = NewId() })).Assignment;
    }

    /// <summary>
    /// The feed of the region's system, begun where it was not, as it is pulled without a cursor; one change, so that it does not hang on what else has come whether a plan's log has an entry of it.
    /// </summary>
    public static async Task<PullChangesResponse> BegunFeed(this Service service)
    {
        var changes = service.As(DemonstrationDirectory.RegionIntegration).Changes;
        var pulled = await changes.PullChangesAsync(new() { PageSize = 1 });
        if (pulled.ResyncRequired)
        {
            try
            {
                await changes.StartChangesAsync(new() { Etag = pulled.Etag, RequestId = NewId() });
            }
            catch (RpcException error) when (error.StatusCode == StatusCode.Aborted)
            {
                // Another world of the same service has begun it.
            }

            pulled = await changes.PullChangesAsync(new() { PageSize = 1 });
        }

        return pulled;
    }

    /// <summary>A recall to the region's system, as if it had been told and might not know any more.</summary>
    public static async Task<Recall> OpenRecall(this Service service, Plan plan, DemonstrationEmployee unit)
    {
        var id = Ids.Opaque();
        await using var command = service.Administrator.CreateCommand(
            """
            INSERT INTO coordinationplan.change_recall (recall_id, receiver, plan_id, unit_id, categories, due_at)
            SELECT $1, r.receiver, $2, $3, 2, clock_timestamp() + interval '1 day' FROM coordinationplan.change_receiver r WHERE r.client_system = $4
            """);
        command.Parameters.Add(new() { Value = id });
        command.Parameters.Add(new() { Value = Guid.Parse(plan.Name.AsSpan("plans/".Length)) });
        command.Parameters.Add(new() { Value = service.Names.Stored(ResourceName.Units, unit.UnitId) });
        command.Parameters.Add(new() { Value = service.Names.Stored(ResourceName.Systems, DemonstrationDirectory.RegionIntegration.Id) });
        Assert.Equal(1, await command.ExecuteNonQueryAsync());
        return new Recall { Name = ResourceName.Recall(id), Etag = Etag.Of(id, 1) };
    }

    /// <summary>The call fails with this status and reason.</summary>
    public static async Task<RpcException> Fails(this Task call, StatusCode status, ErrorReason reason)
    {
        var error = await Assert.ThrowsAsync<RpcException>(() => call);
        Assert.Equal((status, reason), (error.StatusCode, error.Reason()));
        Assert.False(string.IsNullOrEmpty(error.UserText()));
        return error;
    }

    public static Task<RpcException> Fails<T>(this AsyncUnaryCall<T> call, StatusCode status, ErrorReason reason) => Fails((Task)call.ResponseAsync, status, reason);

    public static Task<RpcException> IsRefused<T>(this AsyncUnaryCall<T> call) => call.Fails(StatusCode.PermissionDenied, ErrorReason.AccessDenied);
}
