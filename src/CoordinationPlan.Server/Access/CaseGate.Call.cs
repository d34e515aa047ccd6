using System.Security.Cryptography;
using System.Text;
using CoordinationPlan.Policy;
using CoordinationPlan.Server.Audit;
using CoordinationPlan.Server.Database;
using CoordinationPlan.V1;
using Google.Protobuf;

namespace CoordinationPlan.Server.Access;

/// <content>What a call is, and what has come out about it so far.</content>
internal sealed partial class CaseGate
{
    /// <summary>What is the same for every answer of a type.</summary>
    private static class Answer<TResponse>
        where TResponse : IMessage<TResponse>
    {
        private static readonly TResponse Empty = Activator.CreateInstance<TResponse>();

        public static MessageParser<TResponse> Parser { get; } = ((MessageParser<TResponse>)Empty.Descriptor.Parser).WithDiscardUnknownFields(true);

        public static Categories Categories { get; } = Redaction.CategoriesIn(Empty.Descriptor);
    }

    /// <summary>One call as it came in.</summary>
    private sealed record Call(IMessage Request, IChangeRequest? Change, CallerIdentity Caller, Guid? PlanId, string? DirectoryEntry = null)
    {
        public bool IsDryRun => Change is { ValidateOnly: true };

        public Guid RequestId => Guid.ParseExact(Change!.RequestId, "D");

        /// <summary>The act concerns the person in every plan, so it waits for whoever reads any of them.</summary>
        public bool LocksPerson => Caller.Method.Act
            is Policy.Act.WriteBlock or Policy.Act.WriteProtectionLevel or Policy.Act.WriteWhereabouts or Policy.Act.WriteLocationSecrecy or Policy.Act.DisposeSubject
            // These two look at the person's other plans, and wait for whoever is opening one.
            or Policy.Act.EstablishPlan or Policy.Act.ReopenPlan
            // The key of the whereabouts is the person's, and the first document may make it.
            or Policy.Act.DiscloseDocument or Policy.Act.WriteSchooling;

        /// <summary>
        /// The call names a person or plans that the caller need not know anything of, and answers alike whoever it is; also in time, so that it leaves in a
        /// slot however it goes.
        /// </summary>
        public bool NamesAnyPerson => Caller.Method.Act
            is Policy.Act.CreatePlan or Policy.Act.SuggestPlan or Policy.Act.OpenEmergencyAccess or Policy.Act.DeclareRelation or Policy.Act.SyncParticipations;

        /// <summary>
        /// Each item of a batch is decided anew when the batch is sent again: what was answered is not kept, and what is there already changes nothing.
        /// </summary>
        public bool IsBatch => Caller.Method.Act == Policy.Act.SyncParticipations;

        /// <summary>Where the kept answer stands.</summary>
        public string OutcomePlace => $"request_outcome/{Caller.Name}/{RequestId:D}";

        public DatabaseRole Role => Caller.Method.Act switch
        {
            Policy.Act.SearchAccessLog or Policy.Act.ReadLogProofs or Policy.Act.WriteLogDisposal => DatabaseRole.LogReview,
            Policy.Act.WriteDirectory => DatabaseRole.Directory,
            _ => DatabaseRole.Case,
        };

        /// <summary>The request, and the assignment and the unit that it was made under and for: a retry is made under and for the same.</summary>
        public byte[] Hash => SHA256.HashData(
            [.. Encoding.UTF8.GetBytes(Caller.UnitId is { } unit ? $"{Caller.AssignmentId} for {unit}\n" : $"{Caller.AssignmentId}\n"), .. Request.ToByteArray()]);

        public Query<bool>? Lock() => (PlanId, Change) switch
        {
            ({ }, _) when LocksPerson => null,
            ({ } plan, _) => LocksSql.Plan(plan, alone: Change is not null),
            (null, not null) => LocksSql.Name(DirectoryEntry ?? $"{Caller.Name}/{RequestId}"),
            _ => null,
        };
    }

    /// <summary>What has come out about a call so far, for its log entry.</summary>
    /// <param name="arrived">
    /// When the call came in, before anything was looked at: the ids of its entries carry this time and no later one, because the receipt has them, and how long
    /// something took is not to be told (docs/adr/0012).
    /// </param>
    /// <param name="arrivedByTheMachinesClock">The same for the receipt, which is measured by the clocks of others.</param>
    private sealed class Visit(DateTimeOffset arrived, DateTimeOffset arrivedByTheMachinesClock)
    {
        public DateTimeOffset Arrived => arrived;

        public DateTimeOffset ArrivedByTheMachinesClock => arrivedByTheMachinesClock;

        public Guid EntryId { get; set; }

        public CallerFacts? CallerFacts { get; set; }

        public PlanFacts? PlanFacts { get; set; }

        /// <summary>The call has its entry; a failure after that is not another attempt.</summary>
        public bool IsLogged { get; set; }

        /// <summary>The call's first entry, and what the database gave to it.</summary>
        public (AccessLogRecord Record, Pending<Entered> Entered)? First { get; set; }

        /// <summary>Nothing was found that may be shown: the answer is like a refusal.</summary>
        public bool ConcernsNobody { get; set; }

        /// <summary>What was decided, for another policy to be run over.</summary>
        public byte[]? Decision { get; set; }

        /// <summary>The call was permitted, and what failed came after.</summary>
        public bool IsPermitted { get; set; }

        public Concern ConcernOf(Call call, Categories disclosed) => new(call.PlanId, PlanFacts?.SubjectId, PlanFacts?.OwnerController, disclosed, call.DirectoryEntry);

        /// <summary>
        /// A call that failed before it was permitted is entered with the plan as asked for and nothing of what was found: a plan that is there
        /// and one that never was leave the same entry with the caller's own reviewer.
        /// </summary>
        public Concern ConcernOfFailure(Call call) => IsPermitted ? ConcernOf(call, Categories.None) : new(call.PlanId, null, null, Categories.None, call.DirectoryEntry);
    }

    /// <summary><see cref="Loaded{T}"/> without its type.</summary>
    private sealed record LoadedFacts(bool Exists, object? State, string? ResponsibleUnitId, bool ResponsibleUnitGone, bool IsNew, string? OrganisationId, Blocked? Blocked, Policy.ProtectionLevel Protection, bool IsEmergency)
    {
        public static readonly LoadedFacts None = new(true, null, null, false, false, null, null, Policy.ProtectionLevel.Unspecified, false);

        public static LoadedFacts Of<T>(Loaded<T> loaded)
            where T : class =>
            new(loaded.State is not null, loaded.State, loaded.ResponsibleUnitId, loaded.ResponsibleUnitGone, loaded.IsNew, loaded.OrganisationId, loaded.Blocked, loaded.Protection, loaded.IsEmergency);
    }
}
