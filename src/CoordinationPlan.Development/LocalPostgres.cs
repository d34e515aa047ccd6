using System.Globalization;
using System.Text;
using Npgsql;

namespace CoordinationPlan.Development;

/// <summary>
/// A PostgreSQL of one's own: a cluster in a directory and a server on a Unix socket that only this user and root can reach. It lives no
/// longer than this process, even if this process is killed, and its data stays.
/// </summary>
/// <remarks>
/// Whoever reaches the socket is believed to be whom it says (<c>trust</c>), and the directory around the socket says who reaches it. There
/// is no network address.
/// </remarks>
public sealed class LocalPostgres : IAsyncDisposable
{
    /// <summary>The path of a socket has to fit in 108 bytes, and the kernel's error for a longer one names nothing.</summary>
    private const int LongestSocketPath = 100;

    private static readonly TimeSpan _previousMayTake = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan _startMayTake = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan _stopMayTake = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(20);

    private readonly LocalPostgresOptions _options;
    private readonly string _dataDirectory;
    private readonly string _logFile;
    private readonly UnprivilegedUser? _user;
    private readonly FileLock _claim;
    private readonly bool _ownsSocketDirectory;
    private ChildProcess? _server;
    private long _logStart;

    private LocalPostgres(LocalPostgresOptions options, string binDirectory, string dataDirectory, FileLock claim)
    {
        _options = options;
        _dataDirectory = dataDirectory;
        _logFile = Path.Combine(Path.GetDirectoryName(dataDirectory)!, "postgres.log");
        _user = UnprivilegedUser.IfRoot();
        _claim = claim;
        BinDirectory = binDirectory;

        SocketDirectory = Path.Combine(dataDirectory, "socket");
        if (Encoding.UTF8.GetByteCount(SocketPath) >= LongestSocketPath)
        {
            _ownsSocketDirectory = true;
            SocketDirectory = Directory.CreateTempSubdirectory("coordplan-").FullName;
        }
    }

    /// <summary>The directory of the socket, which is what clients call the host.</summary>
    public string SocketDirectory { get; }

    /// <summary>The port, which on a socket is but a part of the file's name.</summary>
    public int Port { get; } = 5432;

    /// <summary>The directory of PostgreSQL's programs.</summary>
    public string BinDirectory { get; }

    /// <summary>The process id of the server last started.</summary>
    public int ProcessId => _server!.Id;

    private string SocketPath => Path.Combine(SocketDirectory, string.Create(CultureInfo.InvariantCulture, $".s.PGSQL.{Port}"));

    /// <summary>Starts a server on the data directory, and makes the cluster first when there is none.</summary>
    /// <exception cref="PostgresNotFoundException">There is no PostgreSQL on this machine.</exception>
    /// <exception cref="InvalidOperationException">The directory is in use, or PostgreSQL did not start: the message says why.</exception>
    public static async Task<LocalPostgres> StartAsync(LocalPostgresOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (!OperatingSystem.IsLinux())
        {
            throw new PlatformNotSupportedException("A PostgreSQL of one's own needs Linux. Elsewhere, give a connection string.");
        }

        var binDirectory = PostgresBinaries.Find(
            options.BinDirectory ?? Environment.GetEnvironmentVariable(PostgresBinaries.EnvironmentVariable),
            PostgresBinaries.SystemRoot,
            options.SearchRoot);
        var dataDirectory = Path.TrimEndingDirectorySeparator(Path.GetFullPath(options.DataDirectory));
        Directory.CreateDirectory(Path.GetDirectoryName(dataDirectory)!);
        var claim = FileLock.TryAcquire(dataDirectory + ".lock") ?? throw new InvalidOperationException(
            $"The data directory {dataDirectory} is in use by another running instance of the service. Stop that one, or use another.");

        var postgres = new LocalPostgres(options, binDirectory, dataDirectory, claim);
        try
        {
            await postgres.LaunchAsync(cancellationToken);
            return postgres;
        }
        catch
        {
            await postgres.DisposeAsync();
            throw;
        }
    }

