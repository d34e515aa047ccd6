using CoordinationPlan.Client;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf;
using Grpc.Core;

namespace CoordinationPlan.Server.Tests.Suggestions;

/// <summary>A school suggests a plan, and learns nothing; the unit that it is sent to takes it up or does not.</summary>
public sealed class SuggestionTests(Service service) : IClassFixture<Service>
{
    private static DemonstrationEmployee School => DemonstrationDirectory.School;

    private static DemonstrationEmployee Recipient => DemonstrationDirectory.CaseWorker;

    [Fact]
    public async Task The_receiving_unit_reads_who_is_meant_why_and_whom_to_ask_and_opens_a_plan_from_it()
    {
        var person = Cases.NewPerson(9);
        var sent = await AsSchool.SuggestPlanAsync(Cases.NewSuggestion(person, Recipient));
        var start = await service.Now();

        var suggestion = (await Listed(Recipient)).Single(one => one.Subject.Equals(person));

        Assert.Equal(
            new PlanSuggestion
            {
                Name = suggestion.Name,
                Etag = suggestion.Etag,
                SendTime = sent.SendTime,
                Subject = person,
                RecipientUnit = Cases.UnitOf(Recipient),
                Reason = "Eleven kommer sällan och är rädd att gå hem.",
                Contact = "Mentorn, säkrast före lunch",
                SenderUnit = Cases.UnitOf(School),
            },
            suggestion);
        Assert.All(await service.LogSince(start), entry => Assert.Equal((Act.ReadSuggestions, AccessOutcome.Permitted, null), (entry.Act, entry.Outcome, entry.PlanId)));

        var plan = await service.OpenPlan(person);
        start = await service.Now();
        var request = Answer(suggestion, plan);
        var answered = await service.CaseWorker.Suggestions.AnswerSuggestionAsync(request);

        var entry = Assert.Single(await service.LogSince(start));
        Assert.Equal((Act.AnswerSuggestion, AccessOutcome.Permitted, plan.Name), (entry.Act, entry.Outcome, $"plans/{entry.PlanId}"));
        Assert.NotNull(entry.SubjectId);
        Assert.DoesNotContain(await Listed(Recipient), one => one.Name == suggestion.Name);
        Assert.Equal(answered, await service.CaseWorker.Suggestions.AnswerSuggestionAsync(request));
        await service.CaseWorker.Suggestions.AnswerSuggestionAsync(Answer(suggestion, plan)).Fails(StatusCode.Aborted, ErrorReason.StaleEtag);
    }

    [Fact]
    public async Task A_list_leaves_one_entry_for_each_person_shown_and_one_where_nobody_is()
    {
        var recipient = DemonstrationDirectory.ElderCare;
        var start = await service.Now();
        Assert.Empty(await Listed(recipient));
        Assert.Equal((null, null, Policy.Categories.None), Assert.Single((await service.LogSince(start)).Select(entry => (entry.PlanId, entry.SubjectId, entry.Categories))));
        var (one, other) = (Cases.NewPerson(), Cases.NewPerson());
        foreach (var person in new[] { one, other, one })
        {
            await AsSchool.SuggestPlanAsync(Cases.NewSuggestion(person, recipient));
        }

        start = await service.Now();
        Assert.Equal([one, other, one], (await Listed(recipient)).Select(suggestion => suggestion.Subject));

        var entries = await service.LogSince(start);
        Assert.Equal(2, entries.Select(entry => entry.SubjectId).OfType<Guid>().Distinct().Count());
        Assert.Equal(2, entries.Count);
        Assert.All(entries, entry => Assert.Equal(
            Policy.Categories.Existence | Policy.Categories.Identity | Policy.Categories.SocialSituation | Policy.Categories.Meetings, entry.Categories));
    }

