using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.V1;
using static CoordinationPlan.V1.InformationCategory;

namespace CoordinationPlan.Server.Tests.Walks;

/// <content>The reads: what each caller sees is what the model has, and nothing of what the caller may not see.</content>
internal sealed partial class Walk
{
    private async Task GetPlan()
    {
        var who = Anybody();
        var reads = _model.Reads(who, Today);
        if (await Read(who, _stand.As(who).Plans.GetPlanAsync, new GetPlanRequest { Name = _model.Name }, _model.MayRead(who, Today)) is { Plan: { } plan })
        {
            Compare(who, plan, reads!);
        }
    }

    private async Task FindPlan()
    {
        var who = Anybody();
        var finds = _model.Reads(who, Today) is { } reads && reads.Contains(Identity);
        var found = (await Read(
            who, _stand.As(who).Plans.FindPlansAsync, new FindPlansRequest { IdentityNumber = _model.Subject.IdentityNumber }, Verdict.Done, aboutThePlan: finds))!.Plans;
        Assert.Equal(finds ? [(_model.Name, _model.State)] : [], found.Select(plan => (plan.Name, plan.State)));
    }

    private async Task GetReadiness()
    {
        var who = MostlyOwner();
        var response = await Read(who, _stand.As(who).Plans.GetPlanReadinessAsync, new GetPlanReadinessRequest { Name = _model.Name }, _model.MayRead(who, Today));
        if (response is null)
        {
            return;
        }

        Assert.Equal(_model.State, response.State);
        Assert.Equal(
            Model.IsOwner(who) ? _model.Readiness(Today).Order(StringComparer.Ordinal) : [],
            response.Steps.Select(step => $"{step.To} {step.Method} {string.Join(' ', step.Missing.Select(unmet => unmet.Rule))}").Order(StringComparer.Ordinal));
        Assert.All(response.Steps, step => Assert.Equal(step.Ready, step.Missing.Count == 0));
    }

    private async Task ListMeetings()
    {
        var who = MostlyInvolved();
        var reads = _model.Reads(who, Today);
        if (await Read(who, _stand.As(who).Meetings.ListMeetingsAsync, new ListMeetingsRequest { Parent = _model.Name }, _model.MayRead(who, Today)) is not { Meetings: { } meetings })
        {
            return;
        }

        Same(
            reads!.Contains(InformationCategory.Meetings) ? _model.CalledMeetings : [],
            meetings,
            meeting => (meeting.Name, meeting.Etag, meeting.Kind, meeting.State, meeting.StartsAt, CallsOf(meeting)),
            meeting => (meeting.Name, meeting.Etag, meeting.Kind, meeting.State, meeting.StartTime.ToDateTimeOffset(),
                string.Join(", ", meeting.Calls.Select(call => $"{call.Unit} {call.Kind} {call.Reply} {call.Attendance}").Order(StringComparer.Ordinal))));

        string CallsOf(Called meeting) =>
            string.Join(", ", meeting.Calls.Where(call => Model.Sees(who, call.Key)).Select(call => $"{call.Key} {call.Value.Kind} {call.Value.Reply} {call.Value.Attendance}").Order(StringComparer.Ordinal));
    }

    private async Task ListProposals()
    {
        var who = MostlyInvolved();
        var reads = _model.Reads(who, Today);
        if (await Read(who, _stand.As(who).Plans.ListProposalsAsync, new ListProposalsRequest { Parent = _model.Name }, _model.MayRead(who, Today)) is not { Proposals: { } proposals })
        {
            return;
        }

        var expected = reads!.Contains(GoalsAndInterventions) ? _model.Proposals : [];
        Believe(expected, proposals, proposal => proposal.Name, proposal => proposal.Name, proposal => proposal.Etag, (proposal, read) => proposal.Etag = read.Etag);
        Same(
            expected,
            proposals,
            proposal => (proposal.Name, proposal.Etag, _model.IsCurrent(proposal, who), proposal.Established,
                string.Join(", ", proposal.Answers.Where(answer => Model.Sees(who, answer.Key)).Select(answer => $"{answer.Key} {answer.Value}").Order(StringComparer.Ordinal))),
            proposal => ((string, string?, bool, int, string))(proposal.Name, proposal.Etag, proposal.Current, proposal.EstablishedRevision,
                string.Join(", ", proposal.Answers.Select(answer => $"{answer.Unit} {answer.Answer}").Order(StringComparer.Ordinal))));
    }

    private async Task ListAssessments()
    {
        var who = Anybody();
        var response = await Read(
            who, _stand.As(who).Risk.ListRiskAssessmentsAsync, new ListRiskAssessmentsRequest { Parent = _model.Name }, _model.MayAsOwner(who, open: null));
        if (response is not null)
        {
            Same(_model.Assessments, response.RiskAssessments, assessed => (assessed.Name, assessed.SupersededBy), assessed => (assessed.Name, assessed.SupersededBy));
        }
    }