    /// <summary>How the user connects to the database.</summary>
    public string ConnectionString(string user, string database) => Connection(user, database).ConnectionString;

    /// <summary>Stops the server and starts it again; after <see cref="StopAsync"/> or <see cref="KillAsync"/> it just starts it.</summary>
    public async Task RestartAsync(CancellationToken cancellationToken = default)
    {
        await StopAsync(cancellationToken);
        await LaunchAsync(cancellationToken);
    }

    /// <summary>Ends the sessions and stops the server with a checkpoint; at once, and without one, if that takes too long.</summary>
    public async Task StopAsync(CancellationToken cancellationToken = default)
    {
        if (_server is null)
        {
            return;
        }

        _server.Signal(Libc.SigInt);
        try
        {
            await _server.Exited.WaitAsync(_stopMayTake, TimeProvider.System, cancellationToken);
        }
        catch (TimeoutException)
        {
            _server.Signal(Libc.SigQuit);
            await _server.Exited.WaitAsync(_stopMayTake, TimeProvider.System, cancellationToken);
        }
    }

    /// <summary>Kills the server as a power cut would, for tests of what survives it.</summary>
    public async Task KillAsync(CancellationToken cancellationToken = default)
    {
        _server!.Signal(Libc.SigKill);
        await _server.Exited.WaitAsync(cancellationToken);
    }

