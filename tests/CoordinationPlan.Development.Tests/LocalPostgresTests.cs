using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace CoordinationPlan.Development.Tests;

public sealed class LocalPostgresTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Data => _directory.Under("data");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Data_stays_between_runs()
    {
        await using (var first = await StartAsync())
        {
            await ExecuteAsync(first, "CREATE TABLE kept AS SELECT 42 AS answer");
            Assert.Equal(ServerOf(Data), first.ProcessId);
        }

        Assert.False(File.Exists(Path.Combine(Data, "postmaster.pid")));
        await using var second = await StartAsync();
        Assert.Equal("42", await AskAsync(second, "SELECT answer FROM kept"));
    }

    [Fact]
    public async Task A_commit_survives_a_kill()
    {
        await using var postgres = await StartAsync();
        await ExecuteAsync(postgres, "CREATE TABLE kept AS SELECT 42 AS answer");
        await using var open = await ConnectAsync(postgres);
        var killed = postgres.ProcessId;

        await postgres.KillAsync(Cancel);
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => AskAsync(postgres, "SELECT 1"));
        await postgres.RestartAsync(Cancel);

        Assert.NotEqual(killed, postgres.ProcessId);
        Assert.Equal("42", await AskAsync(postgres, "SELECT answer FROM kept"));
    }

    [Fact]
    public async Task What_a_killed_server_left_does_not_hinder_the_next_start()
    {
        await using (var first = await StartAsync())
        {
            await first.KillAsync(Cancel);
        }

        // In a container the old process id soon belongs to something else of the same user.
        var bystander = await ChildProcess.StartAsync(UnprivilegedUser.IfRoot(), _directory.Under("sleep.log"), "sleep", ["600"]);
        try
        {
            foreach (var lockFile in new[] { Path.Combine(Data, "postmaster.pid"), Path.Combine(Data, "socket/.s.PGSQL.5432.lock") })
            {
                var lines = await File.ReadAllLinesAsync(lockFile, Cancel);
                lines[0] = bystander.Id.ToString(CultureInfo.InvariantCulture);
                await File.WriteAllLinesAsync(lockFile, lines, Cancel);
            }

            await using var second = await StartAsync();
            Assert.Equal("1", await AskAsync(second, "SELECT 1"));
        }
        finally
        {
            bystander.Signal(Libc.SigKill);
            await bystander.Exited;
        }
    }

    [Fact]
    public async Task It_waits_for_a_server_that_is_still_shutting_down()
    {
        string binDirectory;
        await using (var first = await StartAsync())
        {
            binDirectory = first.BinDirectory;
        }

        var previous = await ChildProcess.StartAsync(
            UnprivilegedUser.IfRoot(),
            _directory.Under("previous.log"),
            Path.Combine(binDirectory, "postgres"),
            ["-D", Data, "-c", "listen_addresses=", "-c", $"unix_socket_directories={Data}/socket"]);
        await UntilAsync(() => File.Exists(Path.Combine(Data, "postmaster.pid")));

        var starting = StartAsync();
        await Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System, Cancel);
        Assert.False(starting.IsCompleted);
        Assert.Equal(previous.Id, ServerOf(Data));

        previous.Signal(Libc.SigInt);
        await using var second = await starting;
        Assert.Equal(second.ProcessId, ServerOf(Data));
    }

    [Fact]
    public async Task Two_instances_do_not_share_a_directory()
    {
        await using var first = await StartAsync();

        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(StartAsync);

        Assert.Contains("in use by another running instance", refusal.Message, StringComparison.Ordinal);
        Assert.Equal("1", await AskAsync(first, "SELECT 1"));
    }

    [Fact]
    public async Task The_cluster_is_durable_checked_and_off_the_network()
    {
        await using var postgres = await StartAsync(new() { DataDirectory = Data, Settings = Setting("shared_buffers", "24MB") });

        Assert.Equal("24MB", await AskAsync(postgres, "SHOW shared_buffers"));
        foreach (var setting in new[] { "fsync", "synchronous_commit", "full_page_writes", "data_checksums" })
        {
            Assert.Equal("on", await AskAsync(postgres, $"SHOW {setting}"));
        }

        Assert.Equal("", await AskAsync(postgres, "SHOW listen_addresses"));
        Assert.Equal("UTF8", await AskAsync(postgres, "SHOW server_encoding"));
        Assert.Equal("åäö", await AskAsync(postgres, "SELECT lower('ÅÄÖ')"));
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(postgres.SocketDirectory));
    }

    [Fact]
    public async Task Settings_cannot_open_it_to_the_network()
    {
        await using var postgres = await StartAsync(new() { DataDirectory = Data, Settings = Setting("listen_addresses", "127.0.0.1") });

        Assert.Equal("", await AskAsync(postgres, "SHOW listen_addresses"));
    }

    [Fact]
    public async Task Any_user_of_the_database_may_connect_over_the_socket()
    {
        await using var postgres = await StartAsync();
        await ExecuteAsync(postgres, "CREATE ROLE reader LOGIN");

        Assert.Equal("reader", await AskAsync(postgres, "SELECT current_user", user: "reader"));
    }

    [Fact]
    public async Task A_long_path_gets_its_socket_elsewhere()
    {
        string socketDirectory;
        var data = _directory.Under(Path.Combine(new string('a', 60), new string('b', 60)));
        await using (var postgres = await StartAsync(new() { DataDirectory = data }))
        {
            socketDirectory = postgres.SocketDirectory;
            Assert.False(socketDirectory.StartsWith(data, StringComparison.Ordinal));
            Assert.Equal("1", await AskAsync(postgres, "SELECT 1"));
        }

        Assert.False(Directory.Exists(socketDirectory));
    }

    [Fact]
    public async Task A_directory_with_something_else_in_it_is_left_alone()
    {
        Directory.CreateDirectory(Data);
        await File.WriteAllTextAsync(Path.Combine(Data, "thesis.txt"), "the only copy", Cancel);

        await Assert.ThrowsAsync<InvalidOperationException>(StartAsync);

        Assert.Equal("the only copy", await File.ReadAllTextAsync(Path.Combine(Data, "thesis.txt"), Cancel));
    }

    [Fact]
    public async Task A_failure_to_start_comes_with_the_servers_own_words_and_releases_the_directory()
    {
        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(
            () => StartAsync(new() { DataDirectory = Data, Settings = Setting("shared_buffers", "many") }));
        Assert.Contains("invalid value for parameter \"shared_buffers\"", refusal.Message, StringComparison.Ordinal);

        await using var postgres = await StartAsync();
        Assert.Equal("1", await AskAsync(postgres, "SELECT 1"));
    }

    [Fact]
    public async Task It_dies_with_the_process_that_started_it()
    {
        await using (await StartAsync())
        {
            // Makes the cluster, and skips where there is no PostgreSQL.
        }

        using var process = Process.Start(Path.ChangeExtension(typeof(LocalPostgresTests).Assembly.Location, null), ["hold", Data]);
        await UntilAsync(() => File.Exists(Path.Combine(Data, "held")));
        var server = ServerOf(Data);
        Assert.True(IsRunning(server));

        Libc.Signal(process.Id, Libc.SigKill);

        // The directory is free when the process that held it has gone, not already when its server has.
        await process.WaitForExitAsync(Cancel);
        await UntilAsync(() => !IsRunning(server));
        await using var next = await StartAsync();
        Assert.Equal("1", await AskAsync(next, "SELECT 1"));
    }

    private Task<LocalPostgres> StartAsync() => StartAsync(new() { DataDirectory = Data });

    /// <summary>Without PostgreSQL the tests are skipped, but not where they are run to find out whether all is well.</summary>
    private static async Task<LocalPostgres> StartAsync(LocalPostgresOptions options)
    {
        try
        {
            return await LocalPostgres.StartAsync(options, Cancel);
        }
        catch (PostgresNotFoundException missing) when (string.IsNullOrEmpty(Environment.GetEnvironmentVariable("CI")))
        {
            Assert.Skip(missing.Message);
            throw;
        }
    }

    private static Dictionary<string, string> Setting(string name, string value) => new() { [name] = value };

    private static async Task<NpgsqlConnection> ConnectAsync(LocalPostgres postgres, string user = "postgres")
    {
        var connection = new NpgsqlConnection(postgres.ConnectionString(user, "postgres") + ";Pooling=false");
        await connection.OpenAsync(Cancel);
        return connection;
    }

    private static async Task ExecuteAsync(LocalPostgres postgres, string sql)
    {
        await using var connection = await ConnectAsync(postgres);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancel);
    }

    private static async Task<string?> AskAsync(LocalPostgres postgres, string sql, string user = "postgres")
    {
        await using var connection = await ConnectAsync(postgres, user);
        await using var command = new NpgsqlCommand(sql, connection);
        return Convert.ToString(await command.ExecuteScalarAsync(Cancel), CultureInfo.InvariantCulture);
    }

    private static int ServerOf(string data) =>
        int.Parse(File.ReadLines(Path.Combine(data, "postmaster.pid")).First(), CultureInfo.InvariantCulture);

    /// <summary>A process that has ended stays in the list, as a zombie, until its new parent takes note.</summary>
    private static bool IsRunning(int processId)
    {
        var status = $"/proc/{processId}/stat";
        return File.Exists(status) && !File.ReadAllText(status).Contains(") Z ", StringComparison.Ordinal);
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        while (!condition())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, patience.Token);
        }
    }
}
