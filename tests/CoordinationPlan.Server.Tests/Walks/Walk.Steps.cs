using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.V1;
using Google.Protobuf.WellKnownTypes;
using static CoordinationPlan.V1.InformationCategory;

namespace CoordinationPlan.Server.Tests.Walks;

/// <content>The changes: the plan's steps, what it holds, who takes part, consents, meetings, proposals.</content>
internal sealed partial class Walk
{
    private Task Advance()
    {
        var who = MostlyOwner();
        // What leads on from here, or anything.
        var to = _dice.Of(3) == 0 ? (PlanState)(1 + _dice.Of(10)) : _dice.One(Onwards(_model.State));
        return Change(
            who, _stand.As(who).Plans.AdvancePlanAsync, new AdvancePlanRequest { Name = _model.Name, State = to }, _model.Etag,
            () => _model.MayAsOwner(who),
            response => _model.MoveTo(to, response.Plan.Etag),
            then: () => _model.Step(to, "AdvancePlan", Today));
    }

    private static PlanState[] Onwards(PlanState from) => from switch
    {
        PlanState.Noted => [PlanState.ConsentSought, PlanState.Preparing],
        PlanState.ConsentSought => [PlanState.Preparing],
        PlanState.Preparing or PlanState.Met => [PlanState.Summoned, PlanState.Met],
        PlanState.Summoned => [PlanState.Met],
        _ => [PlanState.InFollowUp],
    };

    private Task Decline()
    {
        var who = MostlyOwner();
        var reason = (PlanDeclineReason)(1 + _dice.Of(4));
        var to = reason == PlanDeclineReason.PersonDoesNotWant ? PlanState.Refused : PlanState.Declined;
        var request = new DeclinePlanRequest { Name = _model.Name, Reason = reason, DecisionReference = $"BESLUT {_dice.Of(100)}" };
        return Change(
            who, _stand.As(who).Plans.DeclinePlanAsync, request, _model.Etag,
            () => _model.MayAsOwner(who),
            response =>
            {
                _model.MoveTo(to, response.Plan.Etag);
                (_model.DeclineReason, _model.DeclineReference) = (reason, request.DecisionReference);
            },
            then: () => _model.Step(to, "DeclinePlan", Today));
    }

    private Task Establish()
    {
        var who = MostlyOwner();
        var proposal = _model.Proposals.Count > 0 && _dice.Of(2) == 0 ? _model.Proposals[^1] : null;
        return Change(
            who, _stand.As(who).Plans.EstablishPlanAsync, new EstablishPlanRequest { Name = _model.Name, Proposal = proposal?.Name ?? "" }, _model.Etag,
            () => _model.MayAsOwner(who),
            response =>
            {
                (_model.Revision, _model.EstablishedOn) = (_model.Revision + 1, Today);
                _model.MoveTo(PlanState.Established, response.Plan.Etag);
                if (proposal is not null)
                {
                    (proposal.Established, proposal.Etag) = (_model.Revision, null);
                }
            },
            then: () => _model.Step(PlanState.Established, "EstablishPlan", Today) is { IsDone: false } lacks ? lacks
                : proposal is not null && !IsOpen(proposal, who) ? Verdict.WrongState
                : Verdict.Done);
    }

    private bool IsOpen(Proposed proposal, DemonstrationEmployee who) => proposal.Established == 0 && _model.IsCurrent(proposal, who);

    private Task Close()
    {
        var who = MostlyOwner();
        var reason = (PlanClosingReason)(1 + _dice.Of(6));
        return Change(
            who, _stand.As(who).Plans.ClosePlanAsync, new ClosePlanRequest { Name = _model.Name, Reason = reason }, _model.Etag,
            () => _model.MayAsOwner(who),
            response =>
            {
                _model.MoveTo(PlanState.Closed, response.Plan.Etag);
                (_model.ClosedOn, _model.ClosingReason) = (Today, reason);
            });
    }

