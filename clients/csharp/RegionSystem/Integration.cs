using CoordinationPlan.Client;
using CoordinationPlan.V1;
using Google.Protobuf.Collections;
using Grpc.Core;

namespace CoordinationPlan.RegionSystem;

/// <summary>
/// Keeps the database in step: hears what changes, confirms it, forgets what is recalled, and sends what is to be reported. Everything that it is in the middle of stands in
/// the database, so it can be stopped anywhere and begun again.
/// </summary>
internal sealed class Integration(CoordinationPlanClients clients, Store store, Outgoing outgoing, Patience patience)
{
    private const int PageSize = 100;
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestQuiet = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan LookForOutgoing = TimeSpan.FromSeconds(2);

    /// <summary>The feed's etag, from the latest answer.</summary>
    /// <summary>The receipts of what has been overwritten by this process; another overwrites it once more.</summary>
    private readonly HashSet<string> _overwritten = [];

    private string _etag = "";

    /// <summary>Until there is nothing more to hear, to confirm or to send.</summary>
    /// <exception cref="TimeoutException">The service does not give the snapshot that it has begun, or not the change that something waits for.</exception>
    public async Task RunOnce(CancellationToken stop)
    {
        for (var quietSince = TimeProvider.System.GetTimestamp(); ;)
        {
            await outgoing.Send(stop);
            var standing = store.Standing();
            var page = await Pull(standing.Cursor, stop);
            var more = page is null || await Take(standing.Cursor, page.Changes, page.NextCursor, page.Etag, page.ResyncRequired, stop) || page.More;
            standing = store.Standing();
            if (!more && !standing.AwaitsSnapshot && !standing.IsUnconfirmed && !outgoing.HasMore)
            {
                return;
            }

            if (more)
            {
                quietSince = TimeProvider.System.GetTimestamp();
            }
            else if (TimeProvider.System.GetElapsedTime(quietSince) > LongestQuiet)
            {
                throw new TimeoutException("The service does not give what it has begun.");
            }
            else
            {
                // The service puts the snapshot or the latest changes in order, or another process has confirmed meanwhile and the etag is new.
                await Task.Delay(Soon, TimeProvider.System, stop);
            }
        }
    }

    /// <summary>As it happens, until it is told to stop.</summary>
    public Task Watch(CancellationToken stop) => WhicheverEndsFirst(WatchChanges, WatchOutgoing, stop);

    private async Task WatchChanges(CancellationToken stop)
    {
        for (var attempt = 0; ;)
        {
            var cursor = store.Standing().Cursor;
            try
            {
                using var stream = clients.Changes.WatchChanges(new() { Cursor = cursor, PageSize = PageSize }, cancellationToken: stop);
                while (await stream.ResponseStream.MoveNext(stop))
                {
                    attempt = 0;
                    var message = stream.ResponseStream.Current;
                    await Take(cursor, message.Changes, message.NextCursor, message.Etag, message.ResyncRequired, stop);
                    // Where the file stands elsewhere now, another stream goes on from there.
                    if (message.ResyncRequired || store.Standing().Cursor != message.NextCursor)
                    {
                        break;
                    }

                    cursor = message.NextCursor;
                }
            }
            catch (RpcException error) when (error.StatusCode == StatusCode.InvalidArgument && error.Reason() == ErrorReason.InvalidPageToken)
            {
                GoBack(cursor);
            }
            catch (RpcException error) when (Patience.IsPassing(error, stop))
            {
                await patience.Wait("WatchChanges", error, attempt++, stop);
            }
        }
    }

    private async Task WatchOutgoing(CancellationToken stop)
    {
        while (true)
        {
            try
            {
                await outgoing.Send(stop);
            }
            catch (RpcException error) when (Patience.IsPassing(error, stop))
            {
                Journal.Write($"to be sent later: {error.StatusCode} {error.Reason()}");
            }

            await Task.Delay(LookForOutgoing, TimeProvider.System, stop);
        }
    }

    /// <summary>The next changes; null where the cursor is none that was given to this system, and it begins anew.</summary>
    private async Task<PullChangesResponse?> Pull(string cursor, CancellationToken stop)
    {
        try
        {
            return await patience.Until("PullChanges", () => clients.Changes.PullChangesAsync(new() { Cursor = cursor, PageSize = PageSize }, cancellationToken: stop).ResponseAsync, stop);
        }
        catch (RpcException error) when (error.StatusCode == StatusCode.InvalidArgument && error.Reason() == ErrorReason.InvalidPageToken)
        {
            GoBack(cursor);
            return null;
        }
    }

    /// <summary>Whether there may be more at once.</summary>
    private async Task<bool> Take(string cursor, RepeatedField<Change> changes, string next, string etag, bool resyncRequired, CancellationToken stop)
    {
        // A message that only keeps the connection alive says nothing of it.
        _etag = etag.Length > 0 ? etag : _etag;
        if (resyncRequired)
        {
            await BeginAnew(cursor, stop);
            return true;
        }

        if (store.Take(cursor, changes, next, TimeProvider.System.GetUtcNow()) is not { } taken)
        {
            Journal.Write("another process has gone on with this file");
            return false;
        }

        if (changes.Any(change => change.Kind == ChangeKind.SnapshotEnd))
        {
            store.WriteAnew();
        }

        if (changes.Count > 0)
        {
            Journal.Write($"took {taken.Applied} changes, {taken.Recalls} of them recalls; {taken.SeenBefore} had been seen before");
        }

        await Confirm(stop);
        return changes.Count > 0;
    }

