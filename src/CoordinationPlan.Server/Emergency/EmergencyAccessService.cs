using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Hosting;
using CoordinationPlan.Server.Plans;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Grpc.Core;
using UnitKind = CoordinationPlan.Policy.UnitKind;

namespace CoordinationPlan.Server.Emergency;

/// <summary>Emergency access. What each RPC does and who may call it stands in emergency_access_service.proto.</summary>
internal sealed class EmergencyAccessService(CaseGate gate, ServiceKeys keys, TestPersons testPersons, FreshLogin freshLogin) : V1.EmergencyAccessService.EmergencyAccessServiceBase
{
    private const int MostMinutes = 60;
    private const int LeastExplanation = 10;

    /// <summary>A week: soon enough that those concerned remember, long enough for a manager who is away. No law sets the number.</summary>
    private const int DaysToReview = 7;

    public override Task<OpenEmergencyAccessResponse> OpenEmergencyAccess(OpenEmergencyAccessRequest request, ServerCallContext context)
    {
        RequireReasons(request);
        testPersons.Require(request.Person, "person.value");
        var identityKey = keys.IndexOf(request.Person);
        Pending<KnownSubject?>? known = null;
        return gate.ChangeAsync(
            request,
            context,
            null,
            trip =>
            {
                known = trip.Add(SubjectSql.Find(identityKey));
                return trip.Add(EmergencySql.Opening(identityKey));
            },
            async (entry, opening, trip) =>
            {
                if (!freshLogin.Is(entry.Caller, entry.Now))
                {
                    throw Errors.AccessDenied();
                }

                // Both times come from the one clock that ends the access, read in this transaction: the database's.
                var access = new EmergencyRecord(
                    Ids.Opaque(),
                    known!.Value is { Key: not null } person ? person.SubjectId : null,
                    entry.Caller.AssignmentId!,
                    entry.CallerFacts.UnitId,
                    entry.CallerFacts.UnitKind == UnitKind.ShelteredHousing,
                    entry.ChangedBy,
                    request.Reason,
                    [],
                    opening.Now,
                    opening.Now.AddMinutes(request.Minutes == 0 ? MostMinutes : request.Minutes),
                    entry.Today.AddDays(DaysToReview),
                    ReviewOutcome.Unspecified,
                    null,
                    1);
                var key = known.Value is { Key: { } wrapped }
                    ? entry.UseKey(await entry.SubjectKeys.Unwrap(Compartment.Content, wrapped, context.CancellationToken))
                    : keys.OutcomeKey;
                access = access.Holding(key, request.Explanation);
                var owners = access.SubjectId is null ? [] : opening.Owners;
                trip.Add(EmergencySql.Insert(access));
                trip.Add(AlertSql.Raise([.. owners.Select(owner => AlertTo(owner, access))], keys.OutcomeKey));
                Enter(entry, access, owners, request.ValidateOnly);
                return new OpenEmergencyAccessResponse { EmergencyAccess = access.ToOpenersView() };
            });
    }

    public override Task<ReadEmergencyPlansResponse> ReadEmergencyPlans(ReadEmergencyPlansRequest request, ServerCallContext context)
    {
        var accessId = ResourceName.ParseEmergencyAccess(request.Name, "name");
        var caller = CallerIdentity.Of(context, keys.Names);
        return gate.Read<EmergencyRecord, ReadEmergencyPlansResponse>(
            request,
            context,
            null,
            trip => trip.Add(EmergencySql.InForce(accessId, caller)),
            async (entry, access, trip) =>
            {
                var permitted = await Permitted(entry, access, context.CancellationToken);
                var opened = new Dictionary<Guid, DataKey>();
                var parts = new Dictionary<Guid, Pending<List<PlanPart>>>();
                foreach (var (plan, reads) in permitted)
                {
                    entry.Concern(Policy.Act.ReadInEmergency, plan, reads);
                    opened[plan.PlanId] = await entry.KeyOf(plan, context.CancellationToken);
                    parts[plan.PlanId] = trip.Add(PartSql.Of(plan.PlanId, Sight.Within(reads, entry.CallerFacts.UnitId)));
                }

                if (permitted.Count == 0)
                {
                    entry.ConcernNobody();
                }

                var records = trip.Add(PlanSql.Records([.. permitted.Select(item => item.Plan.PlanId)]));
                return () =>
                {
                    var response = new ReadEmergencyPlansResponse();
                    foreach (var (plan, reads) in permitted)
                    {
                        var read = PlanMapping.ToPlan(records.Value[plan.PlanId], parts[plan.PlanId].Value, opened[plan.PlanId], keys.Names);
                        Redaction.Apply(read, reads);
                        response.Plans.Add(read);
                    }

                    return response;
                };
            });
    }