    private Task Reopen()
    {
        var who = MostlyOwner();
        return Change(
            who, _stand.As(who).Plans.ReopenPlanAsync, new ReopenPlanRequest { Name = _model.Name }, _model.Etag,
            () => _model.MayAsOwner(who, open: false),
            response =>
            {
                _model.MoveTo(PlanState.Noted, response.Plan.Etag);
                (_model.ClosedOn, _model.ClosingReason) = (null, PlanClosingReason.Unspecified);
                (_model.DeclineReason, _model.DeclineReference) = (PlanDeclineReason.Unspecified, "");
            });
    }

    private Task Update()
    {
        var who = MostlyInvolved();
        var text = $"Text {_dice.Of(1000)}";
        var plan = new Plan { Name = _model.Name };
        var (path, apply) = _dice.Of(6) switch
        {
            0 => ("lead_principal", (Action)(() => _model.LeadPrincipal = plan.LeadPrincipal = Cases.City)),
            1 => ("no_other_measures", () => _model.NoOtherMeasures = plan.NoOtherMeasures = text.Length % 2 == 0),
            2 => ("follow_up_date", () => plan.FollowUpDate = Cases.ToDate((_model.FollowUp = Today.AddDays(text.Length)).Value)),
            3 => ("social_situation", () => _model.SocialSituation = plan.SocialSituation = text),
            4 => ("needs", () => _model.Needs = plan.Needs = text),
            _ => ("health_situation", () => _model.HealthSituation = plan.HealthSituation = text),
        };
        // The request holds what the model takes over when the change is done.
        var before = (_model.LeadPrincipal, _model.NoOtherMeasures, _model.FollowUp, _model.SocialSituation, _model.Needs, _model.HealthSituation);
        apply();
        var after = (_model.LeadPrincipal, _model.NoOtherMeasures, _model.FollowUp, _model.SocialSituation, _model.Needs, _model.HealthSituation);
        (_model.LeadPrincipal, _model.NoOtherMeasures, _model.FollowUp, _model.SocialSituation, _model.Needs, _model.HealthSituation) = before;
        return Change(
            who, _stand.As(who).Plans.UpdatePlanAsync, new UpdatePlanRequest { Plan = plan, UpdateMask = new() { Paths = { path } } }, _model.Etag,
            () => _model.MayUpdate(who, path, Today),
            response =>
            {
                (_model.LeadPrincipal, _model.NoOtherMeasures, _model.FollowUp, _model.SocialSituation, _model.Needs, _model.HealthSituation) = after;
                _model.Etag = response.Plan.Etag;
                _model.Touch();
            });
    }

    // --------------------------------------------------------------------------------------------------- goals, interventions, measures

    private Task AddGoal()
    {
        var (who, title) = (MostlyOwner(), $"Mål {_dice.Of(1000)}");
        return Change(
            who, _stand.As(who).Plans.AddGoalAsync, new AddGoalRequest { Parent = _model.Name, Goal = new() { Title = title } }, _model.Etag,
            () => _model.MayAsOwner(who), response => Added(_model.Goals, response.Goal.Name, response.Goal.Etag, title));
    }

    private Task ChangeGoal()
    {
        if (_model.Goals.Count == 0)
        {
            return AddGoal();
        }

        var (who, goal, title) = (MostlyOwner(), _dice.One(_model.Goals), $"Mål {_dice.Of(1000)}");
        if (_dice.Of(2) == 0)
        {
            return Change(
                who, _stand.As(who).Plans.UpdateGoalAsync,
                new UpdateGoalRequest { Goal = new() { Name = goal.Name, Title = title }, UpdateMask = new() { Paths = { "title" } } }, goal.Etag,
                () => _model.MayAsOwner(who), response => Changed(goal, response.Goal.Etag, title), then: () => IsActive(goal));
        }

        var ending = AnyEnding();
        return Change(
            who, _stand.As(who).Plans.EndGoalAsync, new EndGoalRequest { Name = goal.Name, Ending = ending }, goal.Etag,
            () => _model.MayAsOwner(who), response => Ended(goal, response.Goal.Etag, ending), then: () => IsActive(goal));
    }

