using System.Globalization;
using CoordinationPlan.V1;
using Microsoft.Data.Sqlite;

namespace CoordinationPlan.RegionSystem;

/// <summary>Where the feed has been taken up to.</summary>
/// <param name="Cursor">The cursor that the held data belongs to; empty: hear it from the latest snapshot on.</param>
/// <param name="AwaitsSnapshot">A snapshot was asked for or is being heard, and is not whole yet.</param>
/// <param name="IsUnconfirmed">Something was taken that the service has not been told of.</param>
internal sealed record Standing(string Cursor, bool AwaitsSnapshot, bool IsUnconfirmed);

/// <summary>What was forgotten because of a recall, which the service is to be told of.</summary>
internal sealed record Forgetting(string Receipt, string Recall, string Etag, string RequestId);

/// <summary>How many changes of a batch did what.</summary>
internal sealed record Taken(int Applied, int SeenBefore, int Recalls);

/// <summary>
/// The system's own database: one file. What a batch brings, and the cursor that it brings it up to, are written in one transaction: whatever moment the process dies at, the
/// file holds what belongs to its cursor, and what comes again is known by its event id. A recall is forgotten in that transaction too; freed pages are overwritten.
/// </summary>
internal sealed partial class Store
{
    /// <summary>Longer than the service keeps its feed: no event comes again after that.</summary>
    private static readonly TimeSpan RememberEventsFor = TimeSpan.FromDays(100);

    private const string Schema =
        """
        CREATE TABLE IF NOT EXISTS standing (
            id INTEGER PRIMARY KEY CHECK (id = 1), cursor TEXT NOT NULL, awaits_snapshot INTEGER NOT NULL, snapshot TEXT, unconfirmed INTEGER NOT NULL, last_version INTEGER NOT NULL);
        INSERT OR IGNORE INTO standing VALUES (1, '', 1, NULL, 0, 0);
        CREATE TABLE IF NOT EXISTS seen (event TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS held (
            plan TEXT NOT NULL, unit TEXT NOT NULL, kind INTEGER NOT NULL, thing TEXT NOT NULL, content TEXT NOT NULL, snapshot TEXT, PRIMARY KEY (plan, unit, kind, thing)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS notice (plan TEXT NOT NULL, unit TEXT NOT NULL, at INTEGER NOT NULL, snapshot TEXT, PRIMARY KEY (plan, unit)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS rejection (event TEXT PRIMARY KEY, reason INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS forgetting (
            receipt TEXT PRIMARY KEY, recall TEXT NOT NULL, etag TEXT NOT NULL, request_id TEXT NOT NULL, at INTEGER NOT NULL, removed INTEGER NOT NULL, confirmed INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS report (
            plan TEXT NOT NULL, unit TEXT NOT NULL, external_id TEXT NOT NULL, version INTEGER NOT NULL, item BLOB NOT NULL, answered INTEGER NOT NULL DEFAULT 0, outcome TEXT NOT NULL DEFAULT '',
            PRIMARY KEY (plan, unit, external_id)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS errand (
            id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, plan TEXT NOT NULL, unit TEXT NOT NULL, about INTEGER NOT NULL, thing TEXT NOT NULL, request BLOB NOT NULL, outcome TEXT);
        """;

    private readonly string _connection;

    /// <summary>Opens the file, or makes it, for this user alone.</summary>
    public Store(string path)
    {
        if (!File.Exists(path))
        {
            var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            File.Open(path, options).Dispose();
        }

        _connection = new SqliteConnectionStringBuilder { DataSource = path, DefaultTimeout = 60 }.ConnectionString;
        Write(database => database.Run(Schema));
    }

    public Standing Standing() => Read(database => database.List(
        "SELECT cursor, awaits_snapshot, unconfirmed FROM standing", row => new Standing(row.GetString(0), row.GetBoolean(1), row.GetBoolean(2)))[0]);

