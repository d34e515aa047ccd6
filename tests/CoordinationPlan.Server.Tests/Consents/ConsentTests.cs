using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.V1;
using Grpc.Core;

namespace CoordinationPlan.Server.Tests.Consents;

/// <summary>A consent in full: how it is given, for whom, and how it becomes less, more, or nothing.</summary>
public sealed class ConsentTests(Service service) : IClassFixture<Service>
{
    private static readonly DemonstrationEmployee Care = DemonstrationDirectory.PrimaryCare;

    [Fact]
    public async Task What_was_asked_opens_nothing_and_hinders_nothing()
    {
        var plan = await Plan();
        await service.Consent(plan, Care, [InformationCategory.Health], consent => consent.State = ConsentState.Asked);
        await service.As(Care).Plans.GetPlanAsync(new() { Name = plan.Name }).IsRefused();
        await service.Consent(plan, Care, [InformationCategory.Health]);
        Assert.Equal("Sömnbesvär.", (await service.Read(Care, plan)).HealthSituation);
    }

    [Fact]
    public async Task A_narrowed_consent_opens_less_from_the_next_read_and_is_never_made_wider_that_way()
    {
        var plan = await Plan();
        var consent = await service.Consent(plan, Care, [InformationCategory.Identity, InformationCategory.Health, InformationCategory.Meetings]);
        Assert.NotNull((await service.Read(Care, plan)).Subject);

        foreach (var wider in new Action<NarrowConsentRequest>[]
        {
            request => request.Categories.Add(InformationCategory.SocialSituation),
            request => request.RecipientUnits.Add(Cases.UnitOf(DemonstrationDirectory.ChildPsychiatry)),
            request => request.EndDate = Cases.InMonths(7),
            request => request.EndDate = Cases.ToDate(new DateOnly(2020, 1, 1)),
        })
        {
            await Narrow(consent, wider).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        }

        var narrowed = (await Narrow(consent, request => request.Categories.Remove(InformationCategory.Identity))).Consent;
        var read = await service.Read(Care, plan);
        Assert.Null(read.Subject);
        Assert.Equal("Sömnbesvär.", read.HealthSituation);
        await Narrow(consent).Fails(StatusCode.Aborted, ErrorReason.StaleEtag);

        var excluding = (await Narrow(narrowed, request => request.ExcludedCategories.Add(InformationCategory.Health))).Consent;
        Assert.Equal("", (await service.Read(Care, plan)).HealthSituation);
        await Narrow(excluding, request => request.ExcludedCategories.Clear()).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        // Also in a closed plan: a person may take back a part at any time.
        await service.CaseWorker.Plans.ClosePlanAsync(new() { Name = plan.Name, Reason = PlanClosingReason.Moved, Etag = plan.Etag, RequestId = Cases.NewId() });
        await Narrow(excluding, request => request.EndDate = Cases.Today);
    }

    [Fact]
    public async Task A_consent_that_has_expired_says_so_opens_nothing_and_can_be_renewed()
    {
        var plan = await Plan();
        var consent = await service.Consent(plan, Care, [InformationCategory.Health], consent => consent.Period = Cases.Period(-30, -1));
        Assert.Equal(ConsentState.Expired, consent.State);
        await service.As(Care).Plans.GetPlanAsync(new() { Name = plan.Name }).IsRefused();
        await Renew(consent, Cases.ToDate(new DateOnly(2020, 1, 1))).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        await Renew(consent, consent.Period.EndDate).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);

        var renewed = (await Renew(consent, Cases.InMonths(6), "DOK 2")).Consent;

