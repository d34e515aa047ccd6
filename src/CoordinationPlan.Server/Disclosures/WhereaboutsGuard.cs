using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Protection;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;

namespace CoordinationPlan.Server.Disclosures;

/// <summary>
/// Compares what is written for those who are not to know with where the person is. Only for writers who may know it themselves: anybody else would be told of it
/// by the refusal.
/// </summary>
internal sealed class WhereaboutsGuard
{
    private readonly Pending<Loaded<WhereaboutsRecord>> _whereabouts;
    private readonly Pending<List<TellingUnit>> _units;

    private WhereaboutsGuard(Pending<Loaded<WhereaboutsRecord>> whereabouts, Pending<List<TellingUnit>> units) => (_whereabouts, _units) = (whereabouts, units);

    /// <summary>Asks for what is compared with, together with the rest of the call.</summary>
    public static WhereaboutsGuard Load(RoundTrip trip, Guid plan, DirectoryNames names) =>
        new(trip.Add(ProtectionSql.Whereabouts(plan)), trip.Add(DisclosureSql.TellingUnits(plan, names)));

    /// <summary>Refuses texts that tell where the person is. That the person goes to a school is no secret to the school, so schools are not looked for.</summary>
    public async Task Require(Entry entry, IEnumerable<(string Field, string Text)> texts, CancellationToken stop)
    {
        if (entry.Permit.Reads.HasFlag(Categories.Whereabouts) && _whereabouts.Value.State is { } record)
        {
            var search = await Search(entry, record, _units.Value.Where(unit => !unit.IsSchool), stop);
            if (texts.SelectMany(text => search.In(text.Text, text.Field)).ToList() is { Count: > 0 } findings)
            {
                throw Errors.WhereaboutsFound(findings);
            }
        }
    }

    /// <summary>What documents and texts are searched by.</summary>
    public static async Task<WhereaboutsSearch> Search(Entry entry, WhereaboutsRecord record, IEnumerable<TellingUnit> units, CancellationToken stop)
    {
        var whereabouts = new Whereabouts();
        if (record is { Sealed: { } body, Key: { } wrapped })
        {
            using var key = await entry.SubjectKeys.Unwrap(Compartment.Whereabouts, wrapped, stop);
            whereabouts = Whereabouts.Parser.ParseFrom(key.Open(WhereaboutsRecord.Place(record.SubjectId, record.Version), body));
        }

        return new WhereaboutsSearch(whereabouts, units);
    }
}