    /// <summary>
    /// Takes a batch: what it brings, and where it leads to. Null, and nothing is changed, where the file does not stand at that cursor any more: another process has gone on with it.
    /// </summary>
    public Taken? Take(string cursor, IReadOnlyCollection<Change> changes, string next, DateTimeOffset now) => Write(database =>
    {
        if (database.Run("UPDATE standing SET cursor = $1, unconfirmed = unconfirmed OR $2 WHERE cursor = $3", next, changes.Count > 0, cursor) == 0)
        {
            return null;
        }

        var (applied, recalls) = (0, 0);
        foreach (var change in changes)
        {
            if (database.Run("INSERT OR IGNORE INTO seen VALUES ($1, $2)", change.Event, now.ToUnixTimeSeconds()) > 0)
            {
                applied++;
                recalls += change.Kind == ChangeKind.Recall ? 1 : 0;
                Apply(database, change, now);
            }
        }

        if (changes.Count > 0)
        {
            database.Run("DELETE FROM seen WHERE at < $1", (now - RememberEventsFor).ToUnixTimeSeconds());
        }

        return new Taken(applied, changes.Count - applied, recalls);
    });

    /// <summary>
    /// Goes back to the beginning of a snapshot. All that is held stays until the snapshot is whole, and what it did not name then is forgotten. Everything is told anew from there
    /// on, in its order, so that nothing counts as seen.
    /// </summary>
    public bool GoBack(string from, string to) => Write(database =>
    {
        if (database.Run("UPDATE standing SET cursor = $1, awaits_snapshot = 1, snapshot = NULL, unconfirmed = 0 WHERE cursor = $2", to, from) == 0)
        {
            return false;
        }

        database.Run("DELETE FROM seen");
        database.Run("DELETE FROM rejection");
        return true;
    });

    public List<Forgetting> ToConfirm() => Read(database => database.List(
        "SELECT receipt, recall, etag, request_id FROM forgetting WHERE NOT confirmed ORDER BY receipt",
        row => new Forgetting(row.GetString(0), row.GetString(1), row.GetString(2), row.GetString(3))));

    public void Confirmed(Forgetting forgetting) => Write(database => database.Run("UPDATE forgetting SET confirmed = 1 WHERE receipt = $1", forgetting.Receipt));

    public List<Rejection> Rejections() => Read(database => database.List(
        "SELECT event, reason FROM rejection ORDER BY event LIMIT 50", row => new Rejection { Event = row.GetString(0), Reason = (RejectionReason)row.GetInt32(1) }));

    /// <summary>The service knows that everything up to the cursor is taken, but for what was rejected; that stays true when more has been taken since.</summary>
    public void Confirmed(string cursor, IEnumerable<Rejection> rejections) => Write(database =>
    {
        foreach (var rejection in rejections)
        {
            database.Run("DELETE FROM rejection WHERE event = $1", rejection.Event);
        }

        return database.Run("UPDATE standing SET unconfirmed = EXISTS (SELECT 1 FROM rejection) WHERE cursor = $1", cursor);
    });

    /// <summary>Forgets all that came from the service and all that was to be sent there. What was recalled is still confirmed: it is forgotten.</summary>
    public void ForgetAll()
    {
        Write(database => database.Run(
            "DELETE FROM held; DELETE FROM notice; DELETE FROM seen; DELETE FROM rejection; DELETE FROM report; DELETE FROM errand; UPDATE standing SET cursor = '', awaits_snapshot = 1, snapshot = NULL, unconfirmed = 0"));
        WriteAnew();
    }

    /// <summary>
    /// Writes the file anew, without anything that is not in it any more: `secure_delete` overwrites what is deleted, and not the copies that moving it about within the file has left.
    /// </summary>
    public void WriteAnew() => Read(database => database.Run("PRAGMA temp_store = MEMORY; VACUUM"));

