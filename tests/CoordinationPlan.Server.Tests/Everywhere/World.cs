using System.Reflection;
using System.Runtime.CompilerServices;
using CoordinationPlan.Client;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Log;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.Server.Tests.Log;
using CoordinationPlan.V1;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace CoordinationPlan.Server.Tests.Everywhere;

/// <summary>
/// One plan with one of everything, and for every RPC of the contract a request that its rightful caller would be permitted. A new RPC has no
/// request here and makes every test that goes over all of them fail until it has.
/// </summary>
public sealed class World
{
    private static readonly ConditionalWeakTable<Service, Task<World>> SharedWorlds = [];

    private World(
        Service service, Plan plan, Goal goal, Intervention intervention, OtherMeasure measure, Participation participation, Consent consent, Release release,
        EmergencyAccess access, EmergencyAccess ownersAccess, Block block, LocationSecrecy secrecy, Plan closed)
    {
        Closed = closed;
        Block = block;
        LocationSecrecy = secrecy;
        Service = service;
        Plan = plan;
        Goal = goal;
        Intervention = intervention;
        Measure = measure;
        Participation = participation;
        Consent = consent;
        Release = release;
        Access = access;
        OwnersAccess = ownersAccess;
    }

    public Service Service { get; }

    public Plan Plan { get; }

    public Goal Goal { get; }

    public Intervention Intervention { get; }

    public OtherMeasure Measure { get; }

    public Participation Participation { get; }

    public Consent Consent { get; }

    public Block Block { get; }

    public LocationSecrecy LocationSecrecy { get; }

    /// <summary>The etag of where the person stays.</summary>
    public required string WhereaboutsEtag { get; init; }

    /// <summary>A document that was sent.</summary>
    public required Disclosure Disclosure { get; init; }

    /// <summary>The name of something that the owning unit has to do; of one that never was, where it was not looked for.</summary>
    public string TaskName { get; private set; } = "tasks/none";

    /// <summary>An entry of the log about the plan.</summary>
    public required string LogEntry { get; init; }

    /// <summary>A leaf of a log that is published.</summary>
    public required (string Origin, Guid Entry, byte[] LeafHash) Leaf { get; init; }

    /// <summary>A log whose time has passed, and a proposed disposal of another; in a world of its own for an RPC that needs neither, some that are not there.</summary>
    public (AuditLog Log, LogDisposal Proposed) Old { get; private set; } =
        (new() { Origin = "log.coordplan.test/none/1999", Etag = "old" }, new() { Name = $"logDisposals/{Ids.Opaque():D}", Etag = "old" });

    /// <summary>The etag of the board's routines.</summary>
    public required string RoutinesEtag { get; init; }

    /// <summary>A called meeting, which has begun by now.</summary>
    public required Meeting Meeting { get; init; }

    /// <summary>A proposal of the plan's content, which is still that.</summary>
    public required Proposal Proposal { get; init; }

    /// <summary>A link to another plan for the person.</summary>
    public required RelatedPlan RelatedPlan { get; init; }

    /// <summary>A secured arrangement with the school, which takes part and to which schooling is released.</summary>
    public required SchoolArrangement SchoolArrangement { get; init; }

    /// <summary>A protection measure that concerns every unit.</summary>
    public required ProtectionMeasure ProtectionMeasure { get; init; }

    /// <summary>What the region's system says of another of its units, which waits for the owning unit.</summary>
    public required SyncedParticipation Synced { get; init; }

    /// <summary>What a school has suggested to the owning unit about the same person.</summary>
    public required PlanSuggestion Suggestion { get; init; }

    /// <summary>The feed of the region's system, which has begun, as it was last pulled.</summary>
    public required PullChangesResponse Feed { get; init; }

    /// <summary>What that system is to forget.</summary>
    public required Recall Recall { get; init; }

    /// <summary>A closed plan of another person, which need not be kept any longer.</summary>
    public Plan Closed { get; }

    public Release Release { get; }

    /// <summary>An emergency access to the plan's person, as the one who opened it knows it.</summary>
    public EmergencyAccess Access { get; }

    /// <summary>The same, as the owning unit knows it.</summary>
    public EmergencyAccess OwnersAccess { get; }

    public static async Task<World> Make(Service service, Subject? subject = null)
    {
        var world = await ForOneCall(service, subject);
        world.TaskName = (await service.TaskOf(world.Plan)).Name;
        return world;
    }

