using System.Text;
using CoordinationPlan.Development;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Hosting;
using CoordinationPlan.V1;
using Grpc.Core;

namespace CoordinationPlan.Server.Tests.Crypto;

/// <summary>What somebody has who has the database, all of it.</summary>
public sealed class AtRestTests(Service service) : IClassFixture<Service>
{
    [Fact]
    public async Task Every_row_of_every_table_holds_no_name_number_address_narrative_or_unit_in_clear()
    {
        var subject = Cases.NewPerson();
        (subject.GivenName, subject.FamilyName) = ("Xantippa", "Quistberg");
        var plan = await service.OpenPlan(subject, "Hotfullt sedan sommaren.");
        await service.AddGoal(plan, "Lugnare kvällar");
        await service.AddIntervention(plan, DemonstrationDirectory.CaseWorker, "Samtalsserie");
        await service.AddOtherMeasure(plan, "Följeslagare");
        await service.Join(plan, DemonstrationDirectory.Shelter);
        await service.Consent(plan, DemonstrationDirectory.Shelter, [InformationCategory.GoalsAndInterventions]);
        await service.BlockEmployee(plan, DemonstrationDirectory.Colleague);
        await service.KeepSecretFromJonas(plan);
        await service.CaseWorker.Protection.SetWhereaboutsAsync(new SetWhereaboutsRequest
        {
            Whereabouts = new Whereabouts { Name = plan.Name + "/whereabouts", Unit = Cases.UnitOf(DemonstrationDirectory.Shelter), Address = "Gömvägen 17", SafeContact = "Ring efter sju" },
            Etag = "new",
            RequestId = Cases.NewId(),
        });
        await service.OpenEmergencyAccess(DemonstrationDirectory.ChildPsychiatry, subject);
        var suggestion = Cases.NewSuggestion(subject, DemonstrationDirectory.CaseWorker);
        (suggestion.PlanSuggestion.Reason, suggestion.PlanSuggestion.Contact) = ("Skolkar ofta", "Rektorsexpeditionen");
        await service.As(DemonstrationDirectory.School).Suggestions.SuggestPlanAsync(suggestion);
        var sent = Assert.Single((await service.CaseWorker.Suggestions.ListSuggestionsAsync(new())).PlanSuggestions);
        await service.CaseWorker.Suggestions.AnswerSuggestionAsync(
            new() { Name = sent.Name, Dismissal = SuggestionDismissal.NotNeeded, Reference = "Tjänsteanteckning", Etag = sent.Etag, RequestId = Cases.NewId() });
        await service.As(DemonstrationDirectory.Jonas).Plans.GetPlanAsync(new() { Name = plan.Name }).IsRefused();

        var dump = await service.Dump();

        string[] secrets =
        [
            "Xantippa", "Quistberg", subject.IdentityNumber.Value, subject.IdentityNumber.Value[2..], "Hotfullt", "Lugnare", "Samtalsserie", "Följeslagare", "Gömvägen", "efter sju", "Skolkar", "Rektorsexp", "Tjänsteant", DemonstrationDirectory.School.UnitId, DemonstrationDirectory.School.Id,
            DemonstrationDirectory.Shelter.UnitId, "Kriscentrum", DemonstrationDirectory.Shelter.Id, DemonstrationDirectory.CaseWorker.Id, DemonstrationDirectory.Jonas.Id,
            DemonstrationPersons.Jonas.Value, DemonstrationDirectory.City,
        ];
        Assert.True(dump.Length > 100_000);
        Assert.All(secrets, secret =>
        {
            Assert.DoesNotContain(secret, dump, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain(Convert.ToHexStringLower(Encoding.UTF8.GetBytes(secret)), dump, StringComparison.Ordinal);
        });
        // The test sees what is in clear: state and names of RPCs are.
        Assert.Contains("PlanService/CreatePlan", dump, StringComparison.Ordinal);
    }

    [Fact]
    public async Task After_disposal_an_old_backup_and_todays_key_ring_give_nothing_back_and_everyone_else_stays_readable()
    {
        // A ring of this test's own, which is rotated and cleared while its service runs.
        var ring = Path.Combine(Path.GetDirectoryName(service.Infrastructure.Keys.Ring)!, Cases.NewId());
        File.Copy(service.Infrastructure.Keys.Ring, ring);
        var options = service.Infrastructure.ServerOptions(service.Database.Options, 0, null);
        options.Keys = new KeyOptions { Ring = ring, Certificate = service.Infrastructure.Keys.Certificate, Key = service.Infrastructure.Keys.Key };
        var person = Cases.NewPerson();
        var disposed = await service.OpenAndClosePlan(person);
        var other = await service.OpenPlan(Cases.NewPerson());
        var backup = await Key(disposed);
        await service.LetRetentionPass(disposed);
        await service.As(DemonstrationDirectory.UnitManager).Plans.DisposeSubjectAsync(
            new DisposeSubjectRequest { Name = disposed.Name, DecisionReference = "GALL 2026-1", Etag = disposed.Etag, RequestId = Cases.NewId() });

        await service.CaseWorker.Plans.GetPlanAsync(new() { Name = disposed.Name }).IsRefused();
        Assert.Empty((await service.CaseWorker.Plans.FindPlansAsync(new() { IdentityNumber = person.IdentityNumber })).Plans);
        Assert.Empty((await service.CaseWorker.Plans.FindPlansAsync(new() { GivenName = person.GivenName, FamilyName = person.FamilyName })).Plans);

        await using var app = await CoordinationPlanHost.CreateAsync(options, TimeProvider.System);
        await app.StartAsync();
        using var connection = service.Infrastructure.Connect(app.ApiAddress(), DevelopmentClients.SocialServices);
        var plans = connection.For(service.Infrastructure.Choice(DemonstrationDirectory.CaseWorker)).Plans;
        using var certificate = System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPemFile(options.Keys.Certificate, options.Keys.Key);
        var today = new FileKeyRing(ring, certificate, TimeProvider.System);
        Assert.Equal(DataKey.KeyBytes, (await today.Unwrap(KeyUse.Content, backup, default)).Length);

        KeyRingFile.Rotate(ring, certificate, TimeProvider.System);
        await WaitUntil(() => today.CurrentKey(KeyUse.Content) != backup.RingKey);
        Assert.True(await Rewrapping.Run(service.Database.AdministratorConnectionString, today, default) > 0);
        Assert.Equal(0, await Rewrapping.CountLeft(service.Database.AdministratorConnectionString, today, default));
        Assert.Equal(3, KeyRingFile.Retire(ring, certificate));
        await WaitUntil(() => new FileKeyRing(ring, certificate, TimeProvider.System).CurrentKey(KeyUse.Content) != backup.RingKey);

        var reopened = new FileKeyRing(ring, certificate, TimeProvider.System);
        await Assert.ThrowsAsync<KeyRingException>(async () => await reopened.Unwrap(KeyUse.Content, backup, default));
        // While serving: the service that has run all the time reads the others.
        await WaitUntilAsync(async () => (await plans.GetPlanAsync(new() { Name = other.Name })).Plan.SocialSituation.Length > 0);
        // The log is still there, and still says who did what.
        Assert.Contains(await service.LogSince(DateTime.SpecifyKind(new DateTime(2000, 1, 1), DateTimeKind.Utc)), row => row.Act == Act.DisposeSubject && $"plans/{row.PlanId}" == disposed.Name);
        await app.StopAsync();
    }

    private async Task<WrappedKey> Key(Plan plan)
    {
        await using var command = service.Administrator.CreateCommand(
            "SELECT k.ring_key, k.wrapped FROM coordinationplan.plan p JOIN coordinationplan.subject_key k USING (subject_id) WHERE p.plan_id = $1 AND k.compartment = 1");
        command.Parameters.Add(new() { Value = Guid.Parse(plan.Name["plans/".Length..]) });
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return new WrappedKey(reader.GetString(0), reader.GetFieldValue<byte[]>(1));
    }

    private static Task WaitUntil(Func<bool> condition) => WaitUntilAsync(() => Task.FromResult(condition()));

    private static async Task WaitUntilAsync(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (true)
        {
            try
            {
                if (await condition())
                {
                    return;
                }
            }
            catch (RpcException) when (!limit.IsCancellationRequested)
            {
                // The service has not looked at its ring again yet.
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), limit.Token);
        }
    }
}
