using System.Buffers.Binary;
using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Hosting;
using CoordinationPlan.Server.Protection;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace CoordinationPlan.Server.Suggestions;

/// <summary>Suggestions of plans. What each RPC does and who may call it stands in suggestion_service.proto.</summary>
internal sealed class SuggestionService(CaseGate gate, PageTokens pageTokens, ServiceKeys keys, IPopulationRegister register, TimeProvider time, TestPersons testPersons)
    : V1.SuggestionService.SuggestionServiceBase
{
    private const int DefaultPageSize = 50;
    private const int MaxPageSize = 100;

    /// <summary>Each person is locked: the database has room for so many locks only.</summary>
    private const int DecidedAtATime = 100;

    public override Task<SuggestPlanResponse> SuggestPlan(SuggestPlanRequest request, ServerCallContext context)
    {
        var suggestion = request.PlanSuggestion;
        var number = suggestion.Subject.IdentityNumber;
        testPersons.Require(number, "plan_suggestion.subject.identity_number.value");
        var recipient = keys.Names.Parse(suggestion.RecipientUnit, ResourceName.Units, "plan_suggestion.recipient_unit");
        var identityKey = keys.IndexOf(number);
        Pending<PersonFacts?>? person = null;
        return gate.ChangeAsync(
            request,
            context,
            null,
            trip =>
            {
                trip.Add(LocksSql.Person(identityKey));
                person = trip.Add(FactsSql.Person(identityKey, CallerIdentity.Of(context, keys.Names), time.Today()));
                return trip.Add(SuggestionSql.Surroundings(recipient, identityKey));
            },
            async (entry, surroundings, trip) =>
            {
                if (!surroundings.RecipientTakes)
                {
                    throw Errors.UnknownReference("plan_suggestion.recipient_unit", "must be a unit of social services or health care of a municipality or region");
                }

                // Asked for everyone, though it counts for a new person only: that it was asked must not tell that the person is new.
                var level = await register.LevelOf(number, context.CancellationToken);
                var subjectId = await NewSubjects.FindOrAdd(entry, person!.Value?.Subject, number, identityKey, level, trip, context.CancellationToken);
                var isKeptOut = person.Value is { Blocked: not Blocked.No };
                var record = new SuggestionRecord(
                    Ids.Opaque(), subjectId, recipient, entry.CallerFacts.UnitId, isKeptOut ? SuggestionState.SetAside : SuggestionState.Open, entry.Now, 1, [])
                    .Holding(entry.Key, suggestion);
                trip.Add(SuggestionSql.Insert(record, entry.ChangedBy));
                foreach (var plan in surroundings.Plans)
                {
                    var alert = Ids.Opaque();
                    trip.Add(AlertSql.RaiseForBlocked(alert, isKeptOut, plan, entry.Caller.Name, AlertSql.Body(alert, entry.Caller, entry.CallerFacts.UnitId, keys)));
                }

                if (request.ValidateOnly)
                {
                    // A dry run concerns nobody yet.
                    entry.ConcernNobody();
                }
                else
                {
                    // The sender's own entry, whoever the person is and whatever becomes of the suggestion.
                    entry.Concern(null, subjectId, entry.CallerFacts.Controller, Categories.Existence);
                }

                return new SuggestPlanResponse { SendTime = Timestamp.FromDateTimeOffset(entry.Now) };
            });
    }

    public override Task<ListSuggestionsResponse> ListSuggestions(ListSuggestionsRequest request, ServerCallContext context)
    {
        var pageSize = request.PageSize == 0 ? DefaultPageSize : Math.Min(request.PageSize, MaxPageSize);
        return gate.Read<ListSuggestionsResponse>(request, context, null, async (entry, _) =>
        {
            var after = Position(pageTokens.Open(request.PageToken, entry.Caller.AssignmentId!, request));
            var (page, isMore) = await PermittedPage(entry, after, pageSize, context.CancellationToken);
            foreach (var (_, person) in page.DistinctBy(item => item.Person.Subject.SubjectId))
            {
                entry.Concern(Policy.Act.AnswerSuggestion, person, entry.Permit.Reads);
            }

            if (page.Count == 0)
            {
                entry.ConcernNobody();
            }

            var response = new ListSuggestionsResponse();
            foreach (var (suggestion, person) in page)
            {
                response.PlanSuggestions.Add(suggestion.ToSuggestion(await entry.KeyOf(person.Subject.Key!.Value, context.CancellationToken), keys.Names));
            }

            response.NextPageToken = isMore ? pageTokens.Seal(Bytes(page[^1].Suggestion), entry.Caller.AssignmentId!, request) : "";
            return () => response;
        });
    }

    public override Task<AnswerSuggestionResponse> AnswerSuggestion(AnswerSuggestionRequest request, ServerCallContext context)
    {
        var suggestionId = ResourceName.ParsePlanSuggestion(request.Name, "name");
        var isDismissed = request.Dismissal != SuggestionDismissal.Unspecified;
        if (isDismissed == (request.Plan.Length > 0))
        {
            throw Errors.InvalidFields(new FieldFault("plan", "is needed, or else dismissal; just one of them"));
        }

        if (isDismissed && string.IsNullOrWhiteSpace(request.Reference))
        {
            throw Errors.InvalidFields(new FieldFault("reference", "is required with a dismissal: why no plan is opened is documented"));
        }

        Guid? planId = isDismissed ? null : ResourceName.ParsePlan(request.Plan, "plan");
        Pending<PersonFacts?>? person = null;
        Pending<bool>? isOpenedFrom = null;
        return gate.ChangeAsync(
            request,
            context,
            null,
            trip =>
            {
                trip.Add(SuggestionSql.LockPersonOf(suggestionId));
                person = trip.Add(FactsSql.PersonOfSuggestion(suggestionId, CallerIdentity.Of(context, keys.Names), time.Today()));
                isOpenedFrom = trip.Add(SuggestionSql.IsOpenedFrom(suggestionId, planId));
                return trip.Add(SuggestionSql.Find(suggestionId).Select(found => (person.Value?.Subject.Key is null ? new Loaded<SuggestionRecord>(null) : found) with
                {
                    // Where there is none, it is nobody's.
                    Blocked = person.Value?.Blocked ?? Blocked.No,
                    Protection = person.Value?.Subject.Protection ?? Policy.ProtectionLevel.Unspecified,
                }));
            },
            async (entry, suggestion, trip) =>
            {
                Entry.RequireEtag(request.Etag, suggestion.Etag);
                if (suggestion.State != SuggestionState.Open)
                {
                    throw Errors.WrongState("The suggestion has been answered.");
                }

                if (planId is not null && !isOpenedFrom!.Value)
                {
                    throw Errors.UnknownReference("plan", "must be a plan of the caller's unit for the person whom the suggestion is about");
                }

                var key = entry.UseKey(await entry.SubjectKeys.Unwrap(Compartment.Content, person!.Value!.Subject.Key!.Value, context.CancellationToken));
                trip.Add(SuggestionSql.Answer(suggestion.Answer(key, planId, request.Dismissal, request.Reference), entry.ChangedBy));
                if (!request.ValidateOnly)
                {
                    entry.Concern(planId, suggestion.SubjectId, entry.CallerFacts.Controller, Categories.Existence);
                }

                return new AnswerSuggestionResponse { AnswerTime = Timestamp.FromDateTimeOffset(entry.Now) };
            });
    }

    /// <summary>
    /// Candidates are fetched and decided until the page is full, so that one that may not be shown leaves no gap. Their persons are locked before they are
    /// decided: a block that has been answered is seen.
    /// </summary>
    private static async Task<(List<(SuggestionRecord Suggestion, PersonFacts Person)> Page, bool IsMore)> PermittedPage(
        Entry entry, (DateTimeOffset SentAt, Guid SuggestionId) after, int pageSize, CancellationToken stop)
    {
        var page = new List<(SuggestionRecord, PersonFacts)>();
        while (true)
        {
            var find = entry.NewTrip();
            var candidates = find.Add(SuggestionSql.Open(entry.CallerFacts.UnitId, after, DecidedAtATime));
            await find.Run(stop);

            var subjects = candidates.Value.Select(candidate => candidate.SubjectId).Distinct().ToArray();
            var decide = entry.NewTrip();
            decide.Add(LocksSql.Persons(subjects));
            var persons = decide.Add(FactsSql.Persons(subjects, entry.Caller, entry.Today));
            await decide.Run(stop);

            page.AddRange(
                from candidate in candidates.Value
                let person = persons.Value[candidate.SubjectId]
                // What a destroyed key has sealed is gone.
                where person.Subject.Key is not null && entry.Decide(Policy.Act.AnswerSuggestion, person).IsPermit
                select (candidate, person));
            if (page.Count > pageSize)
            {
                return (page[..pageSize], true);
            }

            if (candidates.Value.Count < DecidedAtATime)
            {
                return (page, false);
            }

            after = (candidates.Value[^1].SentAt, candidates.Value[^1].SuggestionId);
        }
    }

    private static (DateTimeOffset SentAt, Guid SuggestionId) Position(byte[]? bytes) => bytes is null
        ? (DateTimeOffset.UnixEpoch, Guid.Empty)
        : (new DateTimeOffset(BinaryPrimitives.ReadInt64BigEndian(bytes), TimeSpan.Zero), new Guid(bytes.AsSpan(8)));

    private static byte[] Bytes(SuggestionRecord last)
    {
        var bytes = new byte[24];
        BinaryPrimitives.WriteInt64BigEndian(bytes, last.SentAt.UtcTicks);
        last.SuggestionId.TryWriteBytes(bytes.AsSpan(8));
        return bytes;
    }
}
