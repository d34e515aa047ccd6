using System.Buffers.Binary;
using System.Text.RegularExpressions;
using CoordinationPlan.Policy;
using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Hosting;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Hosting;

namespace CoordinationPlan.Server.Changes;

/// <summary>The feed of changes for systems. What each RPC does and who may call it stands in change_feed_service.proto.</summary>
internal sealed partial class ChangeFeedService(
    CaseGate gate,
    PageTokens tokens,
    DirectoryNames names,
    LawOptions law,
    FeedOptions options,
    CallLimits limits,
    ChangeSignals signals,
    ChangeMetrics metrics,
    TimeProvider time,
    IHostApplicationLifetime lifetime)
    : V1.ChangeFeedService.ChangeFeedServiceBase
{
    private const int DefaultPageSize = 100;
    private const int MaxPageSize = 200;

    /// <summary>What a token that does not say when it expires is good for.</summary>
    private static readonly TimeSpan UnknownExpiry = TimeSpan.FromMinutes(5);

    public override Task<StartChangesResponse> StartChanges(StartChangesRequest request, ServerCallContext context)
    {
        var caller = CallerIdentity.Of(context, names);
        return gate.Change(
            request,
            context,
            null,
            trip =>
            {
                // Where there is no feed yet there is no row to lock.
                trip.Add(LocksSql.Name(FeedOf(caller)));
                return trip.Add(ChangeSql.Receiver(caller));
            },
            (entry, feed, trip) =>
            {
                Entry.RequireEtag(request.Etag, ReceiverRecord.EtagOf(feed.Receiver));
                var (assignment, purpose) = (caller.AssignmentId!, caller.Purpose);
                trip.Add(feed.Receiver is { } receiver ? ChangeSql.BeginAnew(receiver) : ChangeSql.Begin(assignment, purpose, caller.ClientSystem));
                trip.Add(ChangeSql.AskForSnapshot(assignment, purpose, caller.ClientSystem));
                return new StartChangesResponse
                {
                    Cursor = feed.Receiver is { } again ? Cursor(caller, again.Snapshot + 1, again.Position) : Cursor(caller, 1, 0),
                    Etag = feed.Receiver is { } of ? (of with { Version = of.Version + 1 }).Etag : ReceiverRecord.EtagOf(assignment, purpose, 1),
                };
            });
    }

    public override Task<PullChangesResponse> PullChanges(PullChangesRequest request, ServerCallContext context) =>
        gate.Read<PullChangesResponse>(request, context, null, async (entry, trip) =>
        {
            var batch = await Batch(entry, trip, request.Cursor, PageSize(request.PageSize), context.CancellationToken);
            var response = new PullChangesResponse
            {
                Changes = { batch.Changes },
                NextCursor = batch.Cursor,
                Etag = batch.Etag,
                ResyncRequired = batch.ResyncRequired,
                More = batch.More,
            };
            return () => response;
        });

    public override async Task WatchChanges(WatchChangesRequest request, IServerStreamWriter<WatchChangesResponse> responses, ServerCallContext context)
    {
        var caller = CallerIdentity.Of(context, names);
        var feed = new FeedKey(caller.AssignmentId ?? "", caller.Purpose, caller.ClientSystem);
        var (ends, began) = (LongestStream(context), TimeProvider.System.GetTimestamp());
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopping);
        var clientSystem = CallLimits.ClientSystemOf(context.GetHttpContext().User);
        using var open = limits.OpenStream(clientSystem);
        metrics.StreamOpened();
        try
        {
            var (cursor, cost) = (request.Cursor, 0);
            // The first was paid for by the call. Whoever has called for more than its share gets the next later, as long as the stream may last.
            while (ends - TimeProvider.System.GetElapsedTime(began) is var left && left > TimeSpan.Zero && await limits.TakeWhenThereIsRoom(clientSystem, cost, left, stop.Token))
            {
                cost = Contract.MethodOf(context.Method).Cost;
                // Before the feed is looked at: what is put in order meanwhile wakes at once.
                var sign = await signals.Now(feed, stop.Token);
                var day = time.Today();
                var (message, more) = await Next(request, cursor, context);
                cursor = message.NextCursor;
                await responses.WriteAsync(message, stop.Token);
                if (message.ResyncRequired)
                {
                    return;
                }

                // What is not all is followed by the next; a slow reader holds up its own stream alone, and nothing in the database. With another day an assignment can be over.
                while (message.Changes.Count == 0 && !more && time.Today() == day && TimeProvider.System.GetElapsedTime(began) is var age && age < ends
                    && !await signals.Wait(feed, sign, Shorter(options.Heartbeat, ends - age), stop.Token))
                {
                    await responses.WriteAsync(new WatchChangesResponse { NextCursor = cursor }, stop.Token);
                }
            }
        }
        catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested && !context.CancellationToken.IsCancellationRequested)
        {
            throw Errors.Unavailable();
        }
        finally
        {
            metrics.StreamClosed();
        }
    }

    public override Task<AcknowledgeChangesResponse> AcknowledgeChanges(AcknowledgeChangesRequest request, ServerCallContext context)
    {
        var caller = CallerIdentity.Of(context, names);
        var rejected = request.Rejections.Select((rejection, i) => (Event: ParseEvent(rejection.Event, $"rejections[{i}].event"), rejection.Reason)).DistinctBy(rejection => rejection.Event).ToList();
        return gate.ChangeAsync(
            request,
            context,
            null,
            trip => trip.Add(ChangeSql.Receiver(caller)),
            async (entry, feed, trip) =>
            {
                Entry.RequireEtag(request.Etag, ReceiverRecord.EtagOf(feed.Receiver));
                if (feed.Receiver is not { } receiver || Open(caller, request.Cursor) is not { } place || place.Snapshot != receiver.Snapshot || place.Position > receiver.Position)
                {
                    throw Errors.InvalidCursor();
                }

                if (rejected.Count > 0)
                {
                    var find = entry.NewTrip();
                    var delivered = find.Add(ChangeSql.Delivered(receiver.Receiver, place.Position, [.. rejected.Select(rejection => rejection.Event)]));
                    await find.Run(context.CancellationToken);
                    if (rejected.FindIndex(rejection => !delivered.Value.Contains(rejection.Event)) is var unknown and >= 0)
                    {
                        throw Errors.UnknownReference($"rejections[{unknown}].event", "must be a change that was delivered and lies before the cursor");
                    }

                    trip.Add(ChangeSql.Reject(receiver.Receiver, rejected));
                }

                trip.Add(ChangeSql.Hold(receiver, place.Position, entry.Now));
                trip.Add(ChangeSql.Acknowledge(receiver, place.Position, entry.Now));
                return new AcknowledgeChangesResponse { Etag = (receiver with { Version = receiver.Version + 1 }).Etag };
            });
    }

    public override Task<AcknowledgeRecallResponse> AcknowledgeRecall(AcknowledgeRecallRequest request, ServerCallContext context)
    {
        var recallId = ResourceName.ParseRecall(request.Name, "name");
        if (!Receipt().IsMatch(request.Receipt))
        {
            throw Errors.InvalidFields(new FieldFault("receipt", "must be 1 to 64 letters, digits, hyphens, full stops or underscores"));
        }

        var caller = CallerIdentity.Of(context, names);
        return gate.Change(
            request,
            context,
            null,
            trip => trip.Add(ChangeSql.Recall(recallId, caller)),
            (entry, own, trip) =>
            {
                if (own.Found is not { } found)
                {
                    // Another system's, or none: the same.
                    throw Errors.AccessDenied();
                }

                if (found.Recall.AcknowledgedAt is not null)
                {
                    throw Errors.WrongState("The recall is confirmed already.", "recall");
                }

                Entry.RequireEtag(request.Etag, found.Recall.Etag);
                entry.Concern(null, found.SubjectId, found.OwnerController, Categories.Existence);
                var confirmed = found.Recall with { AcknowledgedAt = entry.Now, Version = found.Recall.Version + 1 };
                trip.Add(ChangeSql.Confirm(confirmed, request.Receipt));
                return new AcknowledgeRecallResponse { Recall = confirmed.ToRecall(names) };
            });
    }

    public override Task<ListDeliveriesResponse> ListDeliveries(ListDeliveriesRequest request, ServerCallContext context)
    {
        var planId = ResourceName.ParsePlan(request.Parent, "parent");
        return gate.Read(request, context, planId, (entry, trip) =>
        {
            var mayRead = entry.Permit.Reads.HasFlag(Categories.ConsentDocuments);
            var deliveries = mayRead ? trip.Add(ChangeSql.Deliveries(planId)) : null;
            var recalls = mayRead ? trip.Add(ChangeSql.Recalls(planId)) : null;
            return Task.FromResult(() => new ListDeliveriesResponse
            {
                Deliveries =
                {
                    deliveries?.Value.Where(delivery => entry.Sight.MayName(delivery.UnitKind, delivery.UnitId))
                        .Select(delivery => ToDelivery(delivery, recalls!.Value.Where(recall => (recall.Receiver, recall.UnitId) == (delivery.Receiver, delivery.UnitId)))) ?? [],
                },
            });
        });
    }

    /// <summary>One message of a stream: decided and logged like a call of its own.</summary>
    private async Task<(WatchChangesResponse Message, bool More)> Next(WatchChangesRequest request, string cursor, ServerCallContext context)
    {
        var more = false;
        var (response, receipt) = await gate.ReadBatch<WatchChangesResponse>(request, context, async (entry, trip) =>
        {
            var batch = await Batch(entry, trip, cursor, PageSize(request.PageSize), context.CancellationToken);
            more = batch.More;
            var response = new WatchChangesResponse { Changes = { batch.Changes }, NextCursor = batch.Cursor, Etag = batch.Etag, ResyncRequired = batch.ResyncRequired };
            return () => response;
        });
        response.Receipt = ByteString.CopyFrom(receipt);
        return (response, more);
    }

    private async Task<ChangeBatch> Batch(Entry entry, RoundTrip trip, string cursor, int pageSize, CancellationToken stop)
    {
        var given = Open(entry.Caller, cursor);
        var find = entry.NewTrip();
        var found = find.Add(ChangeSql.Receiver(entry.Caller));
        await find.Run(stop);
        if (found.Value.State!.Receiver is not { } receiver)
        {
            entry.ConcernNobody();
            return new ChangeBatch([], "", ReceiverRecord.NewEtag, ResyncRequired: true);
        }

        var after = given is null ? receiver.SnapshotAfter : given.Value.Position;
        if ((given is { } place && (place.Snapshot != receiver.Snapshot || place.Position > receiver.Position)) || after < receiver.Removed)
        {
            entry.ConcernNobody();
            return new ChangeBatch([], "", receiver.Etag, ResyncRequired: true);
        }

        var batch = new OutgoingBatch(entry, receiver, names, law);
        await batch.Fill(after, pageSize, stop);
        batch.Note(trip);
        metrics.Delivered(batch.Changes.Count);
        return new ChangeBatch(batch.Changes, Cursor(entry.Caller, receiver.Snapshot, batch.Position), receiver.Etag, ResyncRequired: false, batch.More);
    }

    private Delivery ToDelivery(DeliveryRecord record, IEnumerable<RecalledRecord> recalls) => new()
    {
        Organisation = names.Name(ResourceName.Organisations, record.OrganisationId),
        System = names.Name(ResourceName.Systems, record.ClientSystem),
        Unit = names.Name(ResourceName.Units, record.UnitId),
        Categories = { CategorySets.ToList(record.Told) },
        Revision = record.HeldRevision,
        RevisionTime = ToTimestamp(record.HeldSince),
        WaitingSinceTime = ToTimestamp(record.WaitingSince),
        Rejected = record.Rejected,
        Recalls =
        {
            recalls.Select(recall => new DeliveredRecall
            {
                Categories = { CategorySets.ToList(recall.Categories) },
                CreateTime = ToTimestamp(recall.CreatedAt),
                DueTime = ToTimestamp(recall.DueAt),
                AcknowledgeTime = ToTimestamp(recall.AcknowledgedAt),
                Receipt = recall.Receipt,
            }),
        },
    };

    /// <summary>A place in the caller's feed. It proves nothing: what comes after it is decided again.</summary>
    private string Cursor(CallerIdentity caller, int snapshot, long position)
    {
        Span<byte> place = stackalloc byte[12];
        BinaryPrimitives.WriteInt32BigEndian(place, snapshot);
        BinaryPrimitives.WriteInt64BigEndian(place[4..], position);
        return tokens.SealCursor(place, FeedOf(caller));
    }

    private (int Snapshot, long Position)? Open(CallerIdentity caller, string cursor) => tokens.OpenCursor(cursor, FeedOf(caller)) is { } place
        ? (BinaryPrimitives.ReadInt32BigEndian(place), BinaryPrimitives.ReadInt64BigEndian(place.AsSpan(4)))
        : null;

    private static string FeedOf(CallerIdentity caller) => $"changes\n{caller.AssignmentId}\n{caller.ClientSystem}\n{(int)caller.Purpose}";

    private TimeSpan LongestStream(ServerCallContext context)
    {
        var expiry = context.GetHttpContext().Features.Get<IAuthenticateResultFeature>()?.AuthenticateResult?.Properties?.ExpiresUtc;
        return Shorter(options.LongestStream, expiry is { } at ? at - time.GetUtcNow() : UnknownExpiry);
    }

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private static Guid ParseEvent(string text, string field) =>
        Guid.TryParseExact(text, "D", out var id) ? id : throw Errors.InvalidFields(new FieldFault(field, "must be the event id of a change"));

    private static int PageSize(int asked) => asked <= 0 ? DefaultPageSize : Math.Min(asked, MaxPageSize);

    private static Timestamp? ToTimestamp(DateTimeOffset? at) => at is { } time ? Timestamp.FromDateTimeOffset(time) : null;

    [GeneratedRegex(@"\A[A-Za-z0-9._-]{1,64}\z")]
    private static partial Regex Receipt();

    /// <summary>One page of a feed.</summary>
    private sealed record ChangeBatch(IReadOnlyList<Change> Changes, string Cursor, string Etag, bool ResyncRequired, bool More = false);
}