    /// <summary>One without a task's name, which is looked for among the tasks of all that were made before.</summary>
    private static async Task<World> ForOneCall(Service service, Subject? subject)
    {
        var plan = await service.OpenCompletePlan(subject);
        var participation = await service.Join(plan, DemonstrationDirectory.PrimaryCare);
        var release = await service.Release(plan, DemonstrationDirectory.PrimaryCare, [InformationCategory.Identity]);
        var access = await service.OpenEmergencyAccess(DemonstrationDirectory.PrimaryCare, plan.Subject);
        var accesses = await service.CaseWorker.EmergencyAccess.ListEmergencyAccessesAsync(new() { Parent = plan.Name });
        var read = await service.Read(DemonstrationDirectory.CaseWorker, plan);
        var meeting = await service.CallMeeting(plan, [DemonstrationDirectory.CaseWorker, DemonstrationDirectory.PrimaryCare], TimeSpan.FromDays(1));
        await service.LetBegin(meeting);
        var related = (await service.CaseWorker.Plans.AddRelatedPlanAsync(new()
        {
            Parent = plan.Name,
            RelatedPlan = new() { Kind = RelatedPlanKind.CarePlan, Owner = "Geriatrikmottagningen" },
            Etag = plan.Etag,
            RequestId = Cases.NewId(),
        })).RelatedPlan;
        var protectionMeasure = await service.AddProtectionMeasure(plan);
        var proposal = (await service.CaseWorker.Plans.ProposeRevisionAsync(new() { Parent = plan.Name, Etag = plan.Etag, RequestId = Cases.NewId() })).Proposal;
        var block = await service.BlockEmployee(plan, DemonstrationDirectory.Colleague);
        var secrecy = await service.KeepSecretFromJonas(plan);
        var arrangement = await service.SecureSchool(plan);
        // Whereabouts are the person's, and another world of the same person may have written them.
        var whereabouts = (await service.CaseWorker.Protection.GetWhereaboutsAsync(new() { Name = plan.Name + "/whereabouts" })).Whereabouts;
        var disclosure = (await service.CaseWorker.Disclosures.RecordDisclosureAsync(new()
        {
            Parent = plan.Name,
            Disclosure = Cases.NewDisclosure("Hämtas vid skolan."),
            Etag = plan.Etag,
            RequestId = Cases.NewId(),
        })).Disclosure;
        var routines = await service.As(DemonstrationDirectory.UnitManager).Routines.ListSchoolRoutinesAsync(new());
        await service.Sync(Cases.Item(plan, DemonstrationDirectory.Ward));
        var synced = await service.CaseWorker.ParticipationSync.ListSyncedParticipationsAsync(new() { Parent = plan.Name });
        var closed = await service.OpenAndClosePlan();
        await service.LetRetentionPass(closed);
        // Of another person: what is released for the feed would open this plan too.
        var told = await service.OpenPlan(Cases.NewPerson());
        await service.Join(told, DemonstrationDirectory.ChildPsychiatry);
        await service.Consent(told, DemonstrationDirectory.ChildPsychiatry, [InformationCategory.Meetings]);
        var feed = await service.BegunFeed();
        return new World(
            service, plan, read.Goals[0], read.Interventions[0], read.OtherMeasures[0], participation, read.Consents[0], release, access, accesses.EmergencyAccesses[0],
            block, secrecy, closed)
        {
            WhereaboutsEtag = whereabouts.Etag,
            Feed = feed,
            Recall = await service.OpenRecall(told, DemonstrationDirectory.ChildPsychiatry),
            RoutinesEtag = routines.Etag,
            Leaf = await service.PublishedLeaf(),
            LogEntry = (await service.As(DemonstrationDirectory.LogReviewer).AccessLog.SearchAccessLogAsync(Cases.SearchOfTheLog(plan))).Entries[0].Name,
            Disclosure = disclosure,
            Meeting = meeting,
            Proposal = proposal,
            RelatedPlan = related,
            ProtectionMeasure = protectionMeasure,
            SchoolArrangement = arrangement,
            Synced = synced.SyncedParticipations.Single(),
            Suggestion = await service.Suggest(plan.Subject, DemonstrationDirectory.CaseWorker),
        };
    }

    /// <summary>
    /// One world for all who leave it as it is: a call that only reads, or is refused, finds the same as in a world of its own. Of a person of its own, because
    /// what is decided about a person holds in every plan.
    /// </summary>
    public static Task<World> Shared(Service service) => SharedWorlds.GetValue(service, static async service => await (await Make(service, Cases.NewPerson())).WithOldLogs());

    /// <summary>A world in which the call may leave something behind: of its own where the RPC changes something.</summary>
    public static async Task<World> For(Service service, MethodDescriptor method)
    {
        var world = await (!ChangingMethods.Contains(method) ? Shared(service) : ForOneCall(service, null));
        if (method.Service.Name == "ChangeFeedService")
        {
            await service.Settled();
        }

        return method.Name is "ProposeLogDisposal" or "ApproveLogDisposal" ? await world.WithOldLogs() : world;
    }

    /// <summary>Every RPC of the contract.</summary>
    public static IEnumerable<MethodDescriptor> Methods => Contract.Services.SelectMany(service => service.Methods);