    [Fact]
    public async Task The_answer_is_alike_whoever_the_person_is()
    {
        var unknown = Cases.NewPerson();
        var (known, protectedPerson, blocked) = (Cases.NewPerson(), Cases.NewPerson(), Cases.NewPerson());
        await service.OpenPlan(known);
        await service.Protect(await service.OpenPlan(protectedPerson), ProtectionLevel.AssumedIdentity);
        await service.BlockEmployee(await service.OpenPlan(blocked), School);
        var own = await service.OpenPlan();
        await service.Join(own, School);
        await service.Consent(own, School, [InformationCategory.Identity]);
        await AsSchool.SuggestPlanAsync(Cases.NewSuggestion(Cases.NewPerson(), Recipient));

        var (start, first) = (await service.Now(), await Whole(unknown));
        foreach (var person in new[] { known, protectedPerson, blocked, own.Subject })
        {
            Assert.Equal(first, await Whole(person));
        }

        // The school's own reviewers read no difference either: whom the service had known has an entry like whom it had not.
        var entries = await service.LogSince(start);
        Assert.Equal(5, entries.Count);
        Assert.All(entries, entry =>
        {
            Assert.Equal(
                (Act.SuggestPlan, AccessOutcome.Permitted, "ROLE_ALONE", null, Policy.Categories.Existence), (entry.Act, entry.Outcome, entry.Reason, entry.PlanId, entry.Categories));
            Assert.NotNull(entry.SubjectId);
        });

        async Task<string> Whole(Subject person)
        {
            var call = AsSchool.SuggestPlanAsync(Cases.NewSuggestion(person, Recipient));
            var answer = await call;
            answer.SendTime = null;
            return $"{Convert.ToHexString(answer.ToByteArray())} {call.GetStatus()} {string.Join(',', call.GetTrailers().Select(entry => entry.Key))}";
        }
    }

    [Fact]
    public async Task Of_one_who_is_kept_out_the_owning_unit_is_alerted_once_and_nobody_reads_it()
    {
        var person = Cases.NewPerson();
        var plan = await service.OpenPlan(person);
        await service.BlockEmployee(plan, School);

        for (var i = 0; i < 2; i++)
        {
            await AsSchool.SuggestPlanAsync(Cases.NewSuggestion(person, Recipient));
        }

        Assert.DoesNotContain(await Listed(Recipient), suggestion => suggestion.Subject.Equals(person));
        foreach (var reader in new[] { Recipient, DemonstrationDirectory.LogReviewer })
        {
            var alert = Assert.Single((await service.As(reader).Oversight.ListAlertsAsync(new() { PageSize = 500 })).Alerts, alert => alert.Plan == plan.Name);
            Assert.Equal((AlertKind.BlockedAttempt, "employees/" + School.Id, Cases.UnitOf(School)), (alert.Kind, alert.Employee, alert.Unit));
        }

        await service.CaseWorker.Suggestions.AnswerSuggestionAsync(Dismissal(await LastSent())).IsRefused();
    }

    [Fact]
    public async Task It_is_read_and_answered_by_none_but_those_of_the_receiving_unit_who_are_not_kept_out()
    {
        var person = Cases.NewPerson();
        var plan = await service.OpenPlan(person);
        var suggestion = await service.Suggest(person, Recipient);
        var manager = DemonstrationDirectory.UnitManager;
        await Sees(manager, suggestion);
        await Sees(DemonstrationDirectory.NewCaseWorker, suggestion);

        // Who is kept out, and who works with no protected persons, has no task and no gap in the list by it.
        await service.BlockEmployee(plan, manager);
        await DoesNotSee(manager, suggestion);
        await service.Protect(plan, ProtectionLevel.ConfidentialityMarked);
        await DoesNotSee(DemonstrationDirectory.NewCaseWorker, suggestion);
        await Forget(plan);
        await DoesNotSee(DemonstrationDirectory.NewCaseWorker, suggestion);
        await Sees(Recipient, suggestion);

        foreach (var other in new[] { DemonstrationDirectory.OtherCaseWorker, DemonstrationDirectory.PrimaryCare })
        {
            await DoesNotSee(other, suggestion);
        }

        foreach (var other in new[] { School, DemonstrationDirectory.Shelter, DemonstrationDirectory.Origo, DemonstrationDirectory.LogReviewer, DemonstrationDirectory.Administrator })
        {
            await service.As(other).Suggestions.ListSuggestionsAsync(new()).IsRefused();
            await service.As(other).Suggestions.AnswerSuggestionAsync(Dismissal(suggestion)).IsRefused();
        }
    }