    private Task AddIntervention()
    {
        var (who, unit, title) = (Anybody(), AnyUnit(), $"Insats {_dice.Of(1000)}");
        return Change(
            who, _stand.As(who).Plans.AddInterventionAsync,
            new AddInterventionRequest { Parent = _model.Name, Intervention = new() { Title = title, ResponsibleUnit = unit } }, _model.Etag,
            () => _model.MayWriteIntervention(who, unit, isNew: true, Today),
            response => Added(_model.Interventions, response.Intervention.Name, response.Intervention.Etag, title, unit),
            first: () => _model.TakesPart(unit, Today) ? Verdict.Done : Verdict.UnknownReference);
    }

    private Task ChangeIntervention()
    {
        if (_model.Interventions.Count == 0)
        {
            return AddIntervention();
        }

        var (who, intervention, title) = (Anybody(), _dice.One(_model.Interventions), $"Insats {_dice.Of(1000)}");
        Verdict May() => _model.MayWriteIntervention(who, intervention.Unit, isNew: false, Today);
        if (_dice.Of(2) == 0)
        {
            return Change(
                who, _stand.As(who).Plans.UpdateInterventionAsync,
                new UpdateInterventionRequest { Intervention = new() { Name = intervention.Name, Title = title }, UpdateMask = new() { Paths = { "title" } } }, intervention.Etag,
                May, response => Changed(intervention, response.Intervention.Etag, title), then: () => IsActive(intervention));
        }

        var ending = AnyEnding();
        return Change(
            who, _stand.As(who).Plans.EndInterventionAsync, new EndInterventionRequest { Name = intervention.Name, Ending = ending }, intervention.Etag,
            May, response => Ended(intervention, response.Intervention.Etag, ending), then: () => IsActive(intervention));
    }

    private Task AddMeasure()
    {
        var (who, title) = (MostlyOwner(), $"Åtgärd {_dice.Of(1000)}");
        return Change(
            who, _stand.As(who).Plans.AddOtherMeasureAsync,
            new AddOtherMeasureRequest { Parent = _model.Name, OtherMeasure = new() { Title = title, TakenBy = "Kvinnojour" } }, _model.Etag,
            () => _model.MayAsOwner(who), response => Added(_model.Measures, response.OtherMeasure.Name, response.OtherMeasure.Etag, title));
    }

    private Task ChangeMeasure()
    {
        if (_model.Measures.Count == 0)
        {
            return AddMeasure();
        }

        var (who, measure, ending) = (MostlyOwner(), _dice.One(_model.Measures), AnyEnding());
        return Change(
            who, _stand.As(who).Plans.EndOtherMeasureAsync, new EndOtherMeasureRequest { Name = measure.Name, Ending = ending }, measure.Etag,
            () => _model.MayAsOwner(who), response => Ended(measure, response.OtherMeasure.Etag, ending), then: () => IsActive(measure));
    }

    private void Added(List<Item> items, string name, string etag, string title, string unit = "")
    {
        items.Add(new Item { Name = name, Etag = etag, Title = title, Unit = unit });
        _model.Touch(unit);
    }

    private void Changed(Item item, string etag, string title)
    {
        (item.Etag, item.Title) = (etag, title);
        _model.Touch(item.Unit);
    }

    private void Ended(Item item, string etag, ItemEnding ending)
    {
        (item.Etag, item.State) = (etag, ending == ItemEnding.Completed ? ItemState.Completed : ItemState.Discontinued);
        _model.Touch(item.Unit);
    }

    private static Verdict IsActive(Item item) => item.State == ItemState.Active ? Verdict.Done : Verdict.WrongState;

    private ItemEnding AnyEnding() => _dice.Of(2) == 0 ? ItemEnding.Completed : ItemEnding.Discontinued;

