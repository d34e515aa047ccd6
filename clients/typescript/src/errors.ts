import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { ErrorReason, ErrorReasonSchema } from "./gen/coordinationplan/v1/error_reason_pb.js";
import { BadRequestSchema, ErrorInfoSchema, LocalizedMessageSchema, PreconditionFailureSchema, RequestInfoSchema } from "./gen/google/rpc/error_details_pb.js";

/** A faulty field of a request. */
export interface FieldFault {
  /** Its path in the request, for example `plan.subject.identity_number.value`. */
  field: string;
  /** What is wrong with it. */
  description: string;
}

/** Something that must hold before the service does what was asked. */
export interface UnmetPrecondition {
  /** What it is about, for example the statutory content that a plan lacks. */
  subject: string;
  /** What must hold. */
  description: string;
}

/** The coded reason; UNSPECIFIED where the error did not come from the service. */
export function reasonOf(error: unknown): ErrorReason {
  const info = detailOf(error, ErrorInfoSchema);
  const known = ErrorReasonSchema.values.find((value) => value.localName === info?.reason);
  return info?.domain === "coordinationplan" && known !== undefined ? known.number : ErrorReason.UNSPECIFIED;
}

/** The plan that the person has already, `plans/{plan}`, where the reason is PLAN_EXISTS; undefined for any other. */
export function existingPlan(error: unknown): string | undefined {
  return detailOf(error, ErrorInfoSchema)?.metadata.plan;
}

/** A text for the user, in Swedish; undefined where the error did not come from the service. */
export function userText(error: unknown): string | undefined {
  return detailOf(error, LocalizedMessageSchema)?.message;
}

/** Under what a fault of the service is recorded there, for its operator, where the reason is INTERNAL; undefined for any other. */
export function traceId(error: unknown): string | undefined {
  return detailOf(error, RequestInfoSchema)?.requestId;
}

/** The faulty fields and what is wrong with each. */
export function fieldFaults(error: unknown): FieldFault[] {
  return (detailOf(error, BadRequestSchema)?.fieldViolations ?? []).map(({ field, description }) => ({ field, description }));
}

/** What must hold first, each with what it is about: for example the statutory content that a plan lacks. */
export function unmetPreconditions(error: unknown): UnmetPrecondition[] {
  return (detailOf(error, PreconditionFailureSchema)?.violations ?? []).map(({ subject, description }) => ({ subject, description }));
}

function detailOf<Desc extends DescMessage>(error: unknown, schema: Desc): MessageShape<Desc> | undefined {
  return ConnectError.from(error).findDetails(schema)[0];
}