    [Fact]
    public async Task A_page_is_full_whatever_was_left_out_before_it()
    {
        var recipient = DemonstrationDirectory.Ward;
        var colleague = service.As(DemonstrationDirectory.Psychiatry);
        var persons = Enumerable.Range(0, 5).Select(_ => Cases.NewPerson()).ToList();
        foreach (var person in persons)
        {
            await AsSchool.SuggestPlanAsync(Cases.NewSuggestion(person, recipient));
        }

        // The second and the fourth are about persons from whom the reader is kept out.
        foreach (var person in new[] { persons[1], persons[3] })
        {
            var plan = (await colleague.Plans.CreatePlanAsync(new() { Plan = new() { Subject = person }, RequestId = Cases.NewId() })).Plan;
            await colleague.Protection.AddBlockAsync(new() { Parent = plan.Name, Block = Cases.BlockOf(recipient), Etag = plan.Etag, RequestId = Cases.NewId() });
        }

        var seen = new List<Subject>();
        var request = new ListSuggestionsRequest { PageSize = 1 };
        do
        {
            var page = await service.As(recipient).Suggestions.ListSuggestionsAsync(request);
            seen.Add(Assert.Single(page.PlanSuggestions).Subject);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);

        Assert.Equal([persons[0], persons[2], persons[4]], seen);
    }

    [Fact]
    public async Task Schools_suggest_to_social_services_and_health_care_of_a_municipality_or_region_and_to_nobody_else()
    {
        foreach (var other in new[] { DemonstrationDirectory.Shelter, DemonstrationDirectory.Origo, Recipient, DemonstrationDirectory.PrimaryCare, DemonstrationDirectory.LogReviewer })
        {
            await service.As(other).Suggestions.SuggestPlanAsync(Cases.NewSuggestion(Cases.NewPerson(), Recipient)).IsRefused();
        }

        await AsSchool.SuggestPlanAsync(Cases.NewSuggestion(Cases.NewPerson(), DemonstrationDirectory.PrimaryCare));
        var persons = await service.Count("subject");
        foreach (var unit in new[] { Cases.UnitOf(DemonstrationDirectory.Shelter), Cases.UnitOf(DemonstrationDirectory.Origo), Cases.UnitOf(School), "units/none-such" })
        {
            var request = Cases.NewSuggestion(Cases.NewPerson(), Recipient);
            request.PlanSuggestion.RecipientUnit = unit;
            await AsSchool.SuggestPlanAsync(request).Fails(StatusCode.FailedPrecondition, ErrorReason.UnknownReference);
        }

        Assert.Equal(persons, await service.Count("subject"));
    }

    [Fact]
    public async Task It_asks_for_a_test_person_a_reason_and_a_contact()
    {
        await IsFaulty("plan_suggestion.subject.identity_number.value", suggestion => suggestion.Subject.IdentityNumber.Value = "198804121112");
        await IsFaulty("plan_suggestion.subject.given_name", suggestion => suggestion.Subject.GivenName = "");
        await IsFaulty("plan_suggestion.reason", suggestion => suggestion.Reason = " ");
        await IsFaulty("plan_suggestion.contact", suggestion => suggestion.Contact = "");
        await IsFaulty("plan_suggestion.recipient_unit", suggestion => suggestion.RecipientUnit = "RVT Farsta");

        async Task IsFaulty(string field, Action<PlanSuggestion> change)
        {
            var request = Cases.NewSuggestion(Cases.NewPerson(), Recipient);
            change(request.PlanSuggestion);
            var error = await AsSchool.SuggestPlanAsync(request).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
            Assert.Equal([field], error.FieldFaults().Select(fault => fault.Field));
        }
    }