    // ------------------------------------------------------------------------------------------------------- participations and consents

    private Task Join()
    {
        var (who, unit) = (MostlyOwner(), AnyUnit());
        var from = Today.AddDays(_dice.Of(4) == 0 ? _dice.Of(20) : 0);
        DateOnly? to = _dice.Of(2) == 0 ? from.AddDays(_dice.Of(120)) : null;
        return Change(
            who, _stand.As(who).Participations.AddParticipationAsync,
            new AddParticipationRequest
            {
                Parent = _model.Name,
                Participation = new() { Unit = unit, Period = new() { StartDate = Cases.ToDate(from), EndDate = to is { } end ? Cases.ToDate(end) : null } },
            },
            _model.Etag,
            () => _model.MayAsOwner(who),
            response => _model.Participations.Add(new TakingPart { Name = response.Participation.Name, Etag = response.Participation.Etag, Unit = unit, From = from, To = to }),
            then: () => unit == Model.Owner || IsBroughtIn(unit) ? Verdict.WrongState : Verdict.Done);
    }

    /// <summary>Takes part, or will or did by its period, and has not been ended.</summary>
    private bool IsBroughtIn(string unit) => _model.Participations.Exists(part => part.Unit == unit && !part.Ended);

    private Task Leave()
    {
        if (_model.Participations.Count == 0)
        {
            return Join();
        }

        var (who, part) = (MostlyOwner(), _dice.One(_model.Participations));
        return Change(
            who, _stand.As(who).Participations.EndParticipationAsync, new EndParticipationRequest { Name = part.Name }, part.Etag,
            () => _model.MayAsOwner(who),
            response => (part.Ended, part.Etag) = (true, response.Participation.Etag),
            then: () => part.Ended ? Verdict.WrongState : Verdict.Done);
    }

    private Task RecordConsent()
    {
        var (who, recipient) = (MostlyOwner(), _dice.One(Participants));
        var state = _dice.Of(6) switch { 0 => ConsentState.Refused, 1 => ConsentState.Asked, _ => ConsentState.Given };
        var units = _dice.Some(Participants.Select(Cases.UnitOf).ToList(), 2).Append(Cases.UnitOf(recipient)).ToHashSet();
        // That the plan exists is refused now and then; then all is.
        var categories = _dice.Some(state == ConsentState.Given || _dice.Of(8) == 0 ? Consentable : Consentable[1..], 4);
        HashSet<InformationCategory> excluded = _dice.Of(4) == 0 ? _dice.Some(Consentable[1..], 2) : [];
        var from = Today.AddDays(_dice.Of(5) == 0 ? _dice.Of(15) : 0);
        var to = from.AddDays(_dice.Of(200));
        return Change(
            who, _stand.As(who).Consents.RecordConsentAsync,
            new RecordConsentRequest
            {
                Parent = _model.Name,
                Consent = new()
                {
                    State = state,
                    RecipientUnits = { units },
                    Categories = { categories },
                    ExcludedCategories = { excluded },
                    Purpose = recipient.Purpose,
                    Period = new() { StartDate = Cases.ToDate(from), EndDate = Cases.ToDate(to) },
                    Form = ConsentForm.Oral,
                    GivenBy = ConsentGiver.Self,
                },
            },
            _model.Etag,
            () => _model.MayAsOwner(who),
            response => _model.Consents.Add(new Agreed
            {
                Name = response.Consent.Name,
                Etag = response.Consent.Etag,
                State = state,
                Units = units,
                Categories = categories,
                Excluded = excluded,
                Purpose = recipient.Purpose,
                From = from,
                To = to,
            }));
    }

