using CoordinationPlan.Server.Fhir;
using CoordinationPlan.Server.Tests.Everywhere;
using CoordinationPlan.V1;
using Google.Protobuf.Reflection;
using Hl7.Fhir.Model;

namespace CoordinationPlan.Server.Tests.Fhir;

/// <summary>What must hold of the mapping whatever is mapped.</summary>
public sealed class MappingTests
{
    /// <summary>Messages of which docs/fhir.md says, field by field, what becomes of them.</summary>
    public static TheoryData<string> Mapped =>
        [.. new[] { Plan.Descriptor, Participation.Descriptor, V1.Consent.Descriptor, UnitTask.Descriptor, AccessLogEntry.Descriptor }.Select(message => message.Name)];

    [Theory]
    [MemberData(nameof(Mapped))]
    public void Every_field_is_in_the_table_or_said_to_be_left_out(string message)
    {
        var documented = File.ReadAllText(Path.Combine(Machine.RepositoryRoot, "docs", "fhir.md"));
        var descriptor = new[] { Plan.Descriptor, Participation.Descriptor, V1.Consent.Descriptor, UnitTask.Descriptor, AccessLogEntry.Descriptor }.Single(found => found.Name == message);

        Assert.All(descriptor.Fields.InDeclarationOrder(), field => Assert.Contains($"`{field.Name}`", documented, StringComparison.Ordinal));
    }

    [Fact]
    public void What_an_RPC_does_is_a_reading_in_the_log_just_where_the_contract_says_that_it_has_no_side_effects()
    {
        foreach (var method in World.Methods)
        {
            var entry = new AccessLogEntry { Name = "accessLogEntries/1", Method = $"{method.Service.FullName}/{method.Name}", Employee = "employees/x" };
            var action = AuditEventResource.Of(entry).Action;
            var isReading = method.GetOptions()?.IdempotencyLevel == MethodOptions.Types.IdempotencyLevel.NoSideEffects;

            Assert.Equal((method.Name, isReading), (method.Name, action is AuditEvent.AuditEventAction.R or AuditEvent.AuditEventAction.E));
        }
    }

    [Fact]
    public void Where_who_acted_is_left_out_nobody_is_said_to_have_asked()
    {
        var hidden = AuditEventResource.Of(new AccessLogEntry { Name = "accessLogEntries/1", Method = "s/GetPlan", ClientSystem = "system" });
        var system = AuditEventResource.Of(new AccessLogEntry { Name = "accessLogEntries/1", Method = "s/GetPlan", ClientSystem = "system", Role = Role.SystemIntegration, Unit = "units/SE2321000016-VC" });

        Assert.DoesNotContain(hidden.Agent, agent => agent.Requestor == true);
        var asking = Assert.Single(system.Agent, agent => agent.Requestor == true);
        Assert.Equal("system", asking.Who!.Identifier!.Value);
        Assert.Single(asking.Extension);
    }

    [Theory]
    [InlineData("units/SE2321000016-VC", "urn:oid:1.2.752.29.4.19", "Organization")]
    [InlineData("employees/SE2321000016-E301", "urn:oid:1.2.752.29.4.19", "Practitioner")]
    [InlineData("organisations/2120000142", "urn:oid:2.5.4.97", "Organization")]
    [InlineData("units/12345678", "urn:coordinationplan:school-unit-code", "Organization")]
    [InlineData("employees/mentor@skolan.example", "urn:coordinationplan:directory-id", "Practitioner")]
    [InlineData("units/SE23210000-VC", "urn:coordinationplan:directory-id", "Organization")]
    public void An_entry_of_the_directory_is_called_what_it_is_called_in_Sweden_and_found_by_that_alone(string name, string system, string type)
    {
        var reference = FhirSystems.ToEntry(name);
        var (collection, id) = (name.Split('/')[0], name.Split('/')[1]);

        Assert.Equal((system, id, type), (reference.Identifier!.System, reference.Identifier.Value, reference.Type));
        Assert.Equal(name, FhirSystems.EntryOf(collection, system, id));
        Assert.Null(FhirSystems.EntryOf(collection, "http://example.org", id));
        Assert.Null(FhirSystems.EntryOf(collection, system, id + "/.."));
    }

    [Theory]
    [InlineData("W/\"1\"", "1")]
    [InlineData("\"abc\"", "abc")]
    [InlineData("*", null)]
    [InlineData("abc", null)]
    [InlineData("\"a\", \"b\"", null)]
    [InlineData("", null)]
    [InlineData("W/", null)]
    [InlineData("W/\"\"", "")]
    [InlineData(null, null)]
    public void A_version_is_one_entity_tag(string? header, string? version) => Assert.Equal(version, VersionIds.In(header));
}
