using CoordinationPlan.Server.Hosting;
using CoordinationPlan.Server.Log;
using CoordinationPlan.TransparencyLog;
using CoordinationPlan.Witness;
using Microsoft.AspNetCore.Builder;

namespace CoordinationPlan.Server.Tests.Log;

/// <summary>Checkpoints with real witnesses.</summary>
public sealed class WitnessedTests(Machine machine)
{
    private static string LogOfA => LogNames.IdOf("organisations/a", TimeProvider.System.GetUtcNow().Year);

    [Fact]
    public async Task A_checkpoint_is_published_when_as_many_have_signed_as_are_needed()
    {
        await using var database = await LogDatabase.Create(machine);
        await database.Add(300);
        await database.SequenceAndPublish();
        var logs = await Publishing.Keys(database.Options, database.AuditorConnectionString, null, default);
        await using var one = await RunningWitness.Start("witness.example/one", logs);
        await using var other = await RunningWitness.Start("witness.example/other", logs);
        database.Options.Witnesses.Add(one.AsOption);
        database.Options.Witnesses.Add(other.AsOption);
        var publisher = database.Publisher();

        foreach (var more in new[] { 1, 2, 300 })
        {
            await database.Add(more);
            await database.Sequencer().RunOnce(default);
            await publisher.RunOnce(default);
            Assert.Empty(database.Condition.Faults);
            Assert.Equal([one.Key, other.Key], (await Published(database)).SignedBy([one.Key, other.Key]));
        }

        await database.AssertClean();

        await other.Stop();
        await database.Add(1);
        await database.Sequencer().RunOnce(default);
        await publisher.RunOnce(default);
        Assert.Equal("too few witnesses have signed", database.Condition.Faults[(LogPart.Witnesses, LogOfA)]);
        Assert.Equal(603, Checkpoint.Parse((await Published(database)).Text).Size);

        database.Options.WitnessesNeeded = 1;
        await database.Publisher().RunOnce(default);
        Assert.Empty(database.Condition.Faults);
        Assert.Equal([one.Key], (await Published(database)).SignedBy([one.Key, other.Key]));
    }

    [Fact]
    public async Task Where_the_database_and_the_publishers_own_files_have_gone_back_the_witness_does_not()
    {
        await using var database = await LogDatabase.Create(machine);
        await database.Add(10);
        await database.SequenceAndPublish();
        await using var witness = await RunningWitness.Start("witness.example/one", await Publishing.Keys(database.Options, database.AuditorConnectionString, null, default));
        database.Options.Witnesses.Add(witness.AsOption);
        var files = System.IO.Directory.CreateTempSubdirectory("coordplan-log-").FullName;
        foreach (var file in System.IO.Directory.EnumerateFiles(database.Options.Directory))
        {
            File.Copy(file, Path.Combine(files, Path.GetFileName(file)));
        }

        await using var backup = await database.Copy();
        await database.Add(5);
        await database.SequenceAndPublish();
        Assert.Equal(15, Checkpoint.Parse((await Published(database)).Text).Size);

        backup.Options.Witnesses.Add(witness.AsOption);
        foreach (var more in new[] { 5, 10 })
        {
            await backup.Add(more);
            await backup.Sequencer().RunOnce(default);
            await backup.Publisher(files).RunOnce(default);

            Assert.Contains((LogPart.Witnesses, LogOfA), backup.Condition.Faults.Keys);
            Assert.Equal(10, Checkpoint.Parse((await Published(backup)).Text).Size);
        }

        System.IO.Directory.Delete(files, recursive: true);
    }

    private static async Task<SignedNote> Published(LogDatabase database) => SignedNote.Parse(
        await database.Scalar<string>("SELECT note FROM coordinationplan.log_checkpoint JOIN coordinationplan.log_state USING (log) WHERE controller = 'organisations/a'"));

    private sealed class RunningWitness : IAsyncDisposable
    {
        private readonly DirectoryInfo _folder = System.IO.Directory.CreateTempSubdirectory("coordplan-witness-");
        private WebApplication? _app;

        public NoteVerifier Key { get; private set; } = null!;

        public LogWitness AsOption => new() { Address = _app!.Urls.Single(), Key = Key.ToString() };

        public static async Task<RunningWitness> Start(string name, IEnumerable<string> logs)
        {
            var witness = new RunningWitness();
            var key = NoteSigner.Generate(name, NoteAlgorithm.Cosignature);
            var file = Path.Combine(witness._folder.FullName, "key");
            await File.WriteAllTextAsync(file, key + "\n");
            using (var signer = NoteSigner.Parse(key))
            {
                witness.Key = signer.Verifier;
            }

            witness._app = WitnessHost.Create(
                new WitnessOptions { KeyFile = file, StateFolder = Path.Combine(witness._folder.FullName, "state"), Logs = [.. logs], Url = "http://127.0.0.1:0" }, TimeProvider.System);
            await witness._app.StartAsync();
            return witness;
        }

        public async Task Stop()
        {
            if (_app is not null)
            {
                await _app.DisposeAsync();
                _app = null;
            }
        }

        public async ValueTask DisposeAsync()
        {
            await Stop();
            _folder.Delete(recursive: true);
        }
    }
}