    private Task ChangeConsent()
    {
        if (_model.Consents.Count == 0)
        {
            return RecordConsent();
        }

        var (who, consent) = (MostlyOwner(), _dice.One(_model.Consents));
        Verdict IsGiven() => consent.State == ConsentState.Given ? Verdict.Done : Verdict.WrongState;
        switch (_dice.Of(3))
        {
            case 0:
                // Also in a closed plan.
                return Change(
                    who, _stand.As(who).Consents.WithdrawConsentAsync, new WithdrawConsentRequest { Name = consent.Name }, consent.Etag,
                    () => _model.MayAsOwner(who, open: null),
                    response => (consent.State, consent.Etag) = (ConsentState.Withdrawn, response.Consent.Etag),
                    then: () => consent.State == ConsentState.Withdrawn ? Verdict.WrongState : Verdict.Done);
            case 1:
                var (units, categories) = (consent.Units.Skip(_dice.Of(2)).DefaultIfEmpty(consent.Units.First()).ToHashSet(), _dice.Some(Consentable, 3));
                var earlier = consent.To.AddDays(_dice.Of(6) - 4);
                var isNarrower = categories.IsSubsetOf(consent.Categories) && earlier <= consent.To && earlier >= consent.From;
                return Change(
                    who, _stand.As(who).Consents.NarrowConsentAsync,
                    new NarrowConsentRequest
                    {
                        Name = consent.Name,
                        RecipientUnits = { units },
                        Categories = { categories },
                        ExcludedCategories = { consent.Excluded },
                        EndDate = Cases.ToDate(earlier),
                    },
                    consent.Etag,
                    () => _model.MayAsOwner(who, open: null),
                    response => (consent.Units, consent.Categories, consent.To, consent.Etag) = (units, categories, earlier, response.Consent.Etag),
                    then: () => IsGiven() is { IsDone: false } not ? not : isNarrower ? Verdict.Done : Verdict.InvalidFields);
            default:
                var later = Today.AddDays(_dice.Of(150) - 20);
                var renews = later > consent.To && later >= Today;
                return Change(
                    who, _stand.As(who).Consents.RenewConsentAsync,
                    new RenewConsentRequest { Name = consent.Name, EndDate = Cases.ToDate(later), Form = ConsentForm.Written }, consent.Etag,
                    () => _model.MayAsOwner(who),
                    response => (consent.To, consent.Etag) = (later, response.Consent.Etag),
                    then: () => IsGiven() is { IsDone: false } not ? not : renews ? Verdict.Done : Verdict.InvalidFields);
        }
    }

    // -------------------------------------------------------------------------------------------- meetings, proposals, assessments, blocks

    private Task CallMeeting()
    {
        var who = MostlyOwner();
        var units = _dice.Some(Participants.Append(DemonstrationDirectory.CaseWorker).Select(Cases.UnitOf).ToList(), 3);
        var permits = _dice.Of(4) != 0;
        var kind = _dice.Of(4) == 0 ? MeetingKind.FollowUp : MeetingKind.Planning;
        var at = _stand.Clock.GetUtcNow().AddHours(1 + _dice.Of(48));
        var calls = units.ToDictionary(unit => unit, unit => (Kind(unit), CallReply.Unspecified, Attendance.Unspecified));
        return Change(
            who, _stand.As(who).Meetings.CallMeetingAsync,
            new CallMeetingRequest
            {
                Parent = _model.Name,
                Meeting = new() { Kind = kind, StartTime = Timestamp.FromDateTimeOffset(at), Form = MeetingForm.Room, Place = "Sammanträdesrum 3" },
                Units = { units },
                PersonPermitsInvitations = permits,
            },
            _model.Etag,
            () => _model.MayAsOwner(who),
            response => _model.CalledMeetings.Add(new Called { Name = response.Meeting.Name, Etag = response.Meeting.Etag, Kind = kind, StartsAt = at, Calls = calls }),
            then: () => !units.All(unit => unit == Model.Owner || IsBroughtIn(unit)) ? Verdict.UnknownReference
                : !permits && units.Any(unit => Kind(unit) == CallKind.Invitation) ? Verdict.WrongState
                : Verdict.Done);

        // The units of the principals' social services and health care have to come; the others are invited.
        static CallKind Kind(string unit) => unit == Cases.UnitOf(DemonstrationDirectory.Origo) || unit == Cases.UnitOf(DemonstrationDirectory.Cousin) ? CallKind.Invitation : CallKind.Summons;
    }