    /// <summary>
    /// Where the cursor is from before the latest snapshot, that snapshot is heard from its beginning. Only where there is none, or not all of it is kept any more, is there to be another,
    /// so that two who listen do not send each other back for ever.
    /// </summary>
    private async Task BeginAnew(string cursor, CancellationToken stop)
    {
        if (cursor.Length > 0)
        {
            GoBack(cursor);
            return;
        }

        Journal.Write("a snapshot is needed");
        var request = new StartChangesRequest { Etag = _etag, RequestId = RequestId.New() };
        try
        {
            var started = await patience.Until("StartChanges", () => clients.Changes.StartChangesAsync(request, cancellationToken: stop).ResponseAsync, stop);
            _etag = started.Etag;
            store.GoBack("", started.Cursor);
        }
        catch (RpcException error) when (error.Reason() == ErrorReason.StaleEtag)
        {
            // Another process has begun meanwhile: its snapshot is as good.
        }
    }

    private void GoBack(string cursor)
    {
        Journal.Write("the cursor is not good any more: hears everything from the snapshot on");
        store.GoBack(cursor, "");
    }

    private async Task Confirm(CancellationToken stop)
    {
        var forgotten = store.ToConfirm();
        if (forgotten.Exists(forgetting => !_overwritten.Contains(forgetting.Receipt)))
        {
            store.WriteAnew();
            _overwritten.UnionWith(forgotten.Select(forgetting => forgetting.Receipt));
        }

        foreach (var forgetting in forgotten)
        {
            var request = new AcknowledgeRecallRequest { Name = forgetting.Recall, Receipt = forgetting.Receipt, Etag = forgetting.Etag, RequestId = forgetting.RequestId };
            try
            {
                await patience.Until("AcknowledgeRecall", () => clients.Changes.AcknowledgeRecallAsync(request, cancellationToken: stop).ResponseAsync, stop);
                Journal.Write("confirmed a recall");
            }
            catch (RpcException error) when (error.Reason() == ErrorReason.WrongState)
            {
                Journal.Write("a recall was confirmed before, by a copy of this system");
            }
            catch (RpcException error) when (error.Reason() is ErrorReason.AccessDenied or ErrorReason.StaleEtag)
            {
                // The assignment is not in force for now. It stays to be confirmed: a refusal does not say why.
                Journal.Write($"a recall is not confirmed yet: {error.Reason()}");
                continue;
            }

            store.Confirmed(forgetting);
        }

        if (store.Standing() is not { IsUnconfirmed: true, Cursor: { Length: > 0 } cursor })
        {
            return;
        }

        var rejections = store.Rejections();
        try
        {
            if (!await Acknowledge(cursor, rejections, stop))
            {
                // A message of a stream that was under way when this system confirmed last has the etag from before: the one of now is asked for.
                _etag = (await patience.Until("PullChanges", () => clients.Changes.PullChangesAsync(new() { Cursor = cursor, PageSize = 1 }, cancellationToken: stop).ResponseAsync, stop)).Etag;
                if (!await Acknowledge(cursor, rejections, stop))
                {
                    // Another process confirms at the same time: with the next answer.
                    Journal.Write("not confirmed yet: another has confirmed in between");
                }
            }
        }
        catch (RpcException error) when (error.Reason() == ErrorReason.InvalidPageToken)
        {
            // Another process has begun anew meanwhile: with the next answer.
            Journal.Write("not confirmed yet: another snapshot has begun");
        }
        catch (RpcException error) when (error.Reason() == ErrorReason.UnknownReference)
        {
            // What could not be processed is not kept by the service any more.
            store.Confirmed("", rejections);
        }
    }

    /// <summary>False where the feed has been confirmed or begun anew since the etag was given.</summary>
    private async Task<bool> Acknowledge(string cursor, List<Rejection> rejections, CancellationToken stop)
    {
        var request = new AcknowledgeChangesRequest { Cursor = cursor, Rejections = { rejections }, Etag = _etag, RequestId = RequestId.New() };
        try
        {
            _etag = (await patience.Until("AcknowledgeChanges", () => clients.Changes.AcknowledgeChangesAsync(request, cancellationToken: stop).ResponseAsync, stop)).Etag;
        }
        catch (RpcException error) when (error.Reason() == ErrorReason.StaleEtag)
        {
            return false;
        }

        store.Confirmed(cursor, rejections);
        return true;
    }

    private static async Task WhicheverEndsFirst(Func<CancellationToken, Task> one, Func<CancellationToken, Task> other, CancellationToken stop)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task[] both = [one(end.Token), other(end.Token)];
        var first = await Task.WhenAny(both);
        await end.CancelAsync();
        await Task.WhenAll(both).ContinueWith(_ => { }, TaskScheduler.Default);
        await first;
    }
}