    /// <summary>All that is held, a line each, in a fixed order.</summary>
    public List<string> Show() => Read(database => (List<string>)
    [
        .. database.List("SELECT plan, unit, kind, thing, content FROM held ORDER BY plan, unit, kind, thing", row =>
            string.Join('\t', "held", row.GetString(0), row.GetString(1), (ChangeKind)row.GetInt32(2), row.GetString(3), row.GetString(4))),
        .. database.List("SELECT plan, unit, at FROM notice ORDER BY plan, unit", row => string.Join('\t', "notice", row.GetString(0), row.GetString(1), Time(row.GetInt64(2)))),
        .. database.List("SELECT plan, unit, external_id, version, answered, outcome FROM report ORDER BY plan, unit, external_id", row =>
            string.Join('\t', "report", row.GetString(0), row.GetString(1), row.GetString(2), row.GetInt64(3), row.GetInt64(4) == row.GetInt64(3) ? row.GetString(5) : "to be sent")),
        .. database.List("SELECT kind, plan, unit, thing, outcome FROM errand ORDER BY id", row =>
            string.Join('\t', "errand", (ErrandKind)row.GetInt32(0), row.GetString(1), row.GetString(2), row.GetString(3), row.IsDBNull(4) ? "to be sent" : row.GetString(4))),
        .. database.List("SELECT receipt, at, removed, confirmed FROM forgetting ORDER BY receipt", row =>
            string.Join('\t', "forgotten", row.GetString(0), Time(row.GetInt64(1)), row.GetInt32(2), row.GetBoolean(3) ? "confirmed" : "to be confirmed")),
    ]);

    private static void Apply(Database database, Change change, DateTimeOffset now)
    {
        switch (change.Kind)
        {
            case ChangeKind.SnapshotBegin:
                database.Run("UPDATE standing SET snapshot = $1, awaits_snapshot = 1", change.Event);
                break;
            case ChangeKind.SnapshotEnd when database.List("SELECT 1 FROM standing WHERE snapshot IS NULL", _ => 1).Count > 0:
                // Of one whose beginning was not heard: nothing can be told from it.
                break;
            case ChangeKind.SnapshotEnd:
                database.Run("DELETE FROM held WHERE snapshot IS NOT (SELECT snapshot FROM standing)");
                database.Run("DELETE FROM notice WHERE snapshot IS NOT (SELECT snapshot FROM standing)");
                database.Run("UPDATE standing SET snapshot = NULL, awaits_snapshot = 0");
                ForgetReportsOfUnknownPlans(database);
                ForgetErrandsOfWhatIsNotHeld(database);
                break;
            case ChangeKind.Recall when change.Recall is { } recall:
                Forget(database, recall, now);
                break;
            case ChangeKind.Forgotten:
                // A number that is used up. What is to be forgotten stands in a recall.
                break;
            case ChangeKind.Unspecified:
                database.Run(
                    "INSERT INTO notice VALUES ($1, $2, $3, (SELECT snapshot FROM standing)) ON CONFLICT DO UPDATE SET at = excluded.at, snapshot = excluded.snapshot",
                    change.Plan, change.Unit, now.ToUnixTimeSeconds());
                break;
            case var kind when Content.IsKnown(kind) && Content.Of(change) is { } content:
                database.Run(
                    """
                    INSERT INTO held VALUES ($1, $2, $3, $4, $5, (SELECT snapshot FROM standing))
                    ON CONFLICT DO UPDATE SET content = excluded.content, snapshot = excluded.snapshot
                    """,
                    change.Plan, change.Unit, (int)kind, Content.ThingOf(content), content.ToString()!);
                if (content is SyncedParticipation synced)
                {
                    BecameOf(database, change.Plan, synced);
                }

                break;
            default:
                var reason = Content.IsKnown(change.Kind) || change.Kind == ChangeKind.Recall ? RejectionReason.ContentNotTaken : RejectionReason.UnknownKind;
                database.Run("INSERT OR REPLACE INTO rejection VALUES ($1, $2)", change.Event, (int)reason);
                break;
        }
    }