    private Task ChangeMeeting()
    {
        if (_model.CalledMeetings.Count == 0)
        {
            return CallMeeting();
        }

        var meeting = _dice.Of(4) == 0 ? _dice.One(_model.CalledMeetings) : _model.CalledMeetings[^1];
        Verdict IsCalled() => meeting.State == MeetingState.Called ? Verdict.Done : Verdict.WrongState;
        switch (_dice.Of(8))
        {
            case 0:
                var canceller = MostlyOwner();
                return Change(
                    canceller, _stand.As(canceller).Meetings.CancelMeetingAsync, new CancelMeetingRequest { Name = meeting.Name }, meeting.Etag,
                    () => _model.MayAsOwner(canceller),
                    response => (meeting.State, meeting.Etag) = (MeetingState.Cancelled, response.Meeting.Etag),
                    then: IsCalled);
            case 1:
                var mover = MostlyOwner();
                var at = _stand.Clock.GetUtcNow().AddHours(_dice.Of(30) - 5);
                return Change(
                    mover, _stand.As(mover).Meetings.RescheduleMeetingAsync,
                    new RescheduleMeetingRequest { Name = meeting.Name, StartTime = Timestamp.FromDateTimeOffset(at), Form = MeetingForm.Video }, meeting.Etag,
                    () => _model.MayAsOwner(mover),
                    response =>
                    {
                        (meeting.StartsAt, meeting.Etag) = (at, response.Meeting.Etag);
                        meeting.Calls = meeting.Calls.ToDictionary(call => call.Key, call => (call.Value.Kind, CallReply.Unspecified, call.Value.Attendance));
                    },
                    then: () => IsCalled() is { IsDone: false } not ? not : at > _stand.Clock.GetUtcNow() ? Verdict.Done : Verdict.InvalidFields);
            case < 5:
                var recorder = MostlyOwner();
                var came = _dice.Of(6) == 0 ? [Cases.UnitOf(DemonstrationDirectory.Psychiatry)] : meeting.Calls.Keys.Skip(_dice.Of(3)).ToList();
                return Change(
                    recorder, _stand.As(recorder).Meetings.RecordMeetingAsync,
                    new RecordMeetingRequest { Name = meeting.Name, AttendingUnits = { came }, Minutes = "Mötet hölls." }, meeting.Etag,
                    () => _model.MayAsOwner(recorder),
                    response =>
                    {
                        (meeting.State, meeting.Etag) = (MeetingState.Held, response.Meeting.Etag);
                        meeting.Calls = meeting.Calls.ToDictionary(call => call.Key, call => (call.Value.Kind, call.Value.Reply,
                            came.Contains(call.Key) ? Attendance.Attended : call.Value.Reply == CallReply.Declined ? Attendance.Declined : Attendance.NoShow));
                    },
                    then: () => IsCalled() is { IsDone: false } not ? not
                        : meeting.StartsAt > _stand.Clock.GetUtcNow() ? Verdict.WrongState
                        : came.All(meeting.Calls.ContainsKey) ? Verdict.Done
                        : Verdict.UnknownReference);
            default:
                var (who, reply) = (MostlyInvolved(), _dice.Of(3) == 0 ? CallReply.Declined : CallReply.Accepted);
                var unit = Cases.UnitOf(who);
                return Change(
                    who, _stand.As(who).Meetings.ReplyToCallAsync, new ReplyToCallRequest { Name = meeting.Name, Reply = reply }, meeting.Etag,
                    () => _model.MayReply(who, meeting, Today),
                    _ => meeting.Calls[unit] = meeting.Calls[unit] with { Reply = reply },
                    then: () => IsCalled() is { IsDone: false } not ? not : meeting.Calls.ContainsKey(unit) ? Verdict.Done : Verdict.WrongState);
        }
    }