        Assert.Equal((ConsentState.Given, "DOK 2", ConsentForm.Written), (renewed.State, renewed.EvidenceReference, renewed.Form));
        Assert.Equal("Sömnbesvär.", (await service.Read(Care, plan)).HealthSituation);
        var withdrawn = (await service.CaseWorker.Consents.WithdrawConsentAsync(new() { Name = renewed.Name, Etag = renewed.Etag, RequestId = Cases.NewId() })).Consent;
        Assert.Equal("DOK 2", withdrawn.EvidenceReference);
        await Renew(withdrawn, Cases.InMonths(9)).Fails(StatusCode.FailedPrecondition, ErrorReason.WrongState);
        await Narrow(withdrawn).Fails(StatusCode.FailedPrecondition, ErrorReason.WrongState);
    }

    [Theory]
    [InlineData(14, "", true)]
    [InlineData(15, "", false)]
    [InlineData(15, "Vill att skolan får veta, men inte pappa.", true)]
    [InlineData(17, "", false)]
    public async Task A_childs_own_view_stands_beside_a_guardians_consent_from_fifteen(int years, string view, bool isRecorded)
    {
        var plan = await service.OpenPlan(Cases.NewPerson(years));
        var consent = service.Consent(plan, Care, [InformationCategory.Health], consent =>
        {
            consent.GivenBy = ConsentGiver.Guardian;
            consent.Period = Cases.Period(0, 10);
            consent.ChildsView = view;
        });
        if (isRecorded)
        {
            Assert.Equal(view, (await consent).ChildsView);
        }
        else
        {
            await consent.Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        }
    }

    [Fact]
    public async Task Each_missing_guardian_has_a_ground_and_a_decision_and_all_of_it_is_sealed()
    {
        var plan = await service.OpenPlan(Cases.NewPerson(9));
        var given = await service.Consent(plan, Care, [InformationCategory.Health], consent =>
        {
            consent.GivenBy = ConsentGiver.Guardian;
            consent.Period = Cases.Period(0, 100);
            consent.EvidenceReference = "DOK-7731";
            consent.ChildsView = "Bra om vården vet hur jag sover.";
            consent.MissingGuardians.Add(new MissingGuardian { Ground = MissingGuardianGround.BoardDecided, DecisionReference = "SN 2026-88" });
        });

        var kept = Assert.Single((await service.Read(DemonstrationDirectory.CaseWorker, plan)).Consents);
        Assert.Equal(given, kept);
        var dump = await service.Dump();
        Assert.DoesNotContain("DOK-7731", dump, StringComparison.Ordinal);
        Assert.DoesNotContain("Bra om vården", dump, StringComparison.Ordinal);
        Assert.DoesNotContain("SN 2026-88", dump, StringComparison.Ordinal);
        await service.Join(plan, Care);
        Assert.Empty((await service.Read(Care, plan)).Consents);

        foreach (var wrong in new Action<Consent>[]
        {
            consent => consent.MissingGuardians.Add(new MissingGuardian { Ground = MissingGuardianGround.Hindered, DecisionReference = "1" }),
            consent => consent.GivenBy = ConsentGiver.Representative,
            consent => consent.Representative = "God man",
            consent => consent.State = ConsentState.Expired,
        })
        {
            await service.Consent(plan, Care, [InformationCategory.Health], wrong).Fails(StatusCode.InvalidArgument, ErrorReason.InvalidFields);
        }

        await service.Consent(plan, Care, [InformationCategory.Health], consent => (consent.GivenBy, consent.Representative) = (ConsentGiver.Representative, "God man enligt beslut"));
    }

    private async Task<Plan> Plan()
    {
        var plan = await service.OpenPlan(Cases.NewPerson());
        await service.Join(plan, Care);
        return plan;
    }

    private AsyncUnaryCall<NarrowConsentResponse> Narrow(Consent consent, Action<NarrowConsentRequest>? change = null)
    {
        var request = new NarrowConsentRequest
        {
            Name = consent.Name,
            RecipientUnits = { consent.RecipientUnits },
            Categories = { consent.Categories },
            ExcludedCategories = { consent.ExcludedCategories },
            EndDate = consent.Period.EndDate,
            Etag = consent.Etag,
            RequestId = Cases.NewId(),
        };
        change?.Invoke(request);
        return service.CaseWorker.Consents.NarrowConsentAsync(request);
    }

    private AsyncUnaryCall<RenewConsentResponse> Renew(Consent consent, Google.Type.Date endDate, string evidence = "") => service.CaseWorker.Consents.RenewConsentAsync(
        new() { Name = consent.Name, EndDate = endDate, Form = ConsentForm.Written, EvidenceReference = evidence, Etag = consent.Etag, RequestId = Cases.NewId() });
}
