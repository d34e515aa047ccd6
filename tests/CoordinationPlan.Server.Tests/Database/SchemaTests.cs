using CoordinationPlan.Server.Database;

namespace CoordinationPlan.Server.Tests.Database;

/// <summary>A database is brought to the schema all or not, and one that does not fit is refused.</summary>
public sealed class SchemaTests(Machine machine) : IAsyncLifetime
{
    private EmptyDatabase _database = null!;

    public async ValueTask InitializeAsync() => _database = await EmptyDatabase.Create(machine);

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Fact]
    public async Task An_empty_database_gets_every_migration_and_the_second_time_none()
    {
        var first = await Migrate();
        var second = await Migrate();

        Assert.Equal(Schema.Migrations, first);
        Assert.Empty(second);
        Assert.Equal(Schema.Migrations.Count, await _database.Scalar<long>("SELECT count(*) FROM coordinationplan.schema_migration"));
        await Check();
    }

    [Fact]
    public async Task A_dry_run_says_what_it_would_do_and_leaves_nothing()
    {
        var wouldApply = await Schema.Migrate(_database.ConnectionString, InstallationKind.Development, dryRun: true, default);

        Assert.Equal(Schema.Migrations, wouldApply);
        Assert.False(await _database.Scalar<bool>("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'coordinationplan')"));
    }

    [Fact]
    public async Task Two_that_migrate_at_once_do_it_once()
    {
        var applied = await Task.WhenAll(Migrate(), Migrate());

        Assert.Equal(Schema.Migrations, applied.SelectMany(migrations => migrations));
    }

    [Fact]
    public async Task A_database_without_a_schema_is_refused_and_told_what_to_do() =>
        Assert.Contains("coordplan migrate", (await IsRefused()).Message, StringComparison.Ordinal);

    [Fact]
    public async Task A_database_that_lacks_a_migration_is_refused_and_told_which()
    {
        await Migrate();
        await _database.Execute("DELETE FROM coordinationplan.schema_migration WHERE number = 1");

        Assert.Contains(Schema.Migrations[0].Name, (await IsRefused()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_whose_migration_was_edited_is_refused_and_not_migrated_further()
    {
        await Migrate();
        await _database.Execute("UPDATE coordinationplan.schema_migration SET sha256 = sha256('something else'::bytea) WHERE number = 1");

        Assert.Contains("never edited", (await IsRefused()).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<SchemaException>(() => Migrate());
    }

    [Theory]
    [InlineData(InstallationKind.Production, InstallationKind.Development)]
    [InlineData(InstallationKind.Development, InstallationKind.Production)]
    public async Task A_database_for_one_kind_of_persons_is_never_used_for_the_other(InstallationKind database, InstallationKind service)
    {
        await Migrate(database);

        Assert.Contains("never mixed", (await IsRefused(service)).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<SchemaException>(() => Migrate(service));
        await Check(database);
    }

    [Fact]
    public async Task Later_migrations_than_the_service_knows_are_fine()
    {
        await Migrate();
        await _database.Execute("INSERT INTO coordinationplan.schema_migration (number, name, sha256) VALUES (9999, '9999_of_the_next_version', sha256('later'::bytea))");

        await Check();
        Assert.Empty(await Migrate());
    }

    private Task<IReadOnlyList<Migration>> Migrate(InstallationKind kind = InstallationKind.Development) =>
        Schema.Migrate(_database.ConnectionString, kind, dryRun: false, default);

    private Task Check(InstallationKind kind = InstallationKind.Development) => Schema.Check(_database.DataSources, kind, default);

    private Task<SchemaException> IsRefused(InstallationKind kind = InstallationKind.Development) => Assert.ThrowsAsync<SchemaException>(() => Check(kind));
}