    /// <summary>The RPCs that name a plan, or something in one.</summary>
    public static IEnumerable<MethodDescriptor> PlanMethods => Methods.Where(method =>
        method.Service.Name is not ("AccessLogService" or "DirectoryService" or "SuggestionService" or "IndicatorService" or "SchoolRoutineService" or "AuditService") && method.Name is not ("SyncParticipations" or "BatchSyncParticipations" or "CreatePlan" or "ListPlans" or "FindPlans" or "DeclareRelation" or "ListAlerts" or "ListTasks" or "GetTask" or "ListLegalGrounds" or "OpenEmergencyAccess" or "ReadEmergencyPlans")
        && method is not { Service.Name: "ChangeFeedService", Name: not "ListDeliveries" });

    /// <summary>What is made anew, from nothing that could have changed; and what a system says, which has a version of its own.</summary>
    public static bool IsWithoutEtag(MethodDescriptor method) => method.Name is "SyncParticipations" or "BatchSyncParticipations" or "CreatePlan" or "DeclareRelation" or "OpenEmergencyAccess" or "SuggestPlan";

    /// <summary>The RPCs that change something.</summary>
    public static IEnumerable<MethodDescriptor> ChangingMethods => Methods.Where(method => method.InputType.FindFieldByName("request_id") is not null);

    /// <summary>Who may make the call.</summary>
    public static DemonstrationEmployee RightfulCaller(MethodDescriptor method) => (method.Service.Name, method.Name) switch
    {
        ("AccessLogService" or "AuditService", _) => DemonstrationDirectory.LogReviewer,
        ("ChangeFeedService", not "ListDeliveries") => DemonstrationDirectory.RegionIntegration,
        ("DirectoryService", _) => DemonstrationDirectory.Administrator,
        (_, "SyncParticipations" or "BatchSyncParticipations") => DemonstrationDirectory.RegionIntegration,
        (_, "SuggestPlan") => DemonstrationDirectory.School,
        ("IndicatorService", _) or (_, "GetSchoolRoutineIndicator") => DemonstrationDirectory.Statistician,
        ("SchoolRoutineService", _) => DemonstrationDirectory.UnitManager,
        (_, "GetPupil" or "ReportAttendance") => DemonstrationDirectory.School,
        (_, "OpenEmergencyAccess" or "ReadEmergencyPlans") => DemonstrationDirectory.PrimaryCare,
        (_, "ExplainAccess" or "DisposeSubject" or "ReviewRelease" or "ReviewEmergencyAccess") => DemonstrationDirectory.UnitManager,
        _ => DemonstrationDirectory.CaseWorker,
    };