    /// <inheritdoc cref="StopAsync"/>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await StopAsync();
        }
        finally
        {
            _claim.Dispose();
            if (_ownsSocketDirectory)
            {
                Directory.Delete(SocketDirectory, recursive: true);
            }
        }
    }

    private async Task LaunchAsync(CancellationToken cancellationToken)
    {
        _logStart = File.Exists(_logFile) ? new FileInfo(_logFile).Length : 0;
        if (Path.Exists(Path.Combine(_dataDirectory, "PG_VERSION")))
        {
            await ClearUpAfterPreviousAsync(cancellationToken);
        }
        else
        {
            await InitialiseAsync();
        }

        CreatePrivateDirectory(SocketDirectory);
        _server = await ChildProcess.StartAsync(_user, _logFile, Path.Combine(BinDirectory, "postgres"), ServerArguments());
        await WaitUntilReadyAsync(_server, cancellationToken);
    }

    /// <summary>
    /// Waits for a server that is still shutting down, and for the sessions of one that was killed: both work in the data directory. Then
    /// takes away what they have left. PostgreSQL would do so itself unless their process ids are in use again, as they soon are in a
    /// container; we know better, because the claim keeps every other instance away.
    /// </summary>
    private async Task ClearUpAfterPreviousAsync(CancellationToken cancellationToken)
    {
        var directory = Libc.RealPath(_dataDirectory);
        var begin = TimeProvider.System.GetTimestamp();
        while (ServersIn(directory).FirstOrDefault() is { } processId)
        {
            if (TimeProvider.System.GetElapsedTime(begin) > _previousMayTake)
            {
                throw new InvalidOperationException(
                    $"Another PostgreSQL (process {processId}) still works in {directory} after {_previousMayTake.TotalSeconds} seconds. "
                    + $"If it was started by hand, stop it: {BinDirectory}/pg_ctl stop -D {directory}. If not, see {_logFile}.");
            }

            await Task.Delay(_pause, TimeProvider.System, cancellationToken);
        }

        File.Delete(Path.Combine(directory, "postmaster.pid"));
        if (Directory.Exists(SocketDirectory))
        {
            foreach (var leftover in Directory.EnumerateFiles(SocketDirectory))
            {
                File.Delete(leftover);
            }
        }
    }

    /// <summary>Made beside its place and moved there, so that a cluster is whole or not there, even if we are killed meanwhile.</summary>
    private async Task InitialiseAsync()
    {
        if (Directory.Exists(_dataDirectory))
        {
            if (Directory.EnumerateFileSystemEntries(_dataDirectory).Any())
            {
                throw new InvalidOperationException($"{_dataDirectory} is neither empty nor a PostgreSQL cluster. Use another directory.");
            }

            Directory.Delete(_dataDirectory);
        }

        var unfinished = _dataDirectory + ".new";
        if (Directory.Exists(unfinished))
        {
            Directory.Delete(unfinished, recursive: true);
        }

        CreatePrivateDirectory(unfinished);
        var initdb = await ChildProcess.StartAsync(_user, _logFile, Path.Combine(BinDirectory, "initdb"),
        [
            "--pgdata", unfinished,
            "--username", _options.Superuser,
            "--encoding=UTF8",
            // Text is compared by bytes, alike with every version of the C library, and letters are letters beyond ASCII too.
            "--locale=C.UTF-8",
            "--lc-collate=C",
            "--auth-local=trust",
            "--auth-host=reject",
            "--data-checksums",
        ]);
        if (await initdb.Exited != 0)
        {
            throw Failure("could not make a cluster");
        }

        Directory.Move(unfinished, _dataDirectory);
    }

    /// <summary>What keeps the server private comes last: of two values PostgreSQL takes the latter.</summary>
    private IEnumerable<string> ServerArguments()
    {
        IEnumerable<KeyValuePair<string, string>> settings =
        [
            .. _options.Settings,
            new("listen_addresses", ""),
            new("unix_socket_directories", $"\"{SocketDirectory.Replace("\"", "\"\"", StringComparison.Ordinal)}\""),
            new("unix_socket_permissions", "0700"),
            new("port", Port.ToString(CultureInfo.InvariantCulture)),
        ];
        return ["-D", _dataDirectory, .. settings.SelectMany(setting => new[] { "-c", $"{setting.Key}={setting.Value}" })];
    }

    private async Task WaitUntilReadyAsync(ChildProcess server, CancellationToken cancellationToken)
    {
        var attempt = Connection(_options.Superuser, "postgres");
        attempt.Pooling = false;
        var begin = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                await using var connection = new NpgsqlConnection(attempt.ConnectionString);
                await connection.OpenAsync(cancellationToken);
                return;
            }
            catch (NpgsqlException exception)
                when (exception is not PostgresException { SqlState: not PostgresErrorCodes.CannotConnectNow })
            {
                if (server.Exited.IsCompleted)
                {
                    throw Failure("did not start");
                }

                if (TimeProvider.System.GetElapsedTime(begin) > _startMayTake)
                {
                    throw Failure($"was not ready after {_startMayTake.TotalSeconds} seconds");
                }
            }

            await Task.Delay(_pause, TimeProvider.System, cancellationToken);
        }
    }

    private NpgsqlConnectionStringBuilder Connection(string user, string database) => new()
    {
        Host = SocketDirectory,
        Port = Port,
        Username = user,
        Database = database,
        SslMode = SslMode.Disable,
        GssEncryptionMode = GssEncryptionMode.Disable,
    };

    private void CreatePrivateDirectory(string path)
    {
        PrivateFiles.CreateDirectory(path);
        if (_user is not null)
        {
            Libc.ChangeOwner(path, _user.UserId, _user.GroupId);
        }
    }

    private InvalidOperationException Failure(string what)
    {
        using var log = new FileStream(_logFile, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        log.Seek(_logStart, SeekOrigin.Begin);
        var said = new StreamReader(log).ReadToEnd().Trim();
        var hint = _user is null ? "" : $" It runs as the user '{_user.Name}', who has to be able to enter every directory above the data.";
        return new InvalidOperationException($"PostgreSQL {what} in {_dataDirectory}.{hint} It said:\n{said}");
    }

    /// <summary>The server and its sessions, which all have the data directory as their working directory.</summary>
    private static IEnumerable<int?> ServersIn(string directory) =>
        from process in Directory.EnumerateDirectories("/proc")
        where new FileInfo(Path.Combine(process, "cwd")).LinkTarget == directory
        let program = Path.GetFileName(new FileInfo(Path.Combine(process, "exe")).LinkTarget)
        where program is not null && program.StartsWith("postgres", StringComparison.Ordinal)
        select (int?)int.Parse(Path.GetFileName(process), CultureInfo.InvariantCulture);
}