    private Task Propose()
    {
        var who = MostlyOwner();
        return Change(
            who, _stand.As(who).Plans.ProposeRevisionAsync, new ProposeRevisionRequest { Parent = _model.Name }, _model.Etag,
            () => _model.MayAsOwner(who),
            response => _model.Proposals.Add(new Proposed { Name = response.Proposal.Name, Etag = response.Proposal.Etag, Content = _model.Content, Shared = _model.Shared }),
            then: () => _model.Step(PlanState.Established, "EstablishPlan", Today));
    }

    private Task Answer()
    {
        if (_model.Proposals.Count == 0)
        {
            return Propose();
        }

        var (who, proposal) = (MostlyInvolved(), _model.Proposals[^1]);
        var answer = _dice.Of(3) == 0 ? ProposalAnswerKind.Objects : ProposalAnswerKind.Agrees;
        return Change(
            who, _stand.As(who).Plans.AnswerProposalAsync, new AnswerProposalRequest { Name = proposal.Name, Answer = answer, Reason = "Vi har en annan bild." }, proposal.Etag,
            () => _model.MaySpeakForItsUnit(who, GoalsAndInterventions, Today),
            _ => proposal.Answers[Cases.UnitOf(who)] = answer,
            then: () => IsOpen(proposal, who) ? Verdict.Done : Verdict.WrongState);
    }

    private Task Assess()
    {
        var who = MostlyOwner();
        var earlier = _model.Assessments.Count > 0 && _dice.Of(2) == 0 ? _dice.One(_model.Assessments) : null;
        var assessment = Cases.NewRiskAssessment();
        (assessment.AssessDate, assessment.ReassessDate) = (Cases.ToDate(Today.AddDays(_dice.Of(4) - 2)), Cases.ToDate(Today.AddDays(90)));
        var isOfTheFuture = new DateOnly(assessment.AssessDate.Year, assessment.AssessDate.Month, assessment.AssessDate.Day) > Today;
        return Change(
            who, _stand.As(who).Risk.RecordRiskAssessmentAsync,
            new RecordRiskAssessmentRequest { Parent = _model.Name, RiskAssessment = assessment, Supersedes = earlier?.Name ?? "" }, _model.Etag,
            () => _model.MayAsOwner(who),
            response =>
            {
                _model.Assessments.Add(new Assessed { Name = response.RiskAssessment.Name });
                if (earlier is not null)
                {
                    earlier.SupersededBy = response.RiskAssessment.Name;
                }
            },
            then: () => isOfTheFuture ? Verdict.InvalidFields : earlier is { SupersededBy.Length: > 0 } ? Verdict.WrongState : Verdict.Done);
    }

    private Task Block()
    {
        var who = MostlyOwner();
        if (_model.Blocks.Count > 0 && _dice.Of(3) != 0)
        {
            var block = _model.Blocks[^1];
            return Change(
                who, _stand.As(who).Protection.LiftBlockAsync, new LiftBlockRequest { Name = block.Name }, block.Etag,
                () => _model.MayBlock(who),
                response => (block.Lifted, block.Etag) = (true, response.Block.Etag),
                then: () => block.Lifted ? Verdict.WrongState : Verdict.Done);
        }

        var blocked = _dice.One([.. Participants, .. Strangers, DemonstrationDirectory.UnitManager]);
        return Change(
            who, _stand.As(who).Protection.AddBlockAsync,
            new AddBlockRequest
            {
                Parent = _model.Name,
                Block = new() { Employee = "employees/" + blocked.Id, Ground = BlockGround.LinkedToViolentPerson, DecideDate = Cases.ToDate(Today) },
            },
            _model.Etag,
            () => _model.MayBlock(who),
            response => _model.Blocks.Add(new Kept { Name = response.Block.Name, Etag = response.Block.Etag, Employee = blocked }));
    }
}