    /// <summary>A request that is permitted, and succeeds when it is the first of its kind.</summary>
    public IMessage Request(MethodDescriptor method)
    {
        var id = Cases.NewId();
        var mask = (string path) => new FieldMask { Paths = { path } };
        var number = Guid.CreateVersion7().ToString("N")[20..];
        return method.Name switch
        {
            "CreatePlan" => new CreatePlanRequest { Plan = new Plan { Subject = Cases.NewPerson() }, RequestId = id },
            "GetPlan" => new GetPlanRequest { Name = Plan.Name },
            "ListPlans" => new ListPlansRequest(),
            "UpdatePlan" => new UpdatePlanRequest { Plan = new Plan { Name = Plan.Name, SocialSituation = "Lägesbild" }, UpdateMask = mask("social_situation"), Etag = Plan.Etag, RequestId = id },
            "EstablishPlan" => new EstablishPlanRequest { Name = Plan.Name, Etag = Plan.Etag, RequestId = id },
            "ClosePlan" => new ClosePlanRequest { Name = Plan.Name, Reason = PlanClosingReason.GoalsReached, Etag = Plan.Etag, RequestId = id },
            "GetPlanReadiness" => new GetPlanReadinessRequest { Name = Plan.Name },
            "AddRelatedPlan" => new AddRelatedPlanRequest
            {
                Parent = Plan.Name,
                RelatedPlan = new RelatedPlan { Kind = RelatedPlanKind.LssPlan, Owner = "LSS-handläggare", Reference = "LSS 7" },
                Etag = Plan.Etag,
                RequestId = id,
            },
            "EndRelatedPlan" => new EndRelatedPlanRequest { Name = RelatedPlan.Name, Ending = ItemEnding.Completed, Etag = RelatedPlan.Etag, RequestId = id },
            "AddProtectionMeasure" => new AddProtectionMeasureRequest
            {
                Parent = Plan.Name,
                ProtectionMeasure = new ProtectionMeasure { Instruction = "Ring inte hem." },
                Etag = Plan.Etag,
                RequestId = id,
            },
            "UpdateProtectionMeasure" => new UpdateProtectionMeasureRequest
            {
                ProtectionMeasure = new ProtectionMeasure { Name = ProtectionMeasure.Name, Instruction = "Ring bara handläggaren." },
                UpdateMask = mask("instruction"),
                Etag = ProtectionMeasure.Etag,
                RequestId = id,
            },
            "EndProtectionMeasure" => new EndProtectionMeasureRequest { Name = ProtectionMeasure.Name, Ending = ItemEnding.Completed, Etag = ProtectionMeasure.Etag, RequestId = id },
            "AddDischargeNotice" => new AddDischargeNoticeRequest
            {
                Parent = Plan.Name,
                DischargeNotice = new DischargeNotice { Kind = DischargeNoticeKind.Admitted, NoticeTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddHours(-1)) },
                Etag = Plan.Etag,
                RequestId = id,
            },
            "ListDischargeNotices" => new ListDischargeNoticesRequest { Parent = Plan.Name },
            "ProposeRevision" => new ProposeRevisionRequest { Parent = Plan.Name, Etag = Plan.Etag, RequestId = id },
            "AnswerProposal" => new AnswerProposalRequest { Name = Proposal.Name, Answer = ProposalAnswerKind.Agrees, Etag = Proposal.Etag, RequestId = id },
            "ListProposals" => new ListProposalsRequest { Parent = Plan.Name },
            "ListPlanRevisions" => new ListPlanRevisionsRequest { Name = Plan.Name },
            "ComparePlanRevisions" => new ComparePlanRevisionsRequest { Name = Plan.Name },
            "AdvancePlan" => new AdvancePlanRequest { Name = Plan.Name, State = PlanState.Preparing, Etag = Plan.Etag, RequestId = id },
            "DeclinePlan" => new DeclinePlanRequest { Name = Plan.Name, Reason = PlanDeclineReason.PersonDoesNotWant, DecisionReference = "BESLUT-1", Etag = Plan.Etag, RequestId = id },
            "ReopenPlan" => new ReopenPlanRequest { Name = Closed.Name, Etag = Closed.Etag, RequestId = id },
            "SuggestPlan" => Cases.NewSuggestion(Cases.NewPerson(), DemonstrationDirectory.CaseWorker),
            "ListSuggestions" => new ListSuggestionsRequest { PageSize = 100 },
            "AnswerSuggestion" => new AnswerSuggestionRequest
            {
                Name = Suggestion.Name,
                Dismissal = SuggestionDismissal.NeedIsMet,
                Reference = "Dnr 2026-17",
                Etag = Suggestion.Etag,
                RequestId = id,
            },
            "ListCalls" => new ListCallsRequest { Parent = Plan.Name },
            "ListMeetings" => new ListMeetingsRequest { Parent = Plan.Name },
            "CallMeeting" => new CallMeetingRequest
            {
                Parent = Plan.Name,
                Meeting = Cases.NewMeeting(TimeSpan.FromDays(7)),
                Units = { Cases.UnitOf(DemonstrationDirectory.CaseWorker), Cases.UnitOf(DemonstrationDirectory.PrimaryCare) },
                Etag = Plan.Etag,
                RequestId = id,
            },
            "RescheduleMeeting" => new RescheduleMeetingRequest
            {
                Name = Meeting.Name,
                StartTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddDays(14)),
                Form = MeetingForm.Video,
                Etag = Meeting.Etag,
                RequestId = id,
            },
            "CancelMeeting" => new CancelMeetingRequest { Name = Meeting.Name, Etag = Meeting.Etag, RequestId = id },
            "RecordMeeting" => new RecordMeetingRequest
            {
                Name = Meeting.Name,
                AttendingUnits = { Cases.UnitOf(DemonstrationDirectory.CaseWorker) },
                Minutes = "Mötet hölls.",
                Etag = Meeting.Etag,
                RequestId = id,
            },
            "ReplyToCall" => new ReplyToCallRequest { Name = Meeting.Name, Reply = CallReply.Accepted, Etag = Meeting.Etag, RequestId = id },
            "IssueCopy" => new IssueCopyRequest { Parent = Plan.Name, Receiver = CopyReceiver.ThePerson, Etag = Plan.Etag, RequestId = id },
            "ListCopies" => new ListCopiesRequest { Parent = Plan.Name },
            "ListRiskAssessments" => new ListRiskAssessmentsRequest { Parent = Plan.Name },
            "RecordRiskAssessment" => new RecordRiskAssessmentRequest { Parent = Plan.Name, RiskAssessment = Cases.NewRiskAssessment(), Etag = Plan.Etag, RequestId = id },
            "ListSchoolArrangements" => new ListSchoolArrangementsRequest { Parent = Plan.Name },
            "AddSchoolArrangement" => new AddSchoolArrangementRequest { Parent = Plan.Name, SchoolArrangement = new SchoolArrangement { SupportNeeds = "Lugn plats" }, Etag = Plan.Etag, RequestId = id },
            "UpdateSchoolArrangement" => new UpdateSchoolArrangementRequest
            {
                SchoolArrangement = new SchoolArrangement { Name = SchoolArrangement.Name, SupportNeeds = "Lugn plats" },
                UpdateMask = mask("support_needs"),
                Etag = SchoolArrangement.Etag,
                RequestId = id,
            },
            "AdvanceSchoolArrangement" => new AdvanceSchoolArrangementRequest
            {
                Name = SchoolArrangement.Name,
                State = SchoolArrangementState.InPlace,
                Etag = SchoolArrangement.Etag,
                RequestId = id,
            },
            "RecordHandoverStep" => new RecordHandoverStepRequest
            {
                Name = SchoolArrangement.Name,
                Step = HandoverStepKind.LeavingSchool,
                TakeDate = Cases.Today,
                Reference = "ANT-1",
                Etag = SchoolArrangement.Etag,
                RequestId = id,
            },
            "ListAttendance" => new ListAttendanceRequest { Parent = SchoolArrangement.Name },
            "GetPupil" => new GetPupilRequest { Name = Plan.Name + "/pupil" },
            "ReportAttendance" => new ReportAttendanceRequest { Name = Plan.Name + "/pupil", Attendance = Cases.WeekOf(0, 20, 18, 2, 0), Etag = "new", RequestId = id },
            "AddGoal" => new AddGoalRequest { Parent = Plan.Name, Goal = new Goal { Title = "Mål" }, Etag = Plan.Etag, RequestId = id },
            "UpdateGoal" => new UpdateGoalRequest { Goal = new Goal { Name = Goal.Name, Title = "Mål" }, UpdateMask = mask("title"), Etag = Goal.Etag, RequestId = id },
            "EndGoal" => new EndGoalRequest { Name = Goal.Name, Ending = ItemEnding.Completed, Etag = Goal.Etag, RequestId = id },
            "AddIntervention" => new AddInterventionRequest
            {
                Parent = Plan.Name,
                Intervention = new Intervention { Title = "Insats", ResponsibleUnit = Cases.UnitOf(DemonstrationDirectory.CaseWorker) },
                Etag = Plan.Etag,
                RequestId = id,
            },
            "UpdateIntervention" => new UpdateInterventionRequest
            {
                Intervention = new Intervention { Name = Intervention.Name, Title = "Insats" },
                UpdateMask = mask("title"),
                Etag = Intervention.Etag,
                RequestId = id,
            },
            "EndIntervention" => new EndInterventionRequest { Name = Intervention.Name, Ending = ItemEnding.Completed, Etag = Intervention.Etag, RequestId = id },
            "AddOtherMeasure" => new AddOtherMeasureRequest { Parent = Plan.Name, OtherMeasure = new OtherMeasure { Title = "Åtgärd", TakenBy = "Skolan" }, Etag = Plan.Etag, RequestId = id },
            "UpdateOtherMeasure" => new UpdateOtherMeasureRequest
            {
                OtherMeasure = new OtherMeasure { Name = Measure.Name, Title = "Åtgärd" },
                UpdateMask = mask("title"),
                Etag = Measure.Etag,
                RequestId = id,
            },
            "EndOtherMeasure" => new EndOtherMeasureRequest { Name = Measure.Name, Ending = ItemEnding.Completed, Etag = Measure.Etag, RequestId = id },
            "AddParticipation" => new AddParticipationRequest
            {
                Parent = Plan.Name,
                Participation = new Participation { Unit = Cases.UnitOf(DemonstrationDirectory.ChildPsychiatry), Period = Cases.HalfAYear },
                Etag = Plan.Etag,
                RequestId = id,
            },
            "EndParticipation" => new EndParticipationRequest { Name = Participation.Name, Etag = Participation.Etag, RequestId = id },
            "SyncParticipations" => new SyncParticipationsRequest { Items = { Cases.Item(Plan, DemonstrationDirectory.Psychiatry, number) }, RequestId = id },
            "BatchSyncParticipations" => new BatchSyncParticipationsRequest { Items = { Cases.Item(Plan, DemonstrationDirectory.Psychiatry, number) }, RequestId = id },
            "ListSyncedParticipations" => new ListSyncedParticipationsRequest { Parent = Plan.Name },
            "AnswerSyncedParticipation" => new AnswerSyncedParticipationRequest { Name = Synced.Name, Answer = SyncAnswer.Accept, Etag = Synced.Etag, RequestId = id },
            "RecordConsent" => new RecordConsentRequest
            {
                Parent = Plan.Name,
                Consent = new Consent
                {
                    State = ConsentState.Given,
                    RecipientUnits = { Cases.UnitOf(DemonstrationDirectory.PrimaryCare) },
                    Categories = { InformationCategory.Identity },
                    Purpose = Purpose.CareAndTreatment,
                    Period = Cases.HalfAYear,
                    Form = ConsentForm.Written,
                    GivenBy = ConsentGiver.Self,
                },
                Etag = Plan.Etag,
                RequestId = id,
            },
            "WithdrawConsent" => new WithdrawConsentRequest { Name = Consent.Name, Etag = Consent.Etag, RequestId = id },
            "NarrowConsent" => new NarrowConsentRequest
            {
                Name = Consent.Name,
                RecipientUnits = { Consent.RecipientUnits },
                Categories = { Consent.Categories },
                EndDate = Cases.InMonths(1),
                Etag = Consent.Etag,
                RequestId = id,
            },
            "RenewConsent" => new RenewConsentRequest { Name = Consent.Name, EndDate = Cases.InMonths(12), Form = ConsentForm.Written, Etag = Consent.Etag, RequestId = id },
            "FindPlans" => new FindPlansRequest { IdentityNumber = Plan.Subject.IdentityNumber },
            "DisposeSubject" => new DisposeSubjectRequest { Name = Closed.Name, DecisionReference = "GALL-1", Etag = Closed.Etag, RequestId = id },
            "GetProtection" => new GetProtectionRequest { Name = Plan.Name + "/protection" },
            "DecideProtectionLevel" => new DecideProtectionLevelRequest
            {
                Parent = Plan.Name,
                Decision = new ProtectionDecision { Source = ProtectionSource.PopulationRegister },
                Etag = Plan.Etag,
                RequestId = id,
            },
            "ReplaceIdentity" => new ReplaceIdentityRequest
            {
                Name = Plan.Name,
                Subject = Cases.NewPerson(),
                Decision = new ProtectionDecision { Level = ProtectionLevel.AssumedIdentity, Source = ProtectionSource.CourtOrPolice, DecideDate = Cases.Today },
                Etag = Plan.Etag,
                RequestId = id,
            },
            "GetWhereabouts" => new GetWhereaboutsRequest { Name = Plan.Name + "/whereabouts" },
            "SetWhereabouts" => new SetWhereaboutsRequest
            {
                Whereabouts = new Whereabouts { Name = Plan.Name + "/whereabouts", Unit = Cases.UnitOf(DemonstrationDirectory.Shelter) },
                Etag = WhereaboutsEtag,
                RequestId = id,
            },
            "DecideLocationSecrecy" => new DecideLocationSecrecyRequest { Parent = Plan.Name, LocationSecrecy = Cases.SecretFromJonas(), Etag = Plan.Etag, RequestId = id },
            "ReviewLocationSecrecy" => new ReviewLocationSecrecyRequest
            {
                Name = LocationSecrecy.Name,
                DecideDate = Cases.Today,
                ReviewDate = Cases.InMonths(6),
                Decider = "Sociala delegationen",
                Etag = LocationSecrecy.Etag,
                RequestId = id,
            },
            "AddBlock" => new AddBlockRequest { Parent = Plan.Name, Block = Cases.BlockOf(DemonstrationDirectory.RegionLogReviewer), Etag = Plan.Etag, RequestId = id },
            "LiftBlock" => new LiftBlockRequest { Name = Block.Name, Etag = Block.Etag, RequestId = id },
            "DeclareRelation" => new DeclareRelationRequest { Person = Cases.NewPerson().IdentityNumber, Ground = BlockGround.RelatedToPerson, RequestId = id },
            "ExplainAccess" => new ExplainAccessRequest { Parent = Plan.Name },
            "ListAlerts" => new ListAlertsRequest(),
            "ListTasks" => new ListTasksRequest(),
            "GetTask" => new GetTaskRequest { Name = TaskName },
            "ListLegalGrounds" => new ListLegalGroundsRequest(),
            "RecordRelease" => new RecordReleaseRequest
            {
                Parent = Plan.Name,
                Release = Cases.NewRelease(DemonstrationDirectory.PrimaryCare, [InformationCategory.Identity]),
                Etag = Plan.Etag,
                RequestId = id,
            },
            "EndRelease" => new EndReleaseRequest { Name = Release.Name, Etag = Release.Etag, RequestId = id },
            "ReviewRelease" => new ReviewReleaseRequest { Name = Release.Name, Outcome = ReviewOutcome.Justified, Etag = Release.Etag, RequestId = id },
            "OpenEmergencyAccess" => new OpenEmergencyAccessRequest
            {
                Person = Plan.Subject.IdentityNumber,
                Reason = EmergencyReason.UrgentCare,
                Explanation = "Patienten är medvetslös, " + number,
                RequestId = id,
            },
            "ReadEmergencyPlans" => new ReadEmergencyPlansRequest { Name = Access.Name },
            "ListEmergencyAccesses" => new ListEmergencyAccessesRequest { Parent = Plan.Name },
            "ReviewEmergencyAccess" => new ReviewEmergencyAccessRequest
            {
                Name = OwnersAccess.Name,
                Outcome = ReviewOutcome.Justified,
                Etag = OwnersAccess.Etag,
                RequestId = id,
            },
            "ListLogs" => new ListLogsRequest(),
            "ListLogDisposals" => new ListLogDisposalsRequest(),
            "ProposeLogDisposal" => new ProposeLogDisposalRequest { LogDisposal = new() { Origin = Old.Log.Origin, Decision = "GALL-2026/7" }, Etag = Old.Log.Etag, RequestId = id },
            "ApproveLogDisposal" => new ApproveLogDisposalRequest
            {
                Name = Old.Proposed.Name,
                Etag = Old.Proposed.Etag,
                RequestId = id,
            },
            "GetCheckpoint" => new GetCheckpointRequest { Origin = Leaf.Origin },
            "GetInclusionProof" => new GetInclusionProofRequest { Origin = Leaf.Origin, Entry = $"accessLogEntries/{Leaf.Entry:D}", LeafHash = ByteString.CopyFrom(Leaf.LeafHash) },
            "GetConsistencyProof" => new GetConsistencyProofRequest { Origin = Leaf.Origin, FromSize = 1 },
            "GetAccessLogEntry" => new GetAccessLogEntryRequest { Name = LogEntry },
            "SearchAccessLog" => Cases.SearchOfTheLog(Plan),
            "GetMeetingAttendance" => new GetMeetingAttendanceRequest { Year = TimeProvider.System.Today().Year - 1, Tertial = 1 },
            "CheckDisclosure" => new CheckDisclosureRequest { Parent = Plan.Name, Kind = DisclosureKind.Transport, Document = new() { Text = "Hämtas vid skolan." } },
            "RecordDisclosure" => new RecordDisclosureRequest { Parent = Plan.Name, Disclosure = Cases.NewDisclosure("Hämtas vid skolan."), Etag = Plan.Etag, RequestId = id },
            "ListDisclosures" => new ListDisclosuresRequest { Parent = Plan.Name },
            "GetDisclosure" => new GetDisclosureRequest { Name = Disclosure.Name },
            "RegisterSchoolRoutine" => new RegisterSchoolRoutineRequest
            {
                SchoolRoutine = new()
                {
                    Reference = "Dnr " + number,
                    Form = RoutineForm.Written,
                    DecisionLevel = RoutineDecisionLevel.Management,
                    Decider = "Ledningsgruppen",
                    DecideDate = Cases.Today,
                    ValidToDate = Cases.InMonths(24),
                },
                Etag = RoutinesEtag,
                RequestId = id,
            },
            "ListSchoolRoutines" => new ListSchoolRoutinesRequest(),
            "GetSchoolRoutineIndicator" => new GetSchoolRoutineIndicatorRequest(),
            "StartChanges" => new StartChangesRequest { Etag = Feed.Etag, RequestId = id },
            "PullChanges" => new PullChangesRequest(),
            "WatchChanges" => new WatchChangesRequest(),
            "AcknowledgeChanges" => new AcknowledgeChangesRequest { Cursor = Feed.NextCursor, Etag = Feed.Etag, RequestId = id },
            "AcknowledgeRecall" => new AcknowledgeRecallRequest { Name = Recall.Name, Receipt = "GALLRAT-" + number, Etag = Recall.Etag, RequestId = id },
            "ListDeliveries" => new ListDeliveriesRequest { Parent = Plan.Name },
            "ListUnits" => new ListUnitsRequest(),
            "PutOrganisation" => new PutOrganisationRequest
            {
                Organisation = new Organisation { Name = "organisations/x" + number, Kind = OrganisationKind.CivilSociety, DisplayName = "Förening" },
                Etag = "new",
                RequestId = id,
            },
            "PutBoard" => new PutBoardRequest { Board = new Board { Name = "boards/x" + number, Organisation = Cases.City, DisplayName = "Nämnd" }, Etag = "new", RequestId = id },
            "PutUnit" => new PutUnitRequest
            {
                Unit = new V1.Unit { Name = "units/x" + number, Organisation = Cases.City, Kind = UnitKind.Support, DisplayName = "Enhet" },
                Etag = "new",
                RequestId = id,
            },
            "PutEmployee" => new PutEmployeeRequest { Employee = new Employee { Name = "employees/x" + number, Organisation = Cases.City, DisplayName = "Medarbetare" }, Etag = "new", RequestId = id },
            "PutAssignment" => new PutAssignmentRequest
            {
                Assignment = new Assignment
                {
                    Name = "assignments/x" + number,
                    Employee = "employees/" + DemonstrationDirectory.UnitManager.Id,
                    Unit = Cases.UnitOf(DemonstrationDirectory.UnitManager),
                    Role = Role.SocialCaseWorker,
                    Purposes = { Purpose.SocialServicesCase },
                    Period = Cases.HalfAYear,
                },
                Etag = "new",
                RequestId = id,
            },
            _ => throw new InvalidOperationException($"{method.FullName} has no request in the world of all tests. Give it one."),
        };
    }

    /// <summary>The same request about another plan: every plan id in it is replaced.</summary>
    public IMessage RequestAbout(MethodDescriptor method, Guid plan)
    {
        var request = Request(method);
        var json = JsonFormatter.Default.Format(request).Replace(Plan.Name, $"plans/{plan:D}", StringComparison.Ordinal).Replace(Closed.Name, $"plans/{plan:D}", StringComparison.Ordinal);
        return request.Descriptor.Parser.ParseJson(json);
    }

    private async Task<World> WithOldLogs()
    {
        Old = (await Service.OldLog(), await Service.ProposeDisposal(DemonstrationDirectory.SecondLogReviewer, await Service.OldLog()));
        return this;
    }

    /// <summary>Calls any RPC by its descriptor.</summary>
    public static async Task<IMessage> Call(CoordinationPlanClients clients, MethodDescriptor method, IMessage request, CallOptions options = default) =>
        (await Answering(clients, method, request, options)).Message!;

    /// <summary>Calls any RPC by its descriptor, with everything that comes back, also where it fails.</summary>
    public static async Task<Answered> Answer(CoordinationPlanClients clients, MethodDescriptor method, IMessage request)
    {
        try
        {
            return await Answering(clients, method, request, default);
        }
        catch (RpcException error)
        {
            return new(null, error.StatusCode, error.GetRpcStatus(), [.. error.Trailers]);
        }
    }

    /// <summary>
    /// All that comes with an error but the date, which is the time of the answer, and of the receipt what is not random: its size and its log.
    /// </summary>
    public static string Trailers(RpcException error) => string.Join("\n", error.Trailers.Where(entry => entry.Key != "date").Select(entry => entry.Key + "=" + entry switch
    {
        { Key: AuditReceipts.Trailer } => $"{entry.ValueBytes.Length} bytes, {TransparencyLog.Receipt.Parse(entry.ValueBytes).Origin}",
        { IsBinary: true } => Convert.ToHexString(entry.ValueBytes),
        _ => entry.Value,
    }));

    private static Task<Answered> Answering(CoordinationPlanClients clients, MethodDescriptor method, IMessage request, CallOptions options) =>
        (Task<Answered>)typeof(World).GetMethod(method.IsClientStreaming ? nameof(StreamOfOne) : nameof(Unary), BindingFlags.Static | BindingFlags.NonPublic)!
            .MakeGenericMethod(method.InputType.ClrType, method.OutputType.ClrType)
            .Invoke(null, [clients.Invoker, method, request, options])!;

    private static async Task<Answered> Unary<TRequest, TResponse>(CallInvoker invoker, MethodDescriptor method, TRequest request, CallOptions options)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        if (method.IsServerStreaming)
        {
            // The first message of a stream, with its receipt as if it had come alone.
            using var stream = invoker.AsyncServerStreamingCall(Described<TRequest, TResponse>(method, MethodType.ServerStreaming), null, options, request);
            Assert.True(await stream.ResponseStream.MoveNext(CancellationToken.None));
            var first = stream.ResponseStream.Current;
            var receipt = (ByteString)method.OutputType.FindFieldByName("receipt").Accessor.GetValue(first);
            // It is left where it waits for more: a batch under way would be given up, and that would be in the log of whatever comes next.
            var changes = method.OutputType.FindFieldByName("changes").Accessor;
            while (((System.Collections.IList)changes.GetValue(stream.ResponseStream.Current)).Count > 0)
            {
                Assert.True(await stream.ResponseStream.MoveNext(CancellationToken.None));
            }

            return new(first, StatusCode.OK, null, [.. await stream.ResponseHeadersAsync, new Metadata.Entry(AuditReceipts.Trailer, receipt.ToByteArray())]);
        }

        using var call = invoker.AsyncUnaryCall(Described<TRequest, TResponse>(method, MethodType.Unary), null, options, request);
        var message = await call;
        return new(message, StatusCode.OK, null, [.. await call.ResponseHeadersAsync, .. call.GetTrailers()]);
    }

    private static async Task<Answered> StreamOfOne<TRequest, TResponse>(CallInvoker invoker, MethodDescriptor method, TRequest request, CallOptions options)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        using var call = invoker.AsyncClientStreamingCall(Described<TRequest, TResponse>(method, MethodType.ClientStreaming), null, options);
        try
        {
            await call.RequestStream.WriteAsync(request);
            await call.RequestStream.CompleteAsync();
        }
        catch (Exception exception) when (exception is RpcException or InvalidOperationException)
        {
            // The service has ended the call before it had read the message; how is in the answer.
        }

        var message = await call;
        return new(message, StatusCode.OK, null, [.. await call.ResponseHeadersAsync, .. call.GetTrailers()]);
    }

    private static Method<TRequest, TResponse> Described<TRequest, TResponse>(MethodDescriptor method, MethodType type)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new() => new(
            type,
            method.Service.FullName,
            method.Name,
            Marshallers.Create(message => message.ToByteArray(), new MessageParser<TRequest>(() => new TRequest()).ParseFrom),
            Marshallers.Create(message => message.ToByteArray(), new MessageParser<TResponse>(() => new TResponse()).ParseFrom));
}

/// <summary>All that a call came to: the message or the error, and the headers and trailers around it.</summary>
public sealed record Answered(IMessage? Message, StatusCode Status, Google.Rpc.Status? Details, IReadOnlyList<Metadata.Entry> Metadata);
