/**
 * Client of the CoordinationPlan service: coordinated individual plans (SIP) over gRPC.
 *
 * @packageDocumentation
 */
export { Code, ConnectError } from "@connectrpc/connect";
export { type CallerChoice, purposeName } from "./caller.js";
export { type Clients, connect, type Connection, type ConnectionOptions, newRequestId } from "./connection.js";
export { existingPlan, type FieldFault, fieldFaults, reasonOf, traceId, type UnmetPrecondition, unmetPreconditions, userText } from "./errors.js";

// The contract.
export * from "./gen/coordinationplan/v1/access_log_entry_pb.js";
export * from "./gen/coordinationplan/v1/access_log_service_pb.js";
export * from "./gen/coordinationplan/v1/audit_service_pb.js";
export * from "./gen/coordinationplan/v1/act_pb.js";
export * from "./gen/coordinationplan/v1/assignment_pb.js";
export * from "./gen/coordinationplan/v1/block_pb.js";
export * from "./gen/coordinationplan/v1/board_pb.js";
export * from "./gen/coordinationplan/v1/change_pb.js";
export * from "./gen/coordinationplan/v1/change_feed_service_pb.js";
export * from "./gen/coordinationplan/v1/consent_pb.js";
export * from "./gen/coordinationplan/v1/consent_service_pb.js";
export * from "./gen/coordinationplan/v1/copy_service_pb.js";
export * from "./gen/coordinationplan/v1/directory_service_pb.js";
export * from "./gen/coordinationplan/v1/discharge_notice_pb.js";
export * from "./gen/coordinationplan/v1/discharge_service_pb.js";
export * from "./gen/coordinationplan/v1/disclosure_pb.js";
export * from "./gen/coordinationplan/v1/disclosure_service_pb.js";
export * from "./gen/coordinationplan/v1/emergency_access_pb.js";
export * from "./gen/coordinationplan/v1/emergency_access_service_pb.js";
export * from "./gen/coordinationplan/v1/employee_pb.js";
export * from "./gen/coordinationplan/v1/error_reason_pb.js";
export * from "./gen/coordinationplan/v1/goal_pb.js";
export * from "./gen/coordinationplan/v1/indicator_service_pb.js";
export * from "./gen/coordinationplan/v1/information_category_pb.js";
export * from "./gen/coordinationplan/v1/intervention_pb.js";
export * from "./gen/coordinationplan/v1/location_secrecy_pb.js";
export * from "./gen/coordinationplan/v1/log_disposal_pb.js";
export * from "./gen/coordinationplan/v1/meeting_attendance_pb.js";
export * from "./gen/coordinationplan/v1/meeting_pb.js";
export * from "./gen/coordinationplan/v1/meeting_service_pb.js";
export * from "./gen/coordinationplan/v1/options_pb.js";
export * from "./gen/coordinationplan/v1/organisation_pb.js";
export * from "./gen/coordinationplan/v1/other_measure_pb.js";
export * from "./gen/coordinationplan/v1/oversight_service_pb.js";
export * from "./gen/coordinationplan/v1/participation_pb.js";
export * from "./gen/coordinationplan/v1/participation_service_pb.js";
export * from "./gen/coordinationplan/v1/participation_sync_service_pb.js";
export * from "./gen/coordinationplan/v1/period_pb.js";
export * from "./gen/coordinationplan/v1/plan_copy_pb.js";
export * from "./gen/coordinationplan/v1/plan_item_pb.js";
export * from "./gen/coordinationplan/v1/plan_pb.js";
export * from "./gen/coordinationplan/v1/plan_service_pb.js";
export * from "./gen/coordinationplan/v1/plan_suggestion_pb.js";
export * from "./gen/coordinationplan/v1/protection_level_pb.js";
export * from "./gen/coordinationplan/v1/protection_measure_pb.js";
export * from "./gen/coordinationplan/v1/protection_pb.js";
export * from "./gen/coordinationplan/v1/protection_service_pb.js";
export * from "./gen/coordinationplan/v1/pupil_pb.js";
export * from "./gen/coordinationplan/v1/purpose_pb.js";
export * from "./gen/coordinationplan/v1/related_plan_pb.js";
export * from "./gen/coordinationplan/v1/release_pb.js";
export * from "./gen/coordinationplan/v1/release_service_pb.js";
export * from "./gen/coordinationplan/v1/risk_assessment_pb.js";
export * from "./gen/coordinationplan/v1/risk_service_pb.js";
export * from "./gen/coordinationplan/v1/role_pb.js";
export * from "./gen/coordinationplan/v1/school_arrangement_pb.js";
export * from "./gen/coordinationplan/v1/school_routine_pb.js";
export * from "./gen/coordinationplan/v1/school_routine_service_pb.js";
export * from "./gen/coordinationplan/v1/schooling_service_pb.js";
export * from "./gen/coordinationplan/v1/subject_pb.js";
export * from "./gen/coordinationplan/v1/suggestion_service_pb.js";
export * from "./gen/coordinationplan/v1/synced_participation_pb.js";
export * from "./gen/coordinationplan/v1/unit_pb.js";
export * from "./gen/coordinationplan/v1/whereabouts_pb.js";
