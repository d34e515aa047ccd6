using System.Globalization;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Server.Log;
using CoordinationPlan.Server.Tests.Everywhere;
using CoordinationPlan.TransparencyLog;
using CoordinationPlan.V1;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;

namespace CoordinationPlan.Server.Tests.Schooling;

/// <summary>What somebody is told who is not to know where a child is, and what there is to know of the places.</summary>
internal static class Looking
{
    /// <summary>Who looks: the school, its system, the guardian, and whoever gives out the log at the guardian's employer.</summary>
    public static readonly DemonstrationEmployee[] Lookers =
        [DemonstrationDirectory.School, DemonstrationDirectory.SchoolRegister, DemonstrationDirectory.Jonas, DemonstrationDirectory.RegionLogReviewer];

    /// <summary>Every sheltered housing of the directory; some with an employee.</summary>
    public static readonly DemonstrationEmployee[] Housings =
    [
        DemonstrationDirectory.Shelter, DemonstrationDirectory.Kruton, Housing("SE2120000142-HVILAN"), Housing("SE2120000142-SYRENEN"), Housing("KVINNOJOUREN"),
    ];

    private static readonly TypeRegistry ErrorDetails = TypeRegistry.FromFiles(ErrorDetailsReflection.Descriptor);

    /// <summary>One call, with everything that comes back. What would change something is a dry run.</summary>
    public static async Task<List<Told>> At(Service service, DemonstrationEmployee looker, MethodDescriptor method, IMessage request)
    {
        request.Descriptor.FindFieldByName("validate_only")?.Accessor.SetValue(request, true);
        var place = $"{looker.Id} {method.Name}";
        var answered = await World.Answer(service.As(looker), method, request);
        if (answered.Message is SearchAccessLogResponse found)
        {
            // What a system was told of in the feed has an entry for each time that it asked, which is chance here; what the feed tells has tests of its own.
            var others = found.Entries.Where(entry => entry.Act is not (Act.ReadChanges or Act.ReceiveChanges or Act.AcknowledgeChanges)).ToList();
            found.Entries.Clear();
            found.Entries.AddRange(others);
        }

        return
        [
            new(place, answered.Status.ToString()),
            .. answered.Metadata.Where(entry => entry.Key == AuditReceipts.Trailer).SelectMany(entry => In(Receipt.Parse(entry.ValueBytes), $"{place}:{entry.Key}")),
            .. answered.Metadata.Where(entry => entry.Key is not ("date" or "grpc-status-details-bin" or AuditReceipts.Trailer))
                .Select(entry => new Told($"{place}:{entry.Key}", entry.IsBinary ? Convert.ToBase64String(entry.ValueBytes) : entry.Value)),
            .. answered.Message is { } message ? Linkage.In(message, place) : [],
            .. answered.Details is { } error ? error.Details.SelectMany(detail => Unpacked(detail, $"{place}!")).Prepend(new($"{place}!", error.Message)) : [],
        ];
    }

    /// <summary>What the directory says of each housing: its unit, organisation and board, their names, and who works there.</summary>
    public static async Task<Dictionary<string, HashSet<string>>> HousingTokens(Service service)
    {
        var units = (await service.CaseWorker.Directory.ListUnitsAsync(new() { PageSize = 500 })).Units;
        return Housings.ToDictionary(housing => housing.UnitId, housing =>
        {
            var unit = units.Single(one => one.Name == Cases.UnitOf(housing));
            return new[] { housing.UnitId, unit.Name, unit.DisplayName, unit.Organisation, unit.Board }
                .Concat(housing.Id.Length == 0 ? [] : [housing.Id, housing.AssignmentId, housing.DisplayName])
                .SelectMany(Linkage.Tokens)
                .ToHashSet();
        });
    }

    private static IEnumerable<Told> In(Receipt receipt, string place) =>
    [
        new($"{place}/origin", receipt.Origin),
        new($"{place}/entry", receipt.Entry.ToString("D")),
        new($"{place}/time", receipt.Time.UtcDateTime.ToString("O", CultureInfo.InvariantCulture)),
        new($"{place}/leaf", receipt.Leaf.ToString()),
    ];

    private static IEnumerable<Told> Unpacked(Any detail, string place)
    {
        var type = Any.GetTypeName(detail.TypeUrl);
        return Linkage.In(ErrorDetails.Find(type).Parser.ParseFrom(detail.Value), place + type);
    }

    private static DemonstrationEmployee Housing(string unit) => new("", "", unit, Role.ShelterContactPerson, Purpose.SocialServicesCase);
}
