using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Hosting;
using CoordinationPlan.Server.Plans;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using ProtectionLevel = CoordinationPlan.V1.ProtectionLevel;

namespace CoordinationPlan.Server.Protection;

/// <summary>How a person is protected. What each RPC does and who may call it stands in protection_service.proto.</summary>
internal sealed class ProtectionService(CaseGate gate, ServiceKeys keys, IPopulationRegister register, TimeProvider time, TestPersons testPersons)
    : V1.ProtectionService.ProtectionServiceBase
{
    public override Task<GetProtectionResponse> GetProtection(GetProtectionRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParseSingleton(request.Name, ResourceName.Protection, "name");
        return gate.Read(request, context, planId, (entry, trip) =>
        {
            var decisions = trip.Add(ProtectionSql.Decisions(planId));
            var blocks = trip.Add(ProtectionSql.Blocks(planId));
            var secrecies = trip.Add(ProtectionSql.LocationSecrecies(planId));
            return Task.FromResult(() => new GetProtectionResponse
            {
                Protection = new V1.Protection
                {
                    Name = request.Name,
                    Level = (ProtectionLevel)entry.Plan.Protection,
                    Decisions = { decisions.Value.Select(row => ProtectionDecision.Parser.ParseFrom(entry.Key.Open(ProtectionSql.DecisionPlace(row.DecisionId), row.Sealed))) },
                    Blocks = { blocks.Value.Select(block => block.ToBlock(planId, entry.Key)) },
                    LocationSecrecies = { secrecies.Value.Select(decision => decision.ToLocationSecrecy(planId, entry.Key)) },
                },
            });
        });
    }

    public override Task<DecideProtectionLevelResponse> DecideProtectionLevel(DecideProtectionLevelRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParsePlan(request.Parent, "parent");
        var fromRegister = request.Decision.Source == ProtectionSource.PopulationRegister;
        RequireDecision(request.Decision, "decision");
        return gate.ChangeAsync(
            request,
            context,
            planId,
            trip => trip.Add(SubjectSql.Identity(planId)),
            async (entry, identity, trip) =>
            {
                Entry.RequireEtag(request.Etag, Etag.Of(planId, entry.Plan.Version));
                var decision = request.Decision.Clone();
                if (fromRegister)
                {
                    decision.Level = (ProtectionLevel)await register.LevelOf(entry.NumberOf(identity), context.CancellationToken);
                    decision.DecideDate = entry.Today.ToDate();
                }

                return new DecideProtectionLevelResponse { Decision = Decide(entry, identity.SubjectId, decision, trip) };
            });
    }

    public override Task<ReplaceIdentityResponse> ReplaceIdentity(ReplaceIdentityRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParsePlan(request.Name, "name");
        testPersons.Require(request.Subject.IdentityNumber, "subject.identity_number.value");
        RequireDecision(request.Decision, "decision");
        if (request.Decision.Level != ProtectionLevel.AssumedIdentity)
        {
            throw Errors.InvalidFields(new FieldFault("decision.level", "must be ASSUMED_IDENTITY"));
        }

        var identityKey = keys.IndexOf(request.Subject.IdentityNumber);
        Pending<List<PlanPart>>? frame = null;
        Pending<bool>? isTaken = null;
        return gate.Change(
            request,
            context,
            planId,
            trip =>
            {
                frame = trip.Add(PartSql.FrameOf(planId));
                isTaken = trip.Add(SubjectSql.IsTaken(identityKey, planId));
                return trip.Add(SubjectSql.Identity(planId));
            },
            (entry, identity, trip) =>
            {
                Entry.RequireEtag(request.Etag, Etag.Of(planId, entry.Plan.Version));
                if (isTaken!.Value)
                {
                    throw Errors.UnknownReference("subject.identity_number", "cannot be used");
                }

                trip.Add(SubjectSql.ReplaceIdentity(
                    identity.SubjectId, identityKey, entry.Key.Seal(SubjectSql.IdentityPlace(identity.SubjectId), request.Subject.IdentityNumber.ToByteArray())));
                trip.Add(PlanSql.SetName(planId, keys.IndexOf(request.Subject.GivenName, request.Subject.FamilyName)));
                Frame.Update(
                    frame!.Value,
                    new Plan { Subject = request.Subject },
                    new FieldMask { Paths = { "subject" } },
                    entry.Key,
                    part => trip.Add(PartSql.Insert(planId, part, entry.ChangedBy)),
                    part => trip.Add(PartSql.Replace(planId, part, entry.ChangedBy)));
                return new ReplaceIdentityResponse { Decision = Decide(entry, identity.SubjectId, request.Decision.Clone(), trip) };
            });
    }

    public override Task<GetWhereaboutsResponse> GetWhereabouts(GetWhereaboutsRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParseSingleton(request.Name, ResourceName.Whereabouts, "name");
        return gate.Read<GetWhereaboutsResponse>(request, context, planId, async (entry, _) =>
        {
            // One more round trip: the compartment has a key of its own, which is unwrapped before the answer is made.
            var trip = entry.NewTrip();
            var found = trip.Add(ProtectionSql.Whereabouts(planId));
            await trip.Run(context.CancellationToken);
            var record = found.Value.State!;
            var whereabouts = new V1.Whereabouts();
            if (record is { Sealed: { } body, Key: { } wrapped })
            {
                using var key = await entry.SubjectKeys.Unwrap(Compartment.Whereabouts, wrapped, context.CancellationToken);
                whereabouts = V1.Whereabouts.Parser.ParseFrom(key.Open(WhereaboutsRecord.Place(record.SubjectId, record.Version), body));
            }

            whereabouts.Name = request.Name;
            whereabouts.Etag = record.Etag;
            return () => new GetWhereaboutsResponse { Whereabouts = whereabouts };
        });
    }

    public override Task<SetWhereaboutsResponse> SetWhereabouts(SetWhereaboutsRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParseSingleton(request.Whereabouts.Name, ResourceName.Whereabouts, "whereabouts.name");
        var unitId = keys.Names.ParseOptional(request.Whereabouts.Unit, ResourceName.Units, "whereabouts.unit");
        Pending<bool>? isShelter = null;
        Pending<Loaded<SealedIdentity>>? identity = null;
        return gate.ChangeAsync(
            request,
            context,
            planId,
            trip =>
            {
                isShelter = trip.Add(ProtectionSql.IsShelteredHousing(unitId));
                identity = trip.Add(SubjectSql.Identity(planId));
                return trip.Add(ProtectionSql.Whereabouts(planId));
            },
            async (entry, current, trip) =>
            {
                Entry.RequireEtag(request.Etag, current.Etag);
                if (unitId is not null && !isShelter!.Value)
                {
                    throw Errors.UnknownReference("whereabouts.unit", "must be a sheltered housing in the directory");
                }

                using var key = await WhereaboutsKey(entry, current, trip, context.CancellationToken);
                var next = current with { Version = current.Version + 1 };
                var body = request.Whereabouts.Clone();
                (body.Name, body.Etag) = ("", "");
                // What the clocks of a placed child's schooling go by: where it is not said, it is since today that the person stays at another place.
                var since = body.SinceDate?.ToDateOnly() ?? (current is { Version: > 0, SinceOn: { } same } && current.UnitId == unitId ? same : entry.Today);
                var birthYear = identity!.Value.State is { } number ? IdentityNumbers.DayOfBirth(entry.NumberOf(number).Value).Year : (int?)null;
                trip.Add(ProtectionSql.SetWhereabouts(
                    current.SubjectId, unitId, key.Seal(WhereaboutsRecord.Place(current.SubjectId, next.Version), body.ToByteArray()), next.Version, entry.ChangedBy, since, birthYear));
                (body.Name, body.Etag) = (request.Whereabouts.Name, next.Etag);
                // The kept answer is sealed with the person's other key: it holds no more than the etag.
                return new SetWhereaboutsResponse { Whereabouts = new V1.Whereabouts { Name = body.Name, Etag = body.Etag } };
            });
    }

    public override Task<DecideLocationSecrecyResponse> DecideLocationSecrecy(DecideLocationSecrecyRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParsePlan(request.Parent, "parent");
        var secrecy = request.LocationSecrecy;
        testPersons.Require(secrecy.Guardian, "location_secrecy.guardian.value");
        var (decidedOn, reviewOn) = (secrecy.DecideDate.ToDateOnly(), secrecy.ReviewDate.ToDateOnly());
        RequireReview(decidedOn, reviewOn, "location_secrecy.");
        return gate.Change(request, context, planId, (entry, trip) =>
        {
            Entry.RequireEtag(request.Etag, Etag.Of(planId, entry.Plan.Version));
            var record = new LocationSecrecyRecord(Ids.Opaque(), decidedOn, reviewOn, null, 1, []).Holding(entry.Key, secrecy);
            trip.Add(ProtectionSql.InsertLocationSecrecy(entry.Plan.SubjectId, record, PersonTarget(secrecy.Guardian), entry.ChangedBy));
            return new DecideLocationSecrecyResponse { LocationSecrecy = record.ToLocationSecrecy(planId, entry.Key) };
        });
    }

    public override Task<ReviewLocationSecrecyResponse> ReviewLocationSecrecy(ReviewLocationSecrecyRequest request, ServerCallContext context)
    {
        var (planId, decisionId) = ResourceName.ParseChild(request.Name, ResourceName.LocationSecrecies, "name");
        var decidedOn = request.DecideDate.ToDateOnly();
        RequireReview(decidedOn, request.ReviewDate?.ToDateOnly() ?? decidedOn.AddDays(1), "");
        return gate.Change(
            request,
            context,
            planId,
            trip => trip.Add(ProtectionSql.FindLocationSecrecy(planId, decisionId)),
            (entry, current, trip) =>
            {
                Entry.RequireEtag(request.Etag, current.Etag);
                if (current.EndedAt is not null)
                {
                    throw Errors.WrongState("The secrecy has ended. It is decided anew.");
                }

                var decision = current.Open(entry.Key);
                decision.Decider = request.Decider;
                var next = (current with
                {
                    Version = current.Version + 1,
                    DecidedOn = decidedOn,
                    ReviewOn = request.ReviewDate?.ToDateOnly() ?? decidedOn,
                    EndedAt = request.ReviewDate is null ? entry.Now.UtcDateTime : null,
                }).Holding(entry.Key, decision);
                trip.Add(ProtectionSql.ReplaceLocationSecrecy(entry.Plan.SubjectId, next, entry.ChangedBy));
                return new ReviewLocationSecrecyResponse { LocationSecrecy = next.ToLocationSecrecy(planId, entry.Key) };
            });
    }

    public override Task<AddBlockResponse> AddBlock(AddBlockRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParsePlan(request.Parent, "parent");
        var block = request.Block;
        var employeeId = keys.Names.ParseOptional(block.Employee, ResourceName.Employees, "block.employee");
        var unitId = keys.Names.ParseOptional(block.Unit, ResourceName.Units, "block.unit");
        RequireBlock(block);
        return gate.Change(
            request,
            context,
            planId,
            trip => trip.Add(ProtectionSql.FindTarget(planId, employeeId, unitId)),
            (entry, target, trip) =>
            {
                Entry.RequireEtag(request.Etag, Etag.Of(planId, entry.Plan.Version));
                if (!target.IsThere)
                {
                    throw Errors.UnknownReference(employeeId is null ? "block.unit" : "block.employee", "must be in the directory");
                }

                if (target.OwnsAPlan)
                {
                    throw Errors.WrongState("The unit owns a plan of the person. A unit that answers for a plan is not blocked from it.");
                }

                var (kind, name) = employeeId is not null ? (Blocked.Employee, ResourceName.Entry(ResourceName.Employees, employeeId))
                    : unitId is not null ? (Blocked.Unit, ResourceName.Entry(ResourceName.Units, unitId))
                    : (Blocked.Guardian, PersonTarget(block.Guardian));
                var record = NewBlock(entry, kind, name, block);
                trip.Add(ProtectionSql.InsertBlock(entry.Plan.SubjectId, record, entry.ChangedBy));
                return new AddBlockResponse { Block = record.ToBlock(planId, entry.Key) };
            });
    }

    public override Task<LiftBlockResponse> LiftBlock(LiftBlockRequest request, ServerCallContext context)
    {
        var (planId, blockId) = ResourceName.ParseChild(request.Name, ResourceName.Blocks, "name");
        return gate.Change(
            request,
            context,
            planId,
            trip => trip.Add(ProtectionSql.FindBlock(planId, blockId)),
            (entry, current, trip) =>
            {
                Entry.RequireEtag(request.Etag, current.Etag);
                if (current.LiftedAt is not null)
                {
                    throw Errors.WrongState("The block has been lifted already.");
                }

                var lifted = current with { LiftedAt = entry.Now.UtcDateTime, Version = current.Version + 1 };
                trip.Add(ProtectionSql.LiftBlock(entry.Plan.SubjectId, lifted, entry.Now, entry.ChangedBy));
                return new LiftBlockResponse { Block = lifted.ToBlock(planId, entry.Key) };
            });
    }

    public override Task<DeclareRelationResponse> DeclareRelation(DeclareRelationRequest request, ServerCallContext context)
    {
        testPersons.Require(request.Person, "person.value");
        var identityKey = keys.IndexOf(request.Person);
        Pending<KnownSubject?>? known = null;
        return gate.ChangeAsync(
            request,
            context,
            null,
            trip =>
            {
                var locked = trip.Add(LocksSql.Person(identityKey).Select(_ => Nothing.Loaded));
                known = trip.Add(SubjectSql.Find(identityKey));
                return locked;
            },
            async (entry, _, trip) =>
            {
                // A person whom the service does not know yet is entered, so that the block is there before the first plan is.
                var subjectId = await NewSubjects.FindOrAdd(entry, known!.Value, request.Person, identityKey, Policy.ProtectionLevel.Unspecified, trip, context.CancellationToken);
                var plans = entry.NewTrip();
                var found = plans.Add(FactsSql.PlansOf(subjectId));
                await plans.Run(context.CancellationToken);
                var locks = entry.NewTrip();
                locks.Add(LocksSql.Plans(found.Value, alone: true));
                await locks.Run(context.CancellationToken);

                var block = new Block { Employee = keys.Names.NameOf(entry.Caller.Name), Ground = request.Ground, DecideDate = entry.Today.ToDate() };
                trip.Add(ProtectionSql.InsertBlock(subjectId, NewBlock(entry, Blocked.Employee, entry.Caller.Name, block), entry.ChangedBy));
                // The answer and its entry in the log are the same whoever the person is: neither names one.
                return new DeclareRelationResponse { BlockDate = entry.Today.ToDate() };
            });
    }

    private BlockRecord NewBlock(Entry entry, Blocked kind, string target, Block block)
    {
        var body = block.Clone();
        body.RecordedBy = keys.Names.NameOf(entry.ChangedBy);
        var id = Ids.Opaque();
        return new BlockRecord(
            id, kind, target, block.DecideDate.ToDateOnly(), block.ReviewDate?.ToDateOnly(), block.EndDate?.ToDateOnly(), null, 1, entry.Key.Seal(BlockRecord.Place(id), body.ToByteArray()));
    }

    private ProtectionDecision Decide(Entry entry, Guid subjectId, ProtectionDecision decision, RoundTrip trip)
    {
        decision.RecordedBy = keys.Names.NameOf(entry.ChangedBy);
        decision.RecordTime = Timestamp.FromDateTimeOffset(entry.Now);
        var id = Ids.Opaque();
        var level = (Policy.ProtectionLevel)decision.Level;
        trip.Add(SubjectSql.SetLevel(subjectId, level));
        trip.Add(ProtectionSql.InsertDecision(
            subjectId, id, level, decision.Source, decision.DecideDate.ToDateOnly(), entry.Key.Seal(ProtectionSql.DecisionPlace(id), decision.ToByteArray()), entry.ChangedBy));
        return decision;
    }

    /// <summary>The key of the person's whereabouts; a new one where there is none yet. The caller holds the person's lock.</summary>
    internal static async Task<DataKey> WhereaboutsKey(Entry entry, WhereaboutsRecord current, RoundTrip trip, CancellationToken stop)
    {
        if (current.Key is { } wrapped)
        {
            return await entry.SubjectKeys.Unwrap(Compartment.Whereabouts, wrapped, stop);
        }

        var (key, made) = await entry.SubjectKeys.Create(Compartment.Whereabouts, stop);
        trip.Add(SubjectSql.InsertKey(current.SubjectId, Compartment.Whereabouts, made));
        return key;
    }

    private string PersonTarget(IdentityNumber number) => "persons/" + Convert.ToHexStringLower(keys.IndexOf(number));

    private void RequireDecision(ProtectionDecision decision, string field)
    {
        var faults = new List<FieldFault>();
        var fromRegister = decision.Source == ProtectionSource.PopulationRegister;
        if (fromRegister != (decision.Level == ProtectionLevel.Unspecified))
        {
            faults.Add(new FieldFault(field + ".level", fromRegister ? "is the register's to say" : "is required"));
        }

        if (fromRegister != decision.DecideDate is null)
        {
            faults.Add(new FieldFault(field + ".decide_date", fromRegister ? "is the day on which the register is asked" : "is required"));
        }
        else if (decision.DecideDate is not null && decision.DecideDate.ToDateOnly() > time.Today())
        {
            faults.Add(new FieldFault(field + ".decide_date", "must not be in the future"));
        }

        if (faults.Count > 0)
        {
            throw Errors.InvalidFields(faults);
        }
    }

    private void RequireReview(DateOnly decidedOn, DateOnly reviewOn, string prefix)
    {
        var faults = new List<FieldFault>();
        if (decidedOn > time.Today())
        {
            faults.Add(new FieldFault(prefix + "decide_date", "must not be in the future"));
        }

        if (reviewOn <= decidedOn || reviewOn > decidedOn.AddMonths(LocationSecrecyRecord.LongestMonths))
        {
            faults.Add(new FieldFault(prefix + "review_date", $"must be after decide_date, at most {LocationSecrecyRecord.LongestMonths} months"));
        }

        if (faults.Count > 0)
        {
            throw Errors.InvalidFields(faults);
        }
    }

    private void RequireBlock(Block block)
    {
        var faults = new List<FieldFault>();
        var targets = (block.Employee.Length > 0 ? 1 : 0) + (block.Unit.Length > 0 ? 1 : 0) + (block.Guardian is null ? 0 : 1);
        if (targets != 1)
        {
            faults.Add(new FieldFault("block", "must name exactly one of employee, unit and guardian"));
        }

        if (block.DecideDate.ToDateOnly() > time.Today())
        {
            faults.Add(new FieldFault("block.decide_date", "must not be in the future"));
        }

        if (block.Guardian is not null && (block.ReviewDate is null || block.ReviewDate.ToDateOnly() <= block.DecideDate.ToDateOnly()))
        {
            faults.Add(new FieldFault("block.review_date", "is required for a guardian, after decide_date (OSL 12 kap. 3 §)"));
        }

        if (block.EndDate is not null && block.Guardian is not null)
        {
            faults.Add(new FieldFault("block.end_date", "is not for a guardian: a guardian's block is lifted by a decision and ends by no date"));
        }
        else if (block.EndDate is not null && (block.EndDate.ToDateOnly() < block.DecideDate.ToDateOnly() || block.EndDate.ToDateOnly() < time.Today()))
        {
            faults.Add(new FieldFault("block.end_date", "must not be before decide_date, nor before today"));
        }

        if (faults.Count > 0)
        {
            throw Errors.InvalidFields(faults);
        }

        if (block.Guardian is not null)
        {
            testPersons.Require(block.Guardian, "block.guardian.value");
        }
    }
}
