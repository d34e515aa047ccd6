using CoordinationPlan.Server.Access;
using CoordinationPlan.Server.Crypto;
using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Hosting;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.TransparencyLog;
using CoordinationPlan.V1;
using Google.Protobuf;
using Grpc.Core;

namespace CoordinationPlan.Server.Log;

/// <summary>Proofs of the log. What each RPC does and who may call it stands in audit_service.proto.</summary>
internal sealed partial class AuditService(CaseGate gate, LogNames names, AuditReceipts receipts, LogKeys keys, DirectoryNames directory, LawOptions law) : V1.AuditService.AuditServiceBase
{
    public override Task<ListLogsResponse> ListLogs(ListLogsRequest request, ServerCallContext context) =>
        gate.Read<ListLogsResponse>(request, context, null, (entry, trip) =>
        {
            var states = trip.Add(LogSql.StatesOf(ControllersOf(entry)));
            return Task.FromResult(() =>
            {
                var response = new ListLogsResponse { ReceiptKey = receipts.Verifier.ToString() };
                response.Logs.AddRange(states.Value.Select(found => new AuditLog
                {
                    Origin = names.Origin(found.State.LogId),
                    Year = found.State.Year,
                    Size = found.State.Size,
                    Key = keys.VerifierOf(names.Origin(found.State.LogId))?.ToString() ?? "",
                    Etag = EtagOf(found.State, found.Disposals),
                }));
                return response;
            });
        });

    public override Task<GetCheckpointResponse> GetCheckpoint(GetCheckpointRequest request, ServerCallContext context) =>
        gate.Read<GetCheckpointResponse>(request, context, null, async (entry, _) =>
        {
            var (_, note, _) = await Published(entry, request.Origin, context.CancellationToken);
            return () => new GetCheckpointResponse { Checkpoint = note.ToString() };
        });

    public override Task<GetInclusionProofResponse> GetInclusionProof(GetInclusionProofRequest request, ServerCallContext context)
    {
        var (origin, entryId, leafHash) = Wanted(request);
        return gate.Read<GetInclusionProofResponse>(request, context, null, async (entry, _) =>
        {
            var (state, note, checkpoint) = await Published(entry, origin, context.CancellationToken);
            var find = entry.NewTrip();
            var found = find.Add(LogSql.LeafOf(entryId));
            await find.Run(context.CancellationToken);
            if (found.Value is not { } leaf || leaf.Log != state.Log || leaf.Leaf.Hash != leafHash || leaf.Leaf.Position >= checkpoint.Size)
            {
                return () => new GetInclusionProofResponse { Checkpoint = note.ToString() };
            }

            var index = leaf.Leaf.Position;
            var hashes = await TreeProofs.Make(entry.NewTrip(), state.Log, checkpoint.Size, node => Inclusion.Prove(index, checkpoint.Size, node), context.CancellationToken);
            return () => new GetInclusionProofResponse
            {
                Included = true,
                Index = index,
                Hashes = { hashes.Select(ToBytes) },
                Checkpoint = note.ToString(),
                Proof = new TlogProof(index, hashes, note).ToString(),
            };
        });
    }

    public override Task<GetConsistencyProofResponse> GetConsistencyProof(GetConsistencyProofRequest request, ServerCallContext context) =>
        gate.Read<GetConsistencyProofResponse>(request, context, null, async (entry, _) =>
        {
            var (state, note, checkpoint) = await Published(entry, request.Origin, context.CancellationToken);
            var to = request.ToSize == 0 ? checkpoint.Size : request.ToSize;
            if (to < 1 || to > checkpoint.Size)
            {
                throw Errors.InvalidFields(new FieldFault("to_size", "must be from 1 to the size of the published checkpoint, or 0"));
            }

            if (request.FromSize < 1 || request.FromSize > to)
            {
                throw Errors.InvalidFields(new FieldFault("from_size", "must be from 1 to to_size"));
            }

            var hashes = await TreeProofs.Make(entry.NewTrip(), state.Log, to, node => Consistency.Prove(request.FromSize, to, node), context.CancellationToken);
            return () => new GetConsistencyProofResponse { Hashes = { hashes.Select(ToBytes) }, ToSize = to, Checkpoint = note.ToString() };
        });

    private async Task<(LogState State, SignedNote Note, Checkpoint Checkpoint)> Published(Entry entry, string origin, CancellationToken stop)
    {
        var first = entry.NewTrip();
        var state = first.Add(LogSql.StateOf(names.LogIdOf(origin) ?? ""));
        await first.Run(stop);
        if (state.Value is { } log)
        {
            var second = entry.NewTrip();
            var note = second.Add(LogSql.CheckpointOf(log.Log));
            await second.Run(stop);
            if (note.Value is not null)
            {
                var parsed = SignedNote.Parse(note.Value);
                return (log, parsed, Checkpoint.Parse(parsed.Text));
            }
        }

        throw Errors.UnknownReference("origin", "There is no such log, or nothing of it is published yet.");
    }

    private static (string Origin, Guid Entry, TreeHash Leaf) Wanted(GetInclusionProofRequest request)
    {
        if (request.Receipt.Length > 0)
        {
            if (request.Origin.Length > 0 || request.Entry.Length > 0 || request.LeafHash.Length > 0)
            {
                throw Errors.InvalidFields(new FieldFault("receipt", "is given alone"));
            }

            try
            {
                var receipt = Receipt.Parse(request.Receipt.Span);
                return (receipt.Origin, receipt.Entry, receipt.Leaf);
            }
            catch (FormatException)
            {
                throw Errors.InvalidFields(new FieldFault("receipt", "is not a receipt"));
            }
        }

        // Needed where no receipt is given.
        var entry = ResourceName.ParseAccessLogEntry(request.Entry, "entry");
        return request.LeafHash.Length == TreeHash.Length
            ? (request.Origin, entry, new TreeHash(request.LeafHash.Span))
            : throw Errors.InvalidFields(new FieldFault("leaf_hash", $"must be {TreeHash.Length} bytes"));
    }

    private static ByteString ToBytes(TreeHash hash) => ByteString.CopyFrom(hash.ToArray());
}
