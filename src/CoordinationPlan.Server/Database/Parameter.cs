using CoordinationPlan.Policy;
using Npgsql;
using NpgsqlTypes;

namespace CoordinationPlan.Server.Database;

/// <summary>Positional parameters with their PostgreSQL types, so that nothing is guessed.</summary>
internal static class Parameter
{
    public static NpgsqlParameter Of(Guid value) => new NpgsqlParameter<Guid> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Uuid };

    public static NpgsqlParameter Of(int value) => new NpgsqlParameter<int> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Integer };

    public static NpgsqlParameter Of(long value) => new NpgsqlParameter<long> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Bigint };

    public static NpgsqlParameter Of(short value) => new NpgsqlParameter<short> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Smallint };

    public static NpgsqlParameter Of(bool value) => new NpgsqlParameter<bool> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Boolean };

    public static NpgsqlParameter Of(Categories value) => Of((int)value);

    public static NpgsqlParameter Of(DateOnly value) => new NpgsqlParameter<DateOnly> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Date };

    public static NpgsqlParameter Of(DateTimeOffset value) =>
        new NpgsqlParameter<DateTime> { TypedValue = value.UtcDateTime, NpgsqlDbType = NpgsqlDbType.TimestampTz };

    public static NpgsqlParameter Of(byte[] value) => new NpgsqlParameter<byte[]> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Bytea };

    public static NpgsqlParameter Of(string[] value) =>
        new NpgsqlParameter<string[]> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text };

    public static NpgsqlParameter Of(int[] value) =>
        new NpgsqlParameter<int[]> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Integer };

    /// <summary>Texts, or none, as they come.</summary>
    public static NpgsqlParameter OfNullable(string?[] value) =>
        new() { Value = value, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text };

    public static NpgsqlParameter Of(Guid?[] value) =>
        new NpgsqlParameter<Guid?[]> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid };

    public static NpgsqlParameter Of(int?[] value) =>
        new NpgsqlParameter<int?[]> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Integer };

    public static NpgsqlParameter Of(long[] value) =>
        new NpgsqlParameter<long[]> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint };

    /// <summary>Times in UTC.</summary>
    public static NpgsqlParameter Of(DateTime[] value) =>
        new NpgsqlParameter<DateTime[]> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz };

    public static NpgsqlParameter Of(Guid[] value) =>
        new NpgsqlParameter<Guid[]> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid };

    public static NpgsqlParameter Of(byte[][] value) =>
        new NpgsqlParameter<byte[][]> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea };

    public static NpgsqlParameter Of(string value) => new NpgsqlParameter<string> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Text };

    /// <summary>A text where empty means none.</summary>
    public static NpgsqlParameter OrNull(string? value) => Nullable(string.IsNullOrEmpty(value) ? null : value, NpgsqlDbType.Text);

    public static NpgsqlParameter OrNull(string[]? value) => Nullable(value, NpgsqlDbType.Array | NpgsqlDbType.Text);

    public static NpgsqlParameter OrNull(Guid? value) => Nullable(value, NpgsqlDbType.Uuid);

    public static NpgsqlParameter OrNull(DateOnly? value) => Nullable(value, NpgsqlDbType.Date);

    public static NpgsqlParameter OrNull(DateTimeOffset? value) => Nullable(value?.UtcDateTime, NpgsqlDbType.TimestampTz);

    public static NpgsqlParameter OrNull(long? value) => Nullable(value, NpgsqlDbType.Bigint);

    public static NpgsqlParameter OrNull(short? value) => Nullable(value, NpgsqlDbType.Smallint);

    public static NpgsqlParameter OrNull(byte[]? value) => Nullable(value, NpgsqlDbType.Bytea);

    private static NpgsqlParameter Nullable(object? value, NpgsqlDbType type) => new() { Value = value ?? DBNull.Value, NpgsqlDbType = type };
}
