using CoordinationPlan.Client;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.V1;
using Google.Protobuf;
using Google.Type;
using Grpc.Core;

namespace CoordinationPlan.Server.Tests.Rpc;

/// <summary>Bad input gets a clear, specific error that names the field and never repeats the value, and changes nothing.</summary>
public sealed class BadInputTests(Service service) : IClassFixture<Service>
{
    [Theory]
    [InlineData("198804122384", "check digit")]
    [InlineData("198813122383", "date")]
    [InlineData("198802302380", "date")]
    [InlineData("189904122383", "date")]
    [InlineData("20880412238", "twelve digits")]
    [InlineData("8804122383", "twelve digits")]
    [InlineData("19880412-2383", "12 characters")]
    [InlineData("19880412238A", "twelve digits")]
    [InlineData("１９８８０４１２２３８３", "twelve digits")]
    [InlineData("198804722381", "coordination number")]
    public async Task An_identity_number_has_form_date_and_check_digit(string value, string about)
    {
        var error = await Refused(plan => plan.Subject.IdentityNumber.Value = value);

        var fault = error.FieldFaults().Single();
        Assert.Equal("plan.subject.identity_number.value", fault.Field);
        Assert.Contains(about, fault.Description, StringComparison.Ordinal);
        Assert.DoesNotContain(value, error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_coordination_number_is_taken_as_what_it_is_and_the_number_of_no_test_person_is_not()
    {
        var coordination = new Subject { IdentityNumber = new() { Kind = IdentityNumberKind.Coordination, Value = "199003712396" }, GivenName = "Test", FamilyName = "Testsson" };
        Assert.Equal(coordination, (await service.OpenPlan(coordination)).Subject);

        var error = await Refused(plan => plan.Subject.IdentityNumber.Value = "198804121112");
        Assert.Contains("test person", error.FieldFaults().Single().Description, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_missing_field_is_named()
    {
        var error = await service.CaseWorker.Plans.CreatePlanAsync(new CreatePlanRequest { Plan = new Plan { Subject = new() } }).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);

        Assert.Equal(
            ["plan.subject.family_name", "plan.subject.given_name", "plan.subject.identity_number", "request_id"],
            error.FieldFaults().Select(fault => fault.Field).Order());
    }

    [Theory]
    [InlineData("Sara\u0000")]
    [InlineData("Sara\u001b[31m")]
    [InlineData("Sara\nTestsson")]
    [InlineData("Sara\u202eossetseT")]
    [InlineData("Sara\u2028")]
    [InlineData("   ")]
    public async Task A_name_holds_no_control_characters(string name)
    {
        var error = await Refused(plan => plan.Subject.GivenName = name);

        Assert.Equal("plan.subject.given_name", error.FieldFaults().Single().Field);
    }

    [Fact]
    public async Task Texts_have_limits_in_characters_not_bytes()
    {
        var longest = string.Concat(Enumerable.Repeat("å🙂", 5000));
        Assert.Equal(longest, (await service.OpenPlan(socialSituation: longest)).SocialSituation);

        var error = await Refused(plan => plan.SocialSituation = longest + "!");
        Assert.Equal(("plan.social_situation", "is longer than 10000 characters"), error.FieldFaults().Single());
    }

    [Fact]
    public async Task Line_breaks_are_fine_where_there_are_lines()
    {
        Assert.Equal("En rad\nen till\t!", (await service.OpenPlan(socialSituation: "En rad\nen till\t!")).SocialSituation);
    }

    [Fact]
    public async Task A_message_that_is_too_large_is_refused()
    {
        var error = await Assert.ThrowsAsync<RpcException>(() => service.OpenPlan(socialSituation: new string('x', 300_000)));

        Assert.Equal((StatusCode.ResourceExhausted, ErrorReason.MessageTooLarge), (error.StatusCode, error.Reason()));
        Assert.NotEmpty(error.UserText()!);
        using var stream = service.As(DemonstrationDirectory.RegionIntegration).ParticipationSync.SyncParticipations();
        // It may be answered before it is all written.
        await Record.ExceptionAsync(() =>
            stream.RequestStream.WriteAsync(new() { Items = { new ParticipationItem { ExternalId = new string('x', 300_000) } }, RequestId = Cases.NewId() }));
        error = await Assert.ThrowsAsync<RpcException>(async () => await stream);
        Assert.Equal((StatusCode.ResourceExhausted, ErrorReason.MessageTooLarge), (error.StatusCode, error.Reason()));
    }

    [Fact]
    public async Task Unknown_enum_values_and_unknown_fields_are_refused()
    {
        var plan = await service.OpenPlan();
        var unknownValue = await service.CaseWorker.Plans.ClosePlanAsync(new() { Name = plan.Name, Etag = plan.Etag, Reason = (PlanClosingReason)99, RequestId = Cases.NewId() })
            .Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        Assert.Equal("reason", unknownValue.FieldFaults().Single().Field);

        var request = new AddGoalRequest { Parent = plan.Name, Goal = new Goal { Title = "Mål" }, Etag = plan.Etag, RequestId = Cases.NewId() };
        // Field 99, a string: what a later version of the contract could send.
        request.Goal = Goal.Parser.ParseFrom([.. request.Goal.ToByteArray(), 0x9A, 0x06, 0x01, (byte)'x']);
        var unknownField = await service.CaseWorker.Plans.AddGoalAsync(request).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        Assert.Equal("goal", unknownField.FieldFaults().Single().Field);
        Assert.Empty((await service.Read(DemonstrationDirectory.CaseWorker, plan)).Goals);
    }

    [Theory]
    [InlineData(1899, 12, 31)]
    [InlineData(2026, 2, 29)]
    [InlineData(2026, 0, 1)]
    [InlineData(0, 1, 1)]
    [InlineData(2300, 1, 1)]
    public async Task A_date_exists_and_is_not_absurd(int year, int month, int day)
    {
        var error = await Refused(plan => plan.FollowUpDate = new Date { Year = year, Month = month, Day = day });

        Assert.StartsWith("plan.follow_up_date", error.FieldFaults().Single().Field, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(10, 9)]
    [InlineData(0, 366 * 26)]
    public async Task A_period_goes_forward_and_has_a_length(int from, int to)
    {
        var plan = await service.OpenPlan();

        var error = await Assert.ThrowsAsync<RpcException>(() => service.Join(plan, DemonstrationDirectory.PrimaryCare, Cases.Period(from, to)));

        Assert.Equal((StatusCode.InvalidArgument, "participation.period.end_date"), (error.StatusCode, error.FieldFaults().Single().Field));
    }

    [Theory]
    [InlineData("plans/")]
    [InlineData("plans/1")]
    [InlineData("plan/00000000-0000-4000-8000-000000000000")]
    [InlineData("plans/00000000-0000-4000-8000-000000000000/goals/1")]
    [InlineData("plans/00000000-0000-4000-8000-000000000000 ")]
    public async Task A_malformed_name_is_refused_naming_the_field(string name)
    {
        var error = await service.CaseWorker.Plans.GetPlanAsync(new() { Name = name }).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);

        Assert.Equal("name", error.FieldFaults().Single().Field);
    }

    [Theory]
    [InlineData("1")]
    [InlineData("00000000-0000-0000-0000-000000000000")]
    [InlineData("{0198c0de-0000-7000-8000-000000000000}")]
    public async Task A_request_id_is_a_uuid(string id)
    {
        var error = await service.CaseWorker.Plans.CreatePlanAsync(new() { Plan = new Plan { Subject = DemonstrationPersons.Sara }, RequestId = id })
            .Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);

        Assert.Equal("request_id", error.FieldFaults().Single().Field);
    }

    [Fact]
    public async Task What_the_service_gives_is_ignored_in_requests_so_that_a_client_can_send_back_what_it_read()
    {
        var plan = await service.OpenPlan();
        var sent = plan.Clone();
        sent.SocialSituation = "Ändrad";
        sent.State = PlanState.Closed;
        sent.Revision = 7;

        var updated = (await service.CaseWorker.Plans.UpdatePlanAsync(new() { Plan = sent, UpdateMask = new() { Paths = { "social_situation" } }, Etag = plan.Etag, RequestId = Cases.NewId() })).Plan;

        Assert.Equal((PlanState.Noted, 0, "Ändrad"), (updated.State, updated.Revision, updated.SocialSituation));
    }

    private async Task<RpcException> Refused(Action<Plan> spoil)
    {
        var plan = new Plan { Subject = DemonstrationPersons.Sara.Clone() };
        spoil(plan);
        var before = await service.Count("plan");
        var error = await service.CaseWorker.Plans.CreatePlanAsync(new() { Plan = plan, RequestId = Cases.NewId() }).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        Assert.Equal(before, await service.Count("plan"));
        return error;
    }
}