    [Fact]
    public async Task An_answer_is_one_of_the_units_plans_for_the_person_or_a_documented_dismissal()
    {
        var person = Cases.NewPerson();
        var suggestion = await service.Suggest(person, Recipient);
        var others = (await service.As(DemonstrationDirectory.PrimaryCare).Plans.CreatePlanAsync(new() { Plan = new() { Subject = person }, RequestId = Cases.NewId() })).Plan;
        var anothers = await service.OpenPlan();
        foreach (var plan in new[] { others, anothers, new Plan { Name = $"plans/{Ids.Opaque():D}" } })
        {
            await service.CaseWorker.Suggestions.AnswerSuggestionAsync(Answer(suggestion, plan)).Fails(StatusCode.FailedPrecondition, ErrorReason.UnknownReference);
        }

        var both = Dismissal(suggestion);
        both.Plan = anothers.Name;
        var neither = Dismissal(suggestion);
        neither.Dismissal = SuggestionDismissal.Unspecified;
        var undocumented = Dismissal(suggestion);
        undocumented.Reference = "";
        foreach (var (request, field) in new[] { (both, "plan"), (neither, "plan"), (undocumented, "reference") })
        {
            var error = await service.CaseWorker.Suggestions.AnswerSuggestionAsync(request).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
            Assert.Equal([field], error.FieldFaults().Select(fault => fault.Field));
        }

        await Sees(Recipient, suggestion);
        await service.CaseWorker.Suggestions.AnswerSuggestionAsync(Dismissal(suggestion));
        await DoesNotSee(Recipient, suggestion, isThere: true);
        Assert.Equal(1, await service.Count($"plan_suggestion_history WHERE suggestion_id = '{suggestion.Name["planSuggestions/".Length..]}' AND state = 1"));
    }

    [Fact]
    public async Task Of_two_who_answer_at_once_one_does()
    {
        var suggestion = await service.Suggest(Cases.NewPerson(), Recipient);

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(async i =>
        {
            try
            {
                await service.As(i % 2 == 0 ? Recipient : DemonstrationDirectory.UnitManager).Suggestions.AnswerSuggestionAsync(Dismissal(suggestion));
                return ErrorReason.Unspecified;
            }
            catch (RpcException error)
            {
                return error.Reason();
            }
        }));