    /// <summary>Forgets what the recall names, and notes that it is to be confirmed; under a number of the system's own, which says nothing of what it was.</summary>
    private static void Forget(Database database, Recall recall, DateTimeOffset now)
    {
        var categories = recall.Categories.ToHashSet();
        var removed = 0;
        if (categories.Contains(InformationCategory.Existence))
        {
            removed += database.Run("DELETE FROM held WHERE plan = $1 AND unit = $2", recall.Plan, recall.Unit);
            removed += database.Run("DELETE FROM notice WHERE plan = $1 AND unit = $2", recall.Plan, recall.Unit);
        }
        else
        {
            foreach (var (kind, thing, content) in database.List(
                "SELECT kind, thing, content FROM held WHERE plan = $1 AND unit = $2", row => ((ChangeKind)row.GetInt32(0), row.GetString(1), row.GetString(2)), recall.Plan, recall.Unit))
            {
                removed += Content.Without(kind, content, categories) is { } left
                    ? left == content ? 0 : database.Run("UPDATE held SET content = $5 WHERE plan = $1 AND unit = $2 AND kind = $3 AND thing = $4", recall.Plan, recall.Unit, (int)kind, thing, left)
                    : database.Run("DELETE FROM held WHERE plan = $1 AND unit = $2 AND kind = $3 AND thing = $4", recall.Plan, recall.Unit, (int)kind, thing);
            }
        }

        // Within a snapshot it may be told again after this, and what is to be sent waits for the snapshot's end.
        if (database.List("SELECT 1 FROM standing WHERE snapshot IS NULL", _ => 1).Count > 0)
        {
            ForgetReportsOfUnknownPlans(database);
            ForgetErrandsOfWhatIsNotHeld(database);
        }

        database.Run(
            "INSERT INTO forgetting VALUES ($1, $2, $3, $4, $5, $6, $7)",
            "RS-" + Guid.CreateVersion7().ToString("D"), recall.Name, recall.Etag, RequestId.New(), now.ToUnixTimeSeconds(), removed, recall.AcknowledgeTime is not null);
    }

    /// <summary>That there is such a plan came from the service: where no unit may know it any more, nothing of the system's own names it either.</summary>
    private static void ForgetReportsOfUnknownPlans(Database database) =>
        database.Run("DELETE FROM report WHERE plan NOT IN (SELECT plan FROM held) AND plan NOT IN (SELECT plan FROM notice)");

    private static string Time(long seconds) => DateTimeOffset.FromUnixTimeSeconds(seconds).ToString("O", CultureInfo.InvariantCulture);

    private T Read<T>(Func<Database, T> work)
    {
        using var connection = Open();
        return work(new Database(connection, null));
    }

    /// <summary>One transaction, which has the file for itself from its beginning.</summary>
    private T Write<T>(Func<Database, T> work)
    {
        using var connection = Open();
        using var transaction = connection.BeginTransaction();
        var result = work(new Database(connection, transaction));
        transaction.Commit();
        return result;
    }

    private SqliteConnection Open()
    {
        var connection = new SqliteConnection(_connection);
        connection.Open();
        // No write-ahead log: what was forgotten would stay in it.
        new Database(connection, null).Run("PRAGMA secure_delete = ON; PRAGMA synchronous = FULL");
        return connection;
    }

    /// <summary>Statements with their parameters, numbered from $1.</summary>
    private sealed class Database(SqliteConnection connection, SqliteTransaction? transaction)
    {
        public int Run(string sql, params object[] parameters)
        {
            using var command = Command(sql, parameters);
            return command.ExecuteNonQuery();
        }

        public List<T> List<T>(string sql, Func<SqliteDataReader, T> read, params object[] parameters)
        {
            using var command = Command(sql, parameters);
            using var reader = command.ExecuteReader();
            var rows = new List<T>();
            while (reader.Read())
            {
                rows.Add(read(reader));
            }

            return rows;
        }

        private SqliteCommand Command(string sql, object[] parameters)
        {
            var command = connection.CreateCommand();
            command.Transaction = transaction;
#pragma warning disable CA2100 // Every text is a constant in this program.
            command.CommandText = sql;
#pragma warning restore CA2100
            foreach (var (i, value) in parameters.Index())
            {
                command.Parameters.AddWithValue(string.Create(CultureInfo.InvariantCulture, $"${i + 1}"), value);
            }

            return command;
        }
    }
}
