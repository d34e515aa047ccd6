using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Hosting;
using CoordinationPlan.TransparencyLog;
using CoordinationPlan.TransparencyLog.Client;
using Npgsql;

namespace CoordinationPlan.Server.Log;

/// <summary>
/// Those who see every checkpoint before it is published and sign only what follows from what they have seen: run by others than the operator. As many as are needed
/// must have signed; one that does not answer holds nothing up where the others suffice, and one that has seen another history holds up everything.
/// </summary>
internal sealed class Witnesses : IDisposable
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    private readonly HttpClient _http;
    private readonly (Uri Address, NoteVerifier Key)[] _witnesses;
    private readonly WitnessPolicy _policy;
    // A client remembers what its witness signed last: one for each log and witness.
    private readonly Dictionary<(string LogId, string Witness), WitnessClient> _clients = [];

    public Witnesses(LogOptions options, HttpMessageHandler? handler = null)
    {
        _witnesses = [.. options.Witnesses.Select(witness => (new Uri(witness.Address), NoteVerifier.Parse(witness.Key)))];
        _policy = new WitnessPolicy(options.WitnessesNeeded ?? _witnesses.Length, [.. _witnesses.Select(witness => witness.Key)]);
        _http = new HttpClient(handler ?? new SocketsHttpHandler()) { Timeout = LongestWait };
    }

    /// <summary>The checkpoint with the witnesses' signatures; null where too few have signed now, and it is to be tried again.</summary>
    /// <exception cref="LogFaultException">A witness has signed another history.</exception>
    public async Task<SignedNote?> Cosign(LogState state, SignedNote checkpoint, NpgsqlConnection connection, CancellationToken stop)
    {
        var size = Checkpoint.Parse(checkpoint.Text).Size;
        // One after the other: they share the connection that proofs are made from.
        foreach (var (address, key) in _witnesses)
        {
            if (!_clients.TryGetValue((state.LogId, key.Name), out var client))
            {
                _clients[(state.LogId, key.Name)] = client = new WitnessClient(_http, address, key);
            }

            try
            {
                checkpoint = checkpoint.With(await Ask(client, state, checkpoint, size, connection, stop));
            }
            catch (WitnessRefusedException refusal) when (refusal.Reason == WitnessRefusal.Ahead)
            {
                throw new LogFaultException(refusal.Message);
            }
            catch (WitnessRefusedException)
            {
                // Whether the others suffice is seen below.
            }
        }

        return _policy.IsMetBy(checkpoint) ? checkpoint : null;
    }

    public void Dispose() => _http.Dispose();

    /// <summary>From which size the witness wants a proof shows only when it is asked; the tiles of it are then read, and it is asked again.</summary>
    private static async Task<NoteSignature> Ask(WitnessClient client, LogState state, SignedNote checkpoint, long size, NpgsqlConnection connection, CancellationToken stop)
    {
        var tiles = new Dictionary<(int, long), byte[]>();
        while (true)
        {
            try
            {
                return await client.Cosign(checkpoint, from => Prove(from, size, tiles), stop);
            }
            catch (TilesNeededException missing)
            {
                var trip = new RoundTrip(connection);
                var read = trip.Add(LogSql.Tiles(state.Log, missing.Tiles));
                await trip.Run(stop);
                foreach (var tile in missing.Tiles)
                {
                    tiles[(tile.Level, tile.Index)] = TreeTiles.Of(read.Value)(tile);
                }
            }
        }
    }

    private static List<TreeHash> Prove(long from, long size, Dictionary<(int, long), byte[]> tiles)
    {
        if (from == 0)
        {
            return [];
        }

        var missing = new HashSet<TilePath>();
        Consistency.Prove(from, size, (level, index) =>
        {
            var tile = TreeTiles.Holding(level, index, size);
            if (!tiles.ContainsKey((tile.Level, tile.Index)))
            {
                missing.Add(tile);
            }

            return TreeHash.Empty;
        });
        return missing.Count == 0 ? Consistency.Prove(from, size, new TileNodes(size, TreeTiles.Of(tiles)).Node) : throw new TilesNeededException(missing);
    }

    private sealed class TilesNeededException(IReadOnlyCollection<TilePath> tiles) : Exception
    {
        public IReadOnlyCollection<TilePath> Tiles => tiles;
    }
}