        Assert.Single(answers, ErrorReason.Unspecified);
        Assert.Equal(19, answers.Count(reason => reason == ErrorReason.StaleEtag));
    }

    [Fact]
    public async Task It_is_a_task_until_it_is_answered_due_as_a_need_that_is_noted()
    {
        var suggestion = await service.Suggest(Cases.NewPerson(), Recipient);

        var task = Assert.Single(await Tasks(Recipient), task => task.Subject == suggestion.Name);

        Assert.Equal((TaskKind.AnswerSuggestion, Cases.Period(0, 3).EndDate, false), (task.Kind, task.DueDate, task.Overdue));
        await service.CaseWorker.Suggestions.AnswerSuggestionAsync(Dismissal(suggestion));
        Assert.DoesNotContain(await Tasks(Recipient), task => task.Subject == suggestion.Name);
    }

    [Fact]
    public async Task Disposal_takes_what_was_suggested_with_it_and_the_sender_does_not_hear_of_it()
    {
        var person = Cases.NewPerson();
        var request = Cases.NewSuggestion(person, Recipient);
        var sent = await AsSchool.SuggestPlanAsync(request);
        var suggestion = await LastSent();
        var plan = await service.OpenAndClosePlan(person);
        await Sees(Recipient, suggestion);

        await service.LetRetentionPass(plan);
        await service.As(DemonstrationDirectory.UnitManager).Plans.DisposeSubjectAsync(
            new() { Name = plan.Name, DecisionReference = "GALL-1", Etag = plan.Etag, RequestId = Cases.NewId() });

        await DoesNotSee(Recipient, suggestion);
        Assert.Equal(sent, await AsSchool.SuggestPlanAsync(request));
    }

    [Fact]
    public async Task A_plan_that_is_opened_from_it_knows_how_the_person_is_protected()
    {
        var person = Cases.NewPerson();
        await AsSchool.SuggestPlanAsync(Cases.NewSuggestion(person, Recipient));

        var plan = await service.OpenPlan(person);

        // Asked when the person was new, as for a plan; so that one from a suggestion is no stricter than another.
        Assert.Equal(ProtectionLevel.None, (await service.CaseWorker.Protection.GetProtectionAsync(new() { Name = plan.Name + "/protection" })).Protection.Level);
        Assert.NotNull((await service.Read(DemonstrationDirectory.NewCaseWorker, plan)).Subject);
    }

    private SuggestionService.SuggestionServiceClient AsSchool => service.As(School).Suggestions;

    private static AnswerSuggestionRequest Answer(PlanSuggestion suggestion, Plan plan) =>
        new() { Name = suggestion.Name, Plan = plan.Name, Etag = suggestion.Etag, RequestId = Cases.NewId() };

    private static AnswerSuggestionRequest Dismissal(PlanSuggestion suggestion) => new()
    {
        Name = suggestion.Name,
        Dismissal = SuggestionDismissal.PersonDoesNotWant,
        Reference = "Dnr 2026-3",
        Etag = suggestion.Etag,
        RequestId = Cases.NewId(),
    };

    private async Task<List<PlanSuggestion>> Listed(DemonstrationEmployee employee)
    {
        var all = new List<PlanSuggestion>();
        var request = new ListSuggestionsRequest { PageSize = 100 };
        do
        {
            var page = await service.As(employee).Suggestions.ListSuggestionsAsync(request);
            all.AddRange(page.PlanSuggestions);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);

        return all;
    }

    private async Task<IEnumerable<UnitTask>> Tasks(DemonstrationEmployee employee) =>
        (await service.As(employee).Oversight.ListTasksAsync(new() { PageSize = 500 })).Tasks;

    private async Task Sees(DemonstrationEmployee employee, PlanSuggestion suggestion)
    {
        Assert.Equal(suggestion.Etag, Assert.Single(await Listed(employee), one => one.Name == suggestion.Name).Etag);
        Assert.Single(await Tasks(employee), task => task.Subject == suggestion.Name);
    }

    /// <summary>Neither in the list nor among the tasks, and not to be answered: like one that never was, unless it is only answered.</summary>
    private async Task DoesNotSee(DemonstrationEmployee employee, PlanSuggestion suggestion, bool isThere = false)
    {
        Assert.DoesNotContain(await Listed(employee), one => one.Name == suggestion.Name);
        Assert.DoesNotContain(await Tasks(employee), task => task.Subject == suggestion.Name);
        if (!isThere)
        {
            var never = new PlanSuggestion { Name = ResourceName.PlanSuggestion(Ids.Opaque()), Etag = suggestion.Etag };
            var (refused, missing) = (
                await service.As(employee).Suggestions.AnswerSuggestionAsync(Dismissal(suggestion)).IsRefused(),
                await service.As(employee).Suggestions.AnswerSuggestionAsync(Dismissal(never)).IsRefused());
            Assert.Equal(Details(missing), Details(refused));
        }

        static string Details(RpcException error) => Convert.ToHexString(error.Trailers.GetValueBytes("grpc-status-details-bin")!);
    }

    private async Task<PlanSuggestion> LastSent()
    {
        await using var command = service.Administrator.CreateCommand("SELECT suggestion_id FROM coordinationplan.plan_suggestion ORDER BY created_at DESC LIMIT 1");
        var id = (Guid)(await command.ExecuteScalarAsync())!;
        return new PlanSuggestion { Name = ResourceName.PlanSuggestion(id), Etag = Etag.Of(id, 1) };
    }

    private async Task Forget(Plan plan)
    {
        await using var forget = service.Administrator.CreateCommand(
            "UPDATE coordinationplan.subject s SET protection = 0 FROM coordinationplan.plan p WHERE p.subject_id = s.subject_id AND p.plan_id = $1");
        forget.Parameters.Add(new() { Value = Guid.Parse(plan.Name["plans/".Length..]) });
        Assert.Equal(1, await forget.ExecuteNonQueryAsync());
    }
}