    private async Task ListRevisions()
    {
        var who = Anybody();
        var response = await Read(who, _stand.As(who).Plans.ListPlanRevisionsAsync, new ListPlanRevisionsRequest { Name = _model.Name }, _model.MayRead(who, Today));
        if (response is not null)
        {
            Assert.Equal(Enumerable.Range(1, _model.Revision).Reverse(), response.Revisions.Select(revision => revision.Revision));
        }
    }

    private void Compare(DemonstrationEmployee who, Plan plan, HashSet<InformationCategory> reads)
    {
        Assert.Equal((_model.Name, _model.Etag, _model.State, _model.Revision), (plan.Name, plan.Etag, plan.State, plan.Revision));
        Assert.Equal((_model.EstablishedOn, _model.ClosedOn), (Day(plan.EstablishedDate), Day(plan.ClosedDate)));
        Assert.Equal((_model.ClosingReason, _model.DeclineReason), (plan.ClosingReason, plan.DeclineReason));

        Assert.Equal(reads.Contains(Identity) ? _model.Subject.GivenName : null, plan.Subject?.GivenName);
        Assert.Equal(reads.Contains(SocialSituation) ? _model.SocialSituation : "", plan.SocialSituation);
        Assert.Equal(reads.Contains(Health) ? _model.HealthSituation : "", plan.HealthSituation);

        var readsContent = reads.Contains(GoalsAndInterventions);
        Assert.Equal(
            readsContent ? (_model.LeadPrincipal, _model.NoOtherMeasures, _model.FollowUp, _model.Needs) : ("", false, null, ""),
            (plan.LeadPrincipal, plan.NoOtherMeasures, Day(plan.FollowUpDate), plan.Needs));
        Same(readsContent ? _model.Goals : [], plan.Goals, goal => (goal.Name, goal.Etag, goal.Title, goal.State), goal => (goal.Name, (string?)goal.Etag, goal.Title, goal.State));
        Same(
            readsContent ? _model.Interventions.Where(item => Model.Sees(who, item.Unit)) : [], plan.Interventions,
            item => (item.Name, item.Etag, item.Title, item.State, item.Unit), item => (item.Name, (string?)item.Etag, item.Title, item.State, item.ResponsibleUnit));
        Same(readsContent ? _model.Measures : [], plan.OtherMeasures, item => (item.Name, item.Etag, item.Title, item.State), item => (item.Name, (string?)item.Etag, item.Title, item.State));

        var readsMeetings = reads.Contains(InformationCategory.Meetings);
        Assert.Equal(readsMeetings ? (Model.Owner, _model.DeclineReference) : ("", ""), (plan.OwningUnit, plan.DeclineReference));
        List<TakingPart> parts = readsMeetings ? [.. _model.Participations.Where(part => Model.Sees(who, part.Unit))] : [];
        Believe(parts, plan.Participations, part => part.Name, part => part.Name, part => part.Etag, (part, read) => part.Etag = read.Etag);
        Same(
            parts, plan.Participations,
            part => (part.Name, part.Etag, part.Unit, part.From, part.To, part.Ended),
            part => (part.Name, (string?)part.Etag, part.Unit, Day(part.Period.StartDate)!.Value, Day(part.Period.EndDate), part.Ended));

        Same(
            reads.Contains(ConsentDocuments) ? _model.Consents : [], plan.Consents,
            consent => (consent.Name, consent.Etag, consent.ShownOn(Today), consent.From, consent.To, Text(consent.Units), Text(consent.Categories), Text(consent.Excluded)),
            consent => (consent.Name, consent.Etag, consent.State, Day(consent.Period.StartDate)!.Value, Day(consent.Period.EndDate)!.Value, Text(consent.RecipientUnits), Text(consent.Categories),
                Text(consent.ExcludedCategories)));
    }

    private static string Text<T>(IEnumerable<T> of) => string.Join(' ', of.Select(one => one!.ToString()).Order(StringComparer.Ordinal));

    private static DateOnly? Day(Google.Type.Date? date) => date is null ? null : new DateOnly(date.Year, date.Month, date.Day);

    /// <summary>The same, in whatever order.</summary>
    private static void Same<TModel, TRead, TKey>(IEnumerable<TModel> expected, IEnumerable<TRead> read, Func<TModel, TKey> ofModel, Func<TRead, TKey> ofRead) =>
        Assert.Equal(expected.Select(ofModel).Order(), read.Select(ofRead).Order());

    /// <summary>An etag that another call has changed is not known until it is read.</summary>
    private static void Believe<TModel, TRead>(
        IEnumerable<TModel> expected, IEnumerable<TRead> read, Func<TModel, string> nameOf, Func<TRead, string> readNameOf, Func<TModel, string?> etagOf, Action<TModel, TRead> take)
    {
        foreach (var (thing, found) in expected.Join(read, nameOf, readNameOf, (thing, found) => (thing, found)).Where(pair => etagOf(pair.thing) is null))
        {
            take(thing, found);
        }
    }
}
