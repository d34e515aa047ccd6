using CoordinationPlan.Client;
using CoordinationPlan.Development.Demonstration;
using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Tests.Faults;
using CoordinationPlan.V1;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;

namespace CoordinationPlan.Server.Tests.Changes;

/// <summary>A region's system to which everything happens: it pulls changes and reports participations, by a service that is killed, and forgets what it had not yet kept.</summary>
internal sealed class Region(Service service, CoordinationPlanClients clients, Random random)
{
    private static readonly DemonstrationEmployee[] _units = [DemonstrationDirectory.PrimaryCare, DemonstrationDirectory.ChildPsychiatry, DemonstrationDirectory.Ward];

    private readonly List<(string Cursor, HeldData Store)> _kept = [];
    private readonly List<(string Plan, Categories Told)> _batches = [];

    /// <summary>All that it has ever said, the newest last.</summary>
    private readonly List<ParticipationItem> _said = [];

    private string _cursor = "";

    public HeldData Store { get; private set; } = new();

    public int Kills { get; private set; }

    public int Delivered { get; private set; }

    public int Items { get; private set; }

    /// <summary>What each batch told of a plan.</summary>
    public IEnumerable<Categories> DeliveredOf(Plan plan) => _batches.Where(batch => batch.Plan == plan.Name).Select(batch => batch.Told);

    public IEnumerable<ParticipationItem> NewestOf(Plan plan) =>
        _said.Where(item => item.Plan == plan.Name).GroupBy(item => (item.Unit, item.ExternalId)).Select(same => same.MaxBy(item => item.ExternalVersion)!);

    /// <summary>Begins anew, and hears the snapshot.</summary>
    public async Task Begin()
    {
        await service.Settled();
        var start = new StartChangesRequest { Etag = (await Pull(1)).Etag, RequestId = Cases.NewId() };
        _cursor = (await clients.Changes.StartChangesAsync(start)).Cursor;
        await service.Settled();
        await HearAll();
        _kept.Add((_cursor, Store.Copy()));
    }

    /// <summary>One batch. Now and then it is lost, or what it changed is not kept.</summary>
    public async Task Hear()
    {
        var page = await Pull(random.Next(1, 10));
        if (random.Next(4) == 0)
        {
            return;
        }

        Store.Apply(page.Changes);
        _cursor = page.NextCursor;
        if (random.Next(2) == 0)
        {
            _kept.Add((_cursor, Store.Copy()));
        }
    }

    public async Task HearAll()
    {
        while (await Pull(random.Next(1, 50)) is { Changes.Count: > 0 } page)
        {
            Store.Apply(page.Changes);
            _cursor = page.NextCursor;
        }
    }

    /// <summary>The system dies and goes on from what it had kept: mostly from the last that it kept, sometimes from an older copy.</summary>
    public void Crash()
    {
        var (cursor, store) = _kept[random.Next(3) == 0 ? random.Next(_kept.Count) : ^1];
        (_cursor, Store) = (cursor, store.Copy());
    }

    /// <summary>Something changes in the region's own system. What it sends of it is lost, or comes together with what it said before, in any order.</summary>
    public async Task Say(Plan plan)
    {
        var unit = _units[random.Next(_units.Length)];
        var id = $"vårdrelation-{random.Next(2)}";
        var version = _said.Count(item => (item.Plan, item.Unit, item.ExternalId) == (plan.Name, Cases.UnitOf(unit), id)) + 1;
        _said.Add(Cases.Item(plan, unit, id, version, Cases.Period(0, 30 * random.Next(1, 12)), ended: random.Next(5) == 0));
        Items++;
        if (random.Next(4) > 0)
        {
            await Send([.. _said.Where(_ => random.Next(2) == 0).Append(_said[^1]).OrderBy(_ => random.Next())]);
        }
    }

    /// <summary>Everything is sent again, in any order. Answers which plans the service does not take it for.</summary>
    public async Task<HashSet<string>> SayAll()
    {
        var all = _said.OrderBy(_ => random.Next()).ToList();
        var results = await Send(all);
        Assert.All(results, result => Assert.True(result.Reason is ErrorReason.Unspecified or ErrorReason.AccessDenied, result.ToString()));
        return [.. results.Where(result => result.Reason == ErrorReason.AccessDenied).Select(result => all[result.Index].Plan)];
    }

    /// <summary>While both ways are under way.</summary>
    public async Task Kill(ServiceProcess process)
    {
        var calls = Task.WhenAll(Hear(), _said.Count > 0 ? Send(_said) : Task.CompletedTask);
        await Task.Delay(random.Next(30));
        await process.Kill();
        await process.Start();
        Kills++;
        await calls;
    }

    private async Task<IReadOnlyList<ParticipationItemResult>> Send(List<ParticipationItem> items)
    {
        var request = new BatchSyncParticipationsRequest { Items = { items }, RequestId = Cases.NewId() };
        return items.Count == 0 ? [] : (await Answered(() => clients.ParticipationSync.BatchSyncParticipationsAsync(request))).Results;
    }

    private async Task<PullChangesResponse> Pull(int pageSize)
    {
        var page = await Answered(() => clients.Changes.PullChangesAsync(new() { Cursor = _cursor, PageSize = pageSize }));
        Assert.True(_cursor.Length == 0 || !page.ResyncRequired);
        Delivered += page.Changes.Count;
        _batches.AddRange(page.Changes.Where(change => change.Plan.Length > 0).GroupBy(change => change.Plan).Select(of => (of.Key, of.Select(change => Tells(change)).Aggregate(Categories.None, (all, one) => all | one))));
        return page;
    }

    /// <summary>The categories of all that stands in a message, by the contract.</summary>
    private static Categories Tells(IMessage message) => message.Descriptor.Fields.InDeclarationOrder().Where(field => IsThere(field, message)).Aggregate(
        Categories.None, (all, field) => all | Redaction.CategoryOf(field) | (Redaction.IsLookedInto(field) ? Inside(field.Accessor.GetValue(message)) : Categories.None));

    private static Categories Inside(object value) =>
        value is IMessage message ? Tells(message) : ((System.Collections.IEnumerable)value).Cast<IMessage>().Aggregate(Categories.None, (all, one) => all | Tells(one));

    private static bool IsThere(FieldDescriptor field, IMessage message) => field.Accessor.GetValue(message) switch
    {
        null or "" or 0 or 0L or false => false,
        System.Collections.ICollection list => list.Count > 0,
        Enum value => Convert.ToInt32(value, System.Globalization.CultureInfo.InvariantCulture) != 0,
        _ => true,
    };

    /// <summary>As a careful client: again, until there is an answer.</summary>
    private static async Task<T> Answered<T>(Func<AsyncUnaryCall<T>> call)
    {
        for (var begin = TimeProvider.System.GetTimestamp(); ;)
        {
            try
            {
                return await call();
            }
            catch (RpcException error) when (error.StatusCode is StatusCode.Unavailable or StatusCode.Internal or StatusCode.Cancelled or StatusCode.Unknown
                && TimeProvider.System.GetElapsedTime(begin) < TimeSpan.FromSeconds(60))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
            }
        }
    }
}
