using System.Buffers.Binary;
using System.Text;
using CoordinationPlan.Server.Audit;
using Npgsql;

namespace CoordinationPlan.Server.Log;

/// <summary>
/// What of an entry the tree commits to: every column of its row but the secret, in one order and as one kind of bytes each. Whoever checks an entry makes the same
/// bytes of it, so nothing here may ever change; a new column is added at the end, and is not there (not null) for entries from before it.
/// </summary>
internal static class EntryFields
{
    private enum Kind
    {
        /// <summary>Microseconds since 1970 in UTC, eight bytes.</summary>
        Time,

        /// <summary>Sixteen bytes, as the text has them.</summary>
        Id,

        /// <summary>Four bytes, the most significant first.</summary>
        Number,

        /// <summary>UTF-8.</summary>
        Text,

        /// <summary>As they are.</summary>
        Bytes,
    }

    private static readonly (string Name, Kind Kind)[] All =
    [
        ("occurred_at", Kind.Time), ("entry_id", Kind.Id), ("act", Kind.Number), ("outcome", Kind.Number), ("reason", Kind.Text), ("method", Kind.Text),
        ("employee_id", Kind.Text), ("client_system", Kind.Text), ("assignment_id", Kind.Text), ("role", Kind.Number), ("unit_id", Kind.Text),
        ("actor_controller", Kind.Text), ("purpose", Kind.Number), ("plan_id", Kind.Id), ("subject_id", Kind.Id), ("owner_controller", Kind.Text),
        ("resource", Kind.Text), ("categories", Kind.Number), ("policy_version", Kind.Number), ("trace_id", Kind.Bytes), ("decision", Kind.Bytes),
        ("call_id", Kind.Id), ("call_size", Kind.Number),
    ];

    /// <summary>The columns, in order.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(field => field.Name)];

    /// <summary>The fields of an entry that was just written.</summary>
    public static IReadOnlyList<(string Name, byte[]? Value)> Of(AccessLogRecord entry, Entered entered)
    {
        byte[]?[] values =
        [
            Of(entered.OccurredAt), Of(entry.EntryId), Of((int)entry.Caller.Method.Act), Of((int)entry.Outcome), Of(entry.Reason), Of(entry.Caller.Method.Name),
            OrNull(entry.Caller.EmployeeId), Of(entry.Caller.ClientSystem), OrNull(entry.Caller.AssignmentId), OrNull((int?)entry.CallerFacts?.Role), OrNull(entry.CallerFacts?.UnitId),
            OrNull(entered.Controller), Of((int)entry.Caller.Purpose), OrNull(entry.Concern.PlanId), OrNull(entry.Concern.SubjectId), OrNull(entry.Concern.OwnerController),
            OrNull(entry.Concern.Resource), Of((int)entry.Concern.Categories), Of(Policy.AccessPolicy.Version), entry.Caller.TraceId, entry.Decision,
            Of(entry.CallId), Of(entry.CallSize),
        ];
        return [.. values.Select((value, i) => (All[i].Name, value))];
    }

    /// <summary>The fields of a row as it stands, from a column on.</summary>
    public static IReadOnlyList<(string Name, byte[]? Value)> Read(NpgsqlDataReader reader, int first) =>
        [.. All.Select((field, i) => (field.Name, reader.IsDBNull(first + i) ? null : Read(reader, first + i, field.Kind)))];

    private static byte[] Read(NpgsqlDataReader reader, int column, Kind kind) => kind switch
    {
        Kind.Time => Of(reader.GetDateTime(column)),
        Kind.Id => Of(reader.GetGuid(column)),
        Kind.Number => Of(reader.GetInt32(column)),
        Kind.Text => Of(reader.GetString(column)),
        _ => reader.GetFieldValue<byte[]>(column),
    };

    private static byte[] Of(DateTime time)
    {
        var bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, (time.Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond);
        return bytes;
    }

    private static byte[] Of(Guid id) => id.ToByteArray(bigEndian: true);

    private static byte[] Of(int number)
    {
        var bytes = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(bytes, number);
        return bytes;
    }

    private static byte[] Of(string text) => Encoding.UTF8.GetBytes(text);

    // As Parameter.OrNull writes them: an empty text is none.
    private static byte[]? OrNull(string? text) => string.IsNullOrEmpty(text) ? null : Of(text);

    private static byte[]? OrNull(Guid? id) => id is { } value ? Of(value) : null;

    private static byte[]? OrNull(int? number) => number is { } value ? Of(value) : null;
}
