using System.Buffers.Binary;
using CoordinationPlan.Law;
using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Consents;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Hosting;
using CoordinationPlan.Server.Participations;
using CoordinationPlan.Server.Protection;
using CoordinationPlan.Server.Releases;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Grpc.Core;

namespace CoordinationPlan.Server.Plans;

/// <summary>The plan itself. What each RPC does and who may call it stands in plan_service.proto.</summary>
internal sealed partial class PlanService(
    CaseGate gate, PageTokens pageTokens, ServiceKeys keys, IPopulationRegister register, TimeProvider time, TestPersons testPersons, LawOptions law) : V1.PlanService.PlanServiceBase
{
    private const int DefaultPageSize = 50;
    private const int MaxPageSize = 100;
    private const int CandidatesAtATime = 256;

    /// <summary>So many searches that find nobody, within an hour, are one alert.</summary>
    private const int MissesBeforeAlert = 5;

    public override Task<GetPlanResponse> GetPlan(GetPlanRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParsePlan(request.Name, "name");
        return gate.Read(request, context, planId, (entry, trip) =>
        {
            var permitted = entry.Permit.Reads;
            var record = trip.Add(PlanSql.Record(planId));
            var parts = trip.Add(PartSql.Of(planId, entry.Sight));
            var participations = trip.Add(ParticipationSql.Of(planId, entry.Sight, keys.Names));
            var consents = permitted.HasFlag(Categories.ConsentDocuments) ? trip.Add(ConsentSql.Of(planId)) : null;
            var releases = permitted.HasFlag(Categories.ConsentDocuments) ? trip.Add(ReleaseSql.Of(planId)) : null;
            return Task.FromResult(() =>
            {
                var plan = PlanMapping.ToPlan(record.Value, parts.Value, entry.Key, keys.Names);
                plan.Participations.AddRange(participations.Value);
                plan.Consents.AddRange(consents?.Value.Select(consent => consent.ToConsent(planId, entry.Today, entry.Key, keys.Names)) ?? []);
                plan.Releases.AddRange(releases?.Value.Select(release => release.ToRelease(planId, entry.Key, keys.Names)) ?? []);
                plan.PermittedActs.AddRange(entry.PermittedActs(entry.Plan));
                return new GetPlanResponse { Plan = plan };
            });
        });
    }

    public override Task<ListPlansResponse> ListPlans(ListPlansRequest request, ServerCallContext context)
    {
        var pageSize = request.PageSize == 0 ? DefaultPageSize : Math.Min(request.PageSize, MaxPageSize);
        return gate.Read<ListPlansResponse>(request, context, null, async (entry, trip) =>
        {
            var after = Position(pageTokens.Open(request.PageToken, entry.Caller.AssignmentId!, request));
            var (page, next) = await PermittedPage(entry, request.State, after, pageSize, context.CancellationToken);
            var listed = await Listed(entry, [.. page.Select(item => (item.Plan, item.Decision))], trip, context.CancellationToken);
            return () =>
            {
                var response = new ListPlansResponse { Plans = { listed() } };
                response.NextPageToken = next is { } position ? pageTokens.Seal(Bytes(position), entry.Caller.AssignmentId!, request) : "";
                return response;
            };
        });
    }

    public override Task<FindPlansResponse> FindPlans(FindPlansRequest request, ServerCallContext context)
    {
        var byName = request.GivenName.Length > 0 || request.FamilyName.Length > 0;
        var byCaseNumber = !string.IsNullOrWhiteSpace(request.CaseNumber);
        var terms = (request.IdentityNumber is null ? 0 : 1) + (byName ? 1 : 0) + (byCaseNumber ? 1 : 0);
        if (terms != 1 || (byName && (request.GivenName.Length == 0 || request.FamilyName.Length == 0)))
        {
            throw Errors.InvalidFields(new FieldFault("identity_number", "is needed, or else given_name and family_name together, or else case_number; just one of them"));
        }

        var identityKey = request.IdentityNumber is null ? null : keys.IndexOf(request.IdentityNumber);
        var searchKey = byName ? keys.IndexOf(request.GivenName, request.FamilyName)
            : byCaseNumber ? keys.IndexOfCaseNumber(request.CaseNumber)
            : null;
        return gate.Read<FindPlansResponse>(request, context, null, async (entry, trip) =>
        {
            var search = entry.NewTrip();
            var candidates = search.Add(FactsSql.Found(identityKey, searchKey, entry.Caller, entry.Today, MaxPageSize));
            await search.Run(context.CancellationToken);
            var likely = candidates.Value.Where(plan => IsFound(entry.Decide(Policy.Act.ReadPlan, plan))).Select(plan => (plan, default(DateTime))).ToList();
            var found = (await Confirm(entry, likely, context.CancellationToken)).Where(item => IsFound(item.Decision)).Select(item => (item.Plan, item.Decision)).ToList();
            // A search that finds somebody costs the same statement as one that finds nobody.
            trip.Add(AlertSql.NoteMiss(entry.Caller.Name, isMiss: found.Count == 0));
            trip.Add(AlertSql.RaiseForMisses(Ids.Ordered(entry.Now), entry, keys, MissesBeforeAlert));
            var listed = await Listed(entry, found, trip, context.CancellationToken);
            return () => new FindPlansResponse { Plans = { listed() } };
        });

        // Who may not know who the plan is about does not find it by that, nor by the number of a case that it may not know.
        bool IsFound(Decision decision) => decision.IsPermit && decision.Reads.HasFlag(byCaseNumber ? Categories.Meetings : Categories.Identity);
    }

    public override Task<DisposeSubjectResponse> DisposeSubject(DisposeSubjectRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParsePlan(request.Name, "name");
        Pending<long>? open = null;
        Pending<List<KeptFile>>? files = null;
        Pending<Loaded<SealedIdentity>>? identity = null;
        return gate.Change(
            request,
            context,
            planId,
            trip =>
            {
                open = trip.Add(PlanSql.CountOpenPlansOfPersonOf(planId));
                files = trip.Add(PlanSql.FilesOfPersonOf(planId));
                identity = trip.Add(SubjectSql.Identity(planId));
                return trip.Add(PlanSql.Load(planId));
            },
            (entry, record, trip) =>
            {
                Entry.RequireEtag(request.Etag, record.Etag);
                if (open!.Value > 0)
                {
                    throw Errors.WrongState("A plan of the person is not closed.");
                }

                RequireRetentionPassed(entry, files!.Value, identity!.Value.State);
                foreach (var command in SubjectSql.Dispose(entry.Plan.SubjectId).Append(PlanSql.ForgetSearchKeys(entry.Plan.SubjectId)))
                {
                    trip.Add(command);
                }

                return new DisposeSubjectResponse { DisposeDate = entry.Today.ToDate() };
            });
    }

    /// <summary>Refuses the disposal of what is still to be kept. It says nothing of when the person was born, nor of whose plan it is.</summary>
    private void RequireRetentionPassed(Entry entry, IEnumerable<KeptFile> files, SealedIdentity? identity)
    {
        DateOnly? born = identity is null ? null : IdentityNumbers.DayOfBirth(entry.NumberOf(identity).Value);
        foreach (var file in files)
        {
            var controller = keys.Names.NameOf(file.Controller);
            var years = law.YearsOf(PlanRetention.RuleOf(file.Class), controller);
            if (PlanRetention.DisposableFrom(file.Class, file.LastNote, born, years, law.KeepsSampledBirths(controller)) is not { } first || entry.Today < first)
            {
                throw Errors.WrongState("What is written about the person is still to be kept (docs/law.md, retention).");
            }
        }
    }

    public override Task<CreatePlanResponse> CreatePlan(CreatePlanRequest request, ServerCallContext context)
    {
        var frame = Frame.Parse(request.Plan, keys.Names);
        var number = request.Plan.Subject.IdentityNumber;
        testPersons.Require(number, "plan.subject.identity_number.value");
        var identityKey = keys.IndexOf(number);
        Pending<PersonFacts?>? person = null;
        Pending<Guid[]>? openPlans = null;
        return gate.ChangeAsync(
            request,
            context,
            null,
            trip =>
            {
                var caller = CallerIdentity.Of(context, keys.Names);
                trip.Add(LocksSql.Person(identityKey));
                person = trip.Add(FactsSql.Person(identityKey, caller, time.Today()));
                openPlans = trip.Add(FactsSql.OpenPlansOf(identityKey));
                return trip.Add(PlanSql.References(frame.LeadPrincipal, frame.Coordinator, null, caller.AssignmentId, time.Today()).Select(references => references with
                {
                    Blocked = person.Value?.Blocked ?? Blocked.No,
                    Protection = person.Value?.Subject.Protection ?? Policy.ProtectionLevel.None,
                }));
            },
            async (entry, references, trip) =>
            {
                frame.Require(references);
                await RequireNoOpenPlan(entry, openPlans!.Value, context.CancellationToken);
                var planId = Ids.Opaque();
                // Asked once, when the person is new; later changes of the level are decisions.
                var level = person!.Value is null ? await register.LevelOf(number, context.CancellationToken) : Policy.ProtectionLevel.Unspecified;
                var subjectId = await NewSubjects.FindOrAdd(entry, person.Value?.Subject, number, identityKey, level, trip, context.CancellationToken);

                var record = frame.ApplyTo(
                    new PlanRecord(
                        planId, PlanState.Noted, 1, 0, PlanLaw.BasisOn(entry.Today), entry.CallerFacts.UnitId, null, null, false, null, null, null,
                        PlanClosingReason.Unspecified, PlanDeclineReason.Unspecified),
                    Frame.AllPaths);
                trip.Add(PlanSql.Insert(record, subjectId, entry.CallerFacts.Controller, entry.ChangedBy));
                trip.Add(PlanSql.SetName(planId, keys.IndexOf(request.Plan.Subject.GivenName, request.Plan.Subject.FamilyName)));
                trip.Add(PlanSql.SetCaseNumber(planId, CaseNumberKey(request.Plan)));
                var parts = Frame.PartsOf(request.Plan, entry.Key).ToList();
                foreach (var part in parts)
                {
                    trip.Add(PartSql.Insert(planId, part, entry.ChangedBy));
                }

                if (request.ValidateOnly)
                {
                    // A dry run concerns nobody yet; whether the service knows the person is not to be read from the log.
                    entry.ConcernNobody();
                }
                else
                {
                    entry.Concern(planId, subjectId, entry.CallerFacts.Controller, entry.Permit.Reads & (ListedCategories | Categories.ChildsOwnWords));
                }

                var created = PlanMapping.ToPlan(record, parts, entry.Key, keys.Names);
                created.PermittedActs.AddRange(entry.PermittedActs(new PlanFacts(
                    planId, subjectId, record.OwnerUnitId, entry.CallerFacts.Controller, record.State, 1, Relation.Owning, Categories.None, Categories.None, Categories.None,
                    Categories.None, person.Value?.Subject.Protection ?? level, Blocked.No, false, false, default, false, Policy.Pupil.Never, true)));
                return new CreatePlanResponse { Plan = created };
            });
    }

    public override Task<UpdatePlanResponse> UpdatePlan(UpdatePlanRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParsePlan(request.Plan.Name, "plan.name");
        var frame = Frame.Parse(request.Plan, keys.Names);
        Pending<Loaded<FrameReferences>>? references = null;
        Pending<List<PlanPart>>? parts = null;
        return gate.Change(
            request,
            context,
            planId,
            trip =>
            {
                references = trip.Add(PlanSql.References(frame.LeadPrincipal, frame.Coordinator, planId, null, time.Today()));
                parts = trip.Add(PartSql.FrameOf(planId));
                return trip.Add(PlanSql.Load(planId));
            },
            (entry, current, trip) =>
            {
                Frame.RequireWritable(request.UpdateMask, entry.Permit.Writes);
                Entry.RequireEtag(request.Etag, current.Etag);
                frame.Require(references!.Value.State!);

                var record = frame.ApplyTo(current, [.. request.UpdateMask.Paths]) with { Version = current.Version + 1 };
                trip.Add(PlanSql.Replace(record, entry.ChangedBy));
                if (request.UpdateMask.Paths.Contains("case_number"))
                {
                    trip.Add(PlanSql.SetCaseNumber(planId, CaseNumberKey(request.Plan)));
                }

                var next = Frame.Update(
                    parts!.Value,
                    request.Plan,
                    request.UpdateMask,
                    entry.Key,
                    part => trip.Add(PartSql.Insert(planId, part, entry.ChangedBy)),
                    part => trip.Add(PartSql.Replace(planId, part, entry.ChangedBy)));
                var updated = PlanMapping.ToPlan(record, next.Where(part => entry.Permit.Reads.HasFlag(part.Category)), entry.Key, keys.Names);
                updated.PermittedActs.AddRange(entry.PermittedActs(entry.Plan));
                return new UpdatePlanResponse { Plan = updated };
            });
    }

    /// <summary>
    /// The plans are locked before it is decided whether the caller may know of them. The same round trip is made where there are none, or none that the caller
    /// may know of.
    /// </summary>
    private static async Task RequireNoOpenPlan(Entry entry, Guid[] openPlans, CancellationToken stop)
    {
        var trip = entry.NewTrip();
        trip.Add(LocksSql.Plans(openPlans));
        var facts = trip.Add(FactsSql.Plans(openPlans, entry.Caller, entry.Today));
        await trip.Run(stop);
        // One that was closed while this waited for its lock stands in nobody's way.
        entry.RequireNoPlanBeside(openPlans.Select(facts.Value.GetValueOrDefault).OfType<PlanFacts>().Where(plan => PlanLaw.Open.Contains((Stage)plan.State)));
    }

    private byte[]? CaseNumberKey(Plan plan) => string.IsNullOrWhiteSpace(plan.CaseNumber) ? null : keys.IndexOfCaseNumber(plan.CaseNumber);

    private Plan WithActs(Entry entry, PlanRecord record)
    {
        var plan = record.ToPlan(keys.Names);
        plan.PermittedActs.AddRange(entry.PermittedActs(entry.Plan with { State = record.State }));
        return plan;
    }

    /// <summary>Reads the frames of decided plans, each within its permit, and notes each person for the log.</summary>
    private async Task<Func<IEnumerable<Plan>>> Listed(Entry entry, List<(PlanFacts Plan, Decision Decision)> plans, RoundTrip trip, CancellationToken stop)
    {
        var opened = new Dictionary<Guid, DataKey>();
        foreach (var (plan, decision) in plans)
        {
            entry.Concern(Policy.Act.ReadPlan, plan, Shown(decision));
            opened[plan.PlanId] = await entry.KeyOf(plan, stop);
        }

        if (plans.Count == 0)
        {
            entry.ConcernNobody();
        }

        var ids = plans.Select(item => item.Plan.PlanId).ToArray();
        var records = trip.Add(PlanSql.Records(ids));
        var frames = trip.Add(PartSql.FramesOf(ids, [.. plans.Select(item => (int)Shown(item.Decision))]));
        return () => plans.Select(item =>
        {
            var id = item.Plan.PlanId;
            var listed = PlanMapping.ToPlan(records.Value[id], frames.Value[id], opened[id], keys.Names);
            listed.PermittedActs.AddRange(entry.PermittedActs(item.Plan));
            Redaction.Apply(listed, Shown(item.Decision));
            return listed;
        });
    }

    /// <summary>What a list shows of a plan, fetches and enters in the log: the frame, without what a child says itself.</summary>
    private static Categories Shown(Decision decision) => decision.Reads & ListedCategories;

    private const Categories ListedCategories = Categories.Existence | Categories.Identity | Categories.Meetings | Categories.GoalsAndInterventions
        | Categories.SocialSituation | Categories.Health;

    /// <summary>
    /// Candidates are fetched by relation and decided one by one until the page is full, so that a plan that may not be shown leaves no gap. What is to
    /// be shown is locked, read and decided once more: a withdrawal that has been answered is seen here too.
    /// </summary>
    private static async Task<(List<(PlanFacts Plan, Decision Decision, DateTime CreatedAt)> Page, (DateTime, Guid)? Next)> PermittedPage(
        Entry entry, PlanState state, (DateTime CreatedAt, Guid PlanId) after, int pageSize, CancellationToken stop)
    {
        var page = new List<(PlanFacts Plan, Decision Decision, DateTime CreatedAt)>();
        while (true)
        {
            var trip = entry.NewTrip();
            var candidates = trip.Add(FactsSql.Caseload(entry.Caller, entry.Today, state, after, CandidatesAtATime));
            await trip.Run(stop);

            var likely = candidates.Value.Where(candidate => entry.Decide(Policy.Act.ReadPlan, candidate.Plan).IsPermit).Take(pageSize + 1 - page.Count).ToList();
            page.AddRange(await Confirm(entry, likely, stop));
            if (page.Count > pageSize)
            {
                var last = page[pageSize - 1];
                return (page[..pageSize], (last.CreatedAt, last.Plan.PlanId));
            }

            // Where the batch was cut because the page seemed full, and then was not, go on after the last one looked at.
            if (likely.Count > 0 && likely[^1] != candidates.Value[^1])
            {
                after = (likely[^1].CreatedAt, likely[^1].Plan.PlanId);
            }
            else if (candidates.Value.Count == CandidatesAtATime)
            {
                after = (candidates.Value[^1].CreatedAt, candidates.Value[^1].Plan.PlanId);
            }
            else
            {
                return (page, null);
            }
        }
    }

    private static async Task<List<(PlanFacts Plan, Decision Decision, DateTime CreatedAt)>> Confirm(
        Entry entry, List<(PlanFacts Plan, DateTime CreatedAt)> likely, CancellationToken stop)
    {
        var confirmed = new List<(PlanFacts Plan, Decision Decision, DateTime CreatedAt)>();
        if (likely.Count == 0)
        {
            return confirmed;
        }

        var ids = likely.Select(candidate => candidate.Plan.PlanId).ToArray();
        var trip = entry.NewTrip();
        trip.Add(LocksSql.Plans(ids));
        var facts = trip.Add(FactsSql.Plans(ids, entry.Caller, entry.Today));
        await trip.Run(stop);
        foreach (var (candidate, createdAt) in likely)
        {
            var plan = facts.Value[candidate.PlanId];
            var decision = entry.Decide(Policy.Act.ReadPlan, plan);
            if (decision.IsPermit)
            {
                confirmed.Add((plan, decision, createdAt));
            }
        }

        return confirmed;
    }

    private static (DateTime CreatedAt, Guid PlanId) Position(byte[]? bytes) => bytes is null
        ? (DateTime.SpecifyKind(new DateTime(9000, 1, 1), DateTimeKind.Utc), Guid.Empty)
        : (new DateTime(BinaryPrimitives.ReadInt64BigEndian(bytes), DateTimeKind.Utc), new Guid(bytes.AsSpan(8)));

    private static byte[] Bytes((DateTime CreatedAt, Guid PlanId) position)
    {
        var bytes = new byte[24];
        BinaryPrimitives.WriteInt64BigEndian(bytes, position.CreatedAt.Ticks);
        position.PlanId.TryWriteBytes(bytes.AsSpan(8));
        return bytes;
    }
}
