namespace CoordinationPlan.V1;

/// <summary>What every request that changes something has: an id that makes a retry safe (AIP-155), and a dry run (AIP-163).</summary>
public interface IChangeRequest : Google.Protobuf.IMessage
{
    /// <summary>A UUID made by the caller for this change.</summary>
    string RequestId { get; }

    /// <summary>Check everything and change nothing.</summary>
    bool ValidateOnly { get; }
}

public sealed partial class CreatePlanRequest : IChangeRequest;

public sealed partial class UpdatePlanRequest : IChangeRequest;

public sealed partial class EstablishPlanRequest : IChangeRequest;

public sealed partial class ClosePlanRequest : IChangeRequest;

public sealed partial class AddGoalRequest : IChangeRequest;

public sealed partial class UpdateGoalRequest : IChangeRequest;

public sealed partial class EndGoalRequest : IChangeRequest;

public sealed partial class AddInterventionRequest : IChangeRequest;

public sealed partial class UpdateInterventionRequest : IChangeRequest;

public sealed partial class EndInterventionRequest : IChangeRequest;

public sealed partial class AddOtherMeasureRequest : IChangeRequest;

public sealed partial class UpdateOtherMeasureRequest : IChangeRequest;

public sealed partial class EndOtherMeasureRequest : IChangeRequest;

public sealed partial class AddParticipationRequest : IChangeRequest;

public sealed partial class EndParticipationRequest : IChangeRequest;

public sealed partial class SyncParticipationsRequest : IChangeRequest;

public sealed partial class BatchSyncParticipationsRequest : IChangeRequest;

public sealed partial class AnswerSyncedParticipationRequest : IChangeRequest;

public sealed partial class RecordConsentRequest : IChangeRequest;

public sealed partial class WithdrawConsentRequest : IChangeRequest;

public sealed partial class PutOrganisationRequest : IChangeRequest;

public sealed partial class PutBoardRequest : IChangeRequest;

public sealed partial class PutUnitRequest : IChangeRequest;

public sealed partial class PutEmployeeRequest : IChangeRequest;

public sealed partial class PutAssignmentRequest : IChangeRequest;

public sealed partial class DecideProtectionLevelRequest : IChangeRequest;

public sealed partial class ReplaceIdentityRequest : IChangeRequest;

public sealed partial class SetWhereaboutsRequest : IChangeRequest;

public sealed partial class DecideLocationSecrecyRequest : IChangeRequest;

public sealed partial class ReviewLocationSecrecyRequest : IChangeRequest;

public sealed partial class AddBlockRequest : IChangeRequest;

public sealed partial class LiftBlockRequest : IChangeRequest;

public sealed partial class DeclareRelationRequest : IChangeRequest;

public sealed partial class RecordReleaseRequest : IChangeRequest;

public sealed partial class EndReleaseRequest : IChangeRequest;

public sealed partial class ReviewReleaseRequest : IChangeRequest;

public sealed partial class OpenEmergencyAccessRequest : IChangeRequest;

public sealed partial class ReviewEmergencyAccessRequest : IChangeRequest;

public sealed partial class DisposeSubjectRequest : IChangeRequest;

public sealed partial class AdvancePlanRequest : IChangeRequest;

public sealed partial class DeclinePlanRequest : IChangeRequest;

public sealed partial class ReopenPlanRequest : IChangeRequest;

public sealed partial class CallMeetingRequest : IChangeRequest;

public sealed partial class RescheduleMeetingRequest : IChangeRequest;

public sealed partial class CancelMeetingRequest : IChangeRequest;

public sealed partial class RecordMeetingRequest : IChangeRequest;

public sealed partial class ReplyToCallRequest : IChangeRequest;

public sealed partial class RecordRiskAssessmentRequest : IChangeRequest;

public sealed partial class NarrowConsentRequest : IChangeRequest;

public sealed partial class RenewConsentRequest : IChangeRequest;

public sealed partial class ProposeRevisionRequest : IChangeRequest;

public sealed partial class AnswerProposalRequest : IChangeRequest;

public sealed partial class AddRelatedPlanRequest : IChangeRequest;

public sealed partial class EndRelatedPlanRequest : IChangeRequest;

public sealed partial class AddDischargeNoticeRequest : IChangeRequest;

public sealed partial class AddProtectionMeasureRequest : IChangeRequest;

public sealed partial class UpdateProtectionMeasureRequest : IChangeRequest;

public sealed partial class EndProtectionMeasureRequest : IChangeRequest;

public sealed partial class SuggestPlanRequest : IChangeRequest;

public sealed partial class AnswerSuggestionRequest : IChangeRequest;

public sealed partial class IssueCopyRequest : IChangeRequest;

public sealed partial class RegisterSchoolRoutineRequest : IChangeRequest;

public sealed partial class RecordDisclosureRequest : IChangeRequest;

public sealed partial class AddSchoolArrangementRequest : IChangeRequest;

public sealed partial class UpdateSchoolArrangementRequest : IChangeRequest;

public sealed partial class AdvanceSchoolArrangementRequest : IChangeRequest;

public sealed partial class RecordHandoverStepRequest : IChangeRequest;

public sealed partial class ReportAttendanceRequest : IChangeRequest;

public sealed partial class ProposeLogDisposalRequest : IChangeRequest;

public sealed partial class ApproveLogDisposalRequest : IChangeRequest;

public sealed partial class StartChangesRequest : IChangeRequest;

public sealed partial class AcknowledgeChangesRequest : IChangeRequest;

public sealed partial class AcknowledgeRecallRequest : IChangeRequest;