    public override Task<ListEmergencyAccessesResponse> ListEmergencyAccesses(ListEmergencyAccessesRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParsePlan(request.Parent, "parent");
        return gate.Read(request, context, planId, (entry, trip) =>
        {
            var accesses = trip.Add(EmergencySql.OfPlan(planId));
            return Task.FromResult(() =>
            {
                var response = new ListEmergencyAccessesResponse();
                response.EmergencyAccesses.AddRange(accesses.Value.Select(access => access.ToOwnersView(entry, keys.Names)));
                return response;
            });
        });
    }

    public override Task<ReviewEmergencyAccessResponse> ReviewEmergencyAccess(ReviewEmergencyAccessRequest request, ServerCallContext context)
    {
        var (planId, accessId) = ResourceName.ParseChild(request.Name, ResourceName.EmergencyAccesses, "name");
        return gate.Change(
            request,
            context,
            planId,
            trip => trip.Add(EmergencySql.Find(planId, accessId)),
            (entry, access, trip) =>
            {
                // Also in a closed plan: what was done is reviewed all the same.
                Entry.RequireEtag(request.Etag, access.Etag);
                if (access.OpenedBy == entry.ChangedBy)
                {
                    throw Errors.WrongState("Nobody reviews an emergency access that he or she has opened. Another manager of the unit has to.");
                }

                if (access.ReviewedAt is not null)
                {
                    throw Errors.WrongState("The emergency access has been reviewed already.");
                }

                var reviewed = access with { Outcome = request.Outcome, ReviewedAt = entry.Now, Version = access.Version + 1 };
                trip.Add(EmergencySql.Review(reviewed, entry.ChangedBy));
                return new ReviewEmergencyAccessResponse { EmergencyAccess = reviewed.ToOwnersView(entry, keys.Names) };
            });
    }

    private static void RequireReasons(OpenEmergencyAccessRequest request)
    {
        var faults = new List<FieldFault>();
        if (request.Explanation.Trim().Length < LeastExplanation)
        {
            faults.Add(new FieldFault("explanation", $"must be at least {LeastExplanation} characters: it is what the review goes by"));
        }

        if (request.Minutes > MostMinutes)
        {
            faults.Add(new FieldFault("minutes", $"must be at most {MostMinutes}"));
        }

        if (faults.Count > 0)
        {
            throw Errors.InvalidFields(faults);
        }
    }

    /// <summary>
    /// The log has an entry for each unit that owns plans of the person, so that the unit's own reviewers see it. A dry run concerns nobody yet:
    /// whether the service knows the person is not to be read from it.
    /// </summary>
    private static void Enter(Entry entry, EmergencyRecord access, IReadOnlyList<Owner> owners, bool isDryRun)
    {
        if (isDryRun || owners.Count == 0)
        {
            entry.ConcernNobody();
            return;
        }

        foreach (var owner in owners)
        {
            entry.Concern(owner.PlanId, access.SubjectId!.Value, owner.Controller, Categories.Existence & entry.Permit.Reads);
        }
    }

    /// <summary>
    /// Who opened it and from where, except from a sheltered housing: an alert goes to whole units and their reviewers, and where a person hides is
    /// not theirs to know. The owning unit finds it in ListEmergencyAccesses, where each reader is decided.
    /// </summary>
    private RaisedAlert AlertTo(Owner owner, EmergencyRecord access) => new(
        Ids.Opaque(),
        AlertKind.EmergencyAccess,
        owner.UnitId,
        owner.Controller,
        owner.PlanId,
        access.FromShelter ? new Alert() : new Alert { Employee = keys.Names.NameOf(access.OpenedBy), Unit = keys.Names.Name(ResourceName.Units, access.UnitId) });

    /// <summary>
    /// The person's plans that may be read, locked before they are decided. The same round trips are made whether there is a person, plans, or a
    /// permit for any of them: a person who may not be read takes as long as one who is not there.
    /// </summary>
    private static async Task<List<(PlanFacts Plan, Categories Reads)>> Permitted(Entry entry, EmergencyRecord access, CancellationToken stop)
    {
        var find = entry.NewTrip();
        var plans = find.Add(FactsSql.PlansOf(access.SubjectId));
        await find.Run(stop);

        var decide = entry.NewTrip();
        decide.Add(LocksSql.Plans(plans.Value));
        var facts = decide.Add(FactsSql.Plans(plans.Value, entry.Caller, entry.Today));
        await decide.Run(stop);

        var permitted = new List<(PlanFacts Plan, Categories Reads)>();
        foreach (var id in plans.Value)
        {
            // Neither whereabouts nor a school are an emergency's to open, whatever a rule should come to say.
            if (facts.Value.TryGetValue(id, out var plan) && entry.Decide(Policy.Act.ReadInEmergency, plan) is { IsPermit: true } decision)
            {
                permitted.Add((plan, decision.Reads & ~(Categories.Whereabouts | Categories.SchoolPlacement)));
            }
        }

        return permitted;
    }
}
