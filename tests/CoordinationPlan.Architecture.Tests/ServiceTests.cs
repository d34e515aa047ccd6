using System.Text.RegularExpressions;
using Google.Protobuf.Reflection;

namespace CoordinationPlan.Architecture.Tests;

/// <summary>A service names its act and its work; the gate is the only way into a case.</summary>
public sealed partial class ServiceTests
{
    // Whatever extends a class of the contract: messages are sealed, so that is a service.
    private static readonly Type[] Services =
    [
        .. typeof(Server.Hosting.CoordinationPlanHost).Assembly.GetTypes().Where(type => type.BaseType?.Assembly == typeof(V1.PlanService).Assembly),
    ];

    [Fact]
    public void Every_service_of_the_contract_is_one_class()
    {
        var contract = typeof(V1.PlanService).Assembly.GetTypes()
            .Select(type => type.GetProperty("Descriptor", typeof(ServiceDescriptor))?.GetValue(null) as ServiceDescriptor)
            .OfType<ServiceDescriptor>()
            .Select(service => service.Name);

        Assert.Equal(contract.Order(), Services.Select(service => service.Name).Order());
    }

    [Fact]
    public void A_service_never_opens_a_connection()
    {
        Assert.NotEmpty(Services);
        var offences =
            from service in Services
            from file in Source.OfTheServer
            where file.Text.Contains($" class {service.Name}", StringComparison.Ordinal)
            from use in Connection().Matches(file.Text)
            select $"{file.Path} mentions {use.Value}";

        Assert.Empty(offences);
    }

    [Fact]
    public void Every_service_is_given_the_gate() =>
        Assert.All(
            Services,
            service => Assert.Contains(Assert.Single(service.GetConstructors()).GetParameters(), parameter => parameter.ParameterType.Name == "CaseGate"));

    [Fact]
    public void The_FHIR_door_has_no_way_to_anything_but_the_contracts_own_calls()
    {
        var door = Source.OfTheServer.Where(file => file.Slice == "Fhir").ToList();
        Assert.NotEmpty(door);
        var offences =
            from file in door
            from use in WaysIn().Matches(file.Text)
            select $"{file.Path} mentions {use.Value}";

        Assert.Empty(offences);
    }

    [GeneratedRegex(@"\b(Npgsql\w*|DataSources|Transactions)\b")]
    private static partial Regex Connection();

    [GeneratedRegex(@"\b(Npgsql\w*|DataSources|Transactions|RoundTrip|CaseGate|\w+Sql|\w+Keys|DataKey|AccessPolicy|Redaction)\b")]
    private static partial Regex WaysIn();
}
