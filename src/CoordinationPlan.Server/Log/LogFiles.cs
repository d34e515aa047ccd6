using System.Globalization;
using CoordinationPlan.Server.Database;
using CoordinationPlan.TransparencyLog;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace CoordinationPlan.Server.Log;

/// <summary>
/// The logs as files, at the paths of C2SP tlog-tiles: <c>/log/{id}/{year}/checkpoint</c>, <c>…/tile/…</c>, <c>…/tile/entries/…</c>. They hold hashes and
/// commitments and nothing of persons; the port asks for a client certificate all the same, because sizes show how much an authority works. No calls of the
/// contract are answered there, and no files elsewhere.
/// </summary>
internal static class LogFiles
{
    private const string Root = "/log";
    private static readonly object OfTheLog = new();

    /// <summary>Marks the connections of the port that the files are served on.</summary>
    public static void MarkConnection(Microsoft.AspNetCore.Connections.ConnectionContext connection) => connection.Items[OfTheLog] = OfTheLog;

    /// <summary>Files on their own port and nothing else there.</summary>
    public static bool IsInPlace(HttpContext context) =>
        (context.Features.Get<IConnectionItemsFeature>()?.Items.ContainsKey(OfTheLog) ?? false) == context.Request.Path.StartsWithSegments(Root);

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet(Root + "/{id}/{year}/checkpoint", ServeCheckpoint).AllowAnonymous();
        endpoints.MapGet(Root + "/{id}/{year}/tile/{**tile}", ServeTile).AllowAnonymous();
    }

    private static async Task<IResult> ServeCheckpoint(string id, string year, HttpContext context, DataSources dataSources, CancellationToken stop)
    {
        await using var connection = await dataSources.For(DatabaseRole.LogReview).OpenConnectionAsync(stop);
        if (await Find(connection, id, year, stop) is not { } found)
        {
            return Results.NotFound();
        }

        context.Response.Headers.CacheControl = "no-cache";
        return Results.Text(found.Note, "text/plain", System.Text.Encoding.UTF8);
    }

    private static async Task<IResult> ServeTile(string id, string year, string tile, HttpContext context, DataSources dataSources, CancellationToken stop)
    {
        TilePath path;
        try
        {
            path = TilePath.Parse("tile/" + tile);
        }
        catch (FormatException)
        {
            return Results.NotFound();
        }

        await using var connection = await dataSources.For(DatabaseRole.LogReview).OpenConnectionAsync(stop);
        // Nothing that is not under the published checkpoint.
        if (await Find(connection, id, year, stop) is not { } found || !IsIn(path, Checkpoint.Parse(SignedNote.Parse(found.Note).Text).Size))
        {
            return Results.NotFound();
        }

        byte[] bytes;
        var trip = new RoundTrip(connection);
        if (path.IsEntries)
        {
            var from = path.Index * TilePath.FullWidth;
            var leaves = trip.Add(LogSql.Leaves(found.Log, from, from + path.Width));
            await trip.Run(stop);
            bytes = EntryBundle.Format(leaves.Value.Select(leaf => (ReadOnlyMemory<byte>)leaf.Commitment));
        }
        else
        {
            var hashes = trip.Add(LogSql.Tiles(found.Log, [path]));
            await trip.Run(stop);
            bytes = TreeTiles.Of(hashes.Value)(path);
        }

        // What is at a path never changes, whole or in part.
        context.Response.Headers.CacheControl = "max-age=31536000, immutable";
        return Results.Bytes(bytes, "application/octet-stream");
    }

    private static bool IsIn(TilePath path, long size)
    {
        var shift = Math.Max(path.Level, 0) * 8;
        return shift <= 56 && path.Index <= size >> shift >> 8 && (path.Index * TilePath.FullWidth) + path.Width <= size >> shift;
    }

    private static async Task<(int Log, string Note)?> Find(Npgsql.NpgsqlConnection connection, string id, string year, CancellationToken stop)
    {
        var first = new RoundTrip(connection);
        var state = first.Add(LogSql.StateOf(string.Create(CultureInfo.InvariantCulture, $"{id}/{year}")));
        await first.Run(stop);
        if (state.Value is not { } log)
        {
            return null;
        }

        var second = new RoundTrip(connection);
        var note = second.Add(LogSql.CheckpointOf(log.Log));
        await second.Run(stop);
        return note.Value is null ? null : (log.Log, note.Value);
    }
}
