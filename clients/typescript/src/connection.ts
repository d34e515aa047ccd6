import { randomUUID } from "node:crypto";
import { createSecureContext } from "node:tls";
import { type Client, Code, ConnectError, createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { callerHeaders, type CallerChoice } from "./caller.js";
import { AccessLogService } from "./gen/coordinationplan/v1/access_log_service_pb.js";
import { AuditService } from "./gen/coordinationplan/v1/audit_service_pb.js";
import { ChangeFeedService } from "./gen/coordinationplan/v1/change_feed_service_pb.js";
import { ConsentService } from "./gen/coordinationplan/v1/consent_service_pb.js";
import { MeetingService } from "./gen/coordinationplan/v1/meeting_service_pb.js";
import { CopyService } from "./gen/coordinationplan/v1/copy_service_pb.js";
import { DischargeService } from "./gen/coordinationplan/v1/discharge_service_pb.js";
import { DisclosureService } from "./gen/coordinationplan/v1/disclosure_service_pb.js";
import { RiskService } from "./gen/coordinationplan/v1/risk_service_pb.js";
import { DirectoryService } from "./gen/coordinationplan/v1/directory_service_pb.js";
import { EmergencyAccessService } from "./gen/coordinationplan/v1/emergency_access_service_pb.js";
import { IndicatorService } from "./gen/coordinationplan/v1/indicator_service_pb.js";
import { OversightService } from "./gen/coordinationplan/v1/oversight_service_pb.js";
import { ProtectionService } from "./gen/coordinationplan/v1/protection_service_pb.js";
import { ReleaseService } from "./gen/coordinationplan/v1/release_service_pb.js";
import { ParticipationService } from "./gen/coordinationplan/v1/participation_service_pb.js";
import { ParticipationSyncService } from "./gen/coordinationplan/v1/participation_sync_service_pb.js";
import { SuggestionService } from "./gen/coordinationplan/v1/suggestion_service_pb.js";
import { PlanService } from "./gen/coordinationplan/v1/plan_service_pb.js";
import { SchoolRoutineService } from "./gen/coordinationplan/v1/school_routine_service_pb.js";
import { SchoolingService } from "./gen/coordinationplan/v1/schooling_service_pb.js";
import { retries } from "./retries.js";

/** How to reach the service, and as which system. */
export interface ConnectionOptions {
  /** The service's address, https. */
  address: string;
  /** The authorities that the service's certificate may come from, PEM. Absent: those that Node.js knows. */
  ca?: string | Buffer;
  /** The case system's client certificate, PEM. Tokens are bound to it (RFC 8705). */
  cert: string | Buffer;
  /** The certificate's private key, PEM. */
  key: string | Buffer;
  /**
   * How many milliseconds a call may take with all its attempts, where the call itself sets no `timeoutMs`: 10 000 unless said otherwise.
   * A call without any deadline would wait for ever.
   */
  deadlineMs?: number;
}

/** The service's clients for one caller. */
export interface Clients {
  /** Plans and their contents. */
  readonly plans: Client<typeof PlanService>;
  /** Which units take part. */
  readonly participations: Client<typeof ParticipationService>;
  /** What regions' systems say of who takes part. */
  readonly participationSync: Client<typeof ParticipationSyncService>;
  /** Consents. */
  readonly consents: Client<typeof ConsentService>;
  /** Meetings about a plan. */
  readonly meetings: Client<typeof MeetingService>;
  /** Risk assessments. */
  readonly risk: Client<typeof RiskService>;
  /** Discharge from inpatient care. */
  readonly discharge: Client<typeof DischargeService>;
  /** Suggestions of plans. */
  readonly suggestions: Client<typeof SuggestionService>;
  /** Copies of a plan as documents. */
  readonly copies: Client<typeof CopyService>;
  /** School for children in sheltered housing. */
  readonly schooling: Client<typeof SchoolingService>;
  /** Emergency access. */
  readonly emergencyAccess: Client<typeof EmergencyAccessService>;
  /** Who can read, what must be heard of, what is to be done. */
  readonly oversight: Client<typeof OversightService>;
  /** Protection level, blocks, location secrecy, whereabouts. */
  readonly protection: Client<typeof ProtectionService>;
  /** Releases on legal ground. */
  readonly releases: Client<typeof ReleaseService>;
  /** Documents that leave for receivers outside a plan. */
  readonly disclosures: Client<typeof DisclosureService>;
  /** The access log. */
  readonly accessLog: Client<typeof AccessLogService>;
  /** Organisations, units, employees, assignments. */
  readonly directory: Client<typeof DirectoryService>;
  /** Counts for follow-up. */
  readonly indicators: Client<typeof IndicatorService>;
  /** The boards' routines for schooling. */
  readonly routines: Client<typeof SchoolRoutineService>;
  /** Proofs that the access log is complete. */
  readonly audit: Client<typeof AuditService>;
  /** What changes, for systems that keep their own data in step. */
  readonly changes: Client<typeof ChangeFeedService>;
}

/** A connection of one case system to the service, shared by all its users. Keep one for the life of the process. */
export interface Connection {
  /** Clients that call for somebody. Cheap: make one for each user and purpose. */
  for(caller: CallerChoice): Clients;
  /** Closes the connection for good: calls that are under way and later ones end with CANCELED. */
  close(): void;
}

/** The deadline of a call that sets none, as `timeout` in clients/service_config.json. A stream that sets none has none. */
export const defaultDeadlineMs = 10_000;

/**
 * Prepares a connection; it is opened by the first call. Throws where the address is not https or the certificate or key cannot be read.
 *
 * @example
 * const connection = connect({ address, ca, cert, key });
 * const sara = connection.for({ assignment: "assignments/…", purpose: Purpose.SOCIAL_SERVICES_CASE, accessToken: () => tokens.get() });
 * const { plan } = await sara.plans.getPlan({ name: "plans/…" });
 */
export function connect(options: ConnectionOptions): Connection {
  if (new URL(options.address).protocol !== "https:") {
    throw new TypeError("The service's address must be https.");
  }

  const secureContext = createSecureContext({ ca: options.ca, cert: options.cert, key: options.key });
  const sessionManager = new Http2SessionManager(options.address, { pingIntervalMs: 30_000, pingTimeoutMs: 10_000 }, { secureContext });
  return connectionThrough(sessionManager, options.address, options.deadlineMs ?? defaultDeadlineMs);
}

/** The connection through a session manager, which opens the HTTP/2 connection and keeps it. */
export function connectionThrough(sessionManager: Http2SessionManager, baseUrl: string, defaultTimeoutMs: number): Connection {
  const closing = new AbortController();
  return {
    for: (caller) =>
      clientsOver(
        withEndlessStreams(createGrpcTransport({ baseUrl, sessionManager, defaultTimeoutMs, interceptors: interceptorsFor(caller, closing.signal) })),
      ),
    close() {
      closing.abort(new ConnectError("the connection is closed", Code.Canceled));
      sessionManager.abort();
    },
  };
}

/** A stream lives as long as it is wanted: it gets no deadline that it was not given. */
export function withEndlessStreams(transport: Transport): Transport {
  return {
    unary: (method, signal, timeoutMs, header, input, contextValues) => transport.unary(method, signal, timeoutMs, header, input, contextValues),
    stream: (method, signal, timeoutMs, header, input, contextValues) => transport.stream(method, signal, timeoutMs ?? 0, header, input, contextValues),
  };
}

/** A new id for one change. A repeated call with the same id gives the first answer again, so keep it until the change is answered. */
export function newRequestId(): string {
  return randomUUID();
}

/** What stands between a client and the transport, the outermost first. */
export function interceptorsFor(caller: CallerChoice, closed?: AbortSignal): Interceptor[] {
  return [callerHeaders(caller), retries(closed)];
}

/** The clients over any transport. */
export function clientsOver(transport: Transport): Clients {
  return {
    plans: createClient(PlanService, transport),
    participations: createClient(ParticipationService, transport),
    participationSync: createClient(ParticipationSyncService, transport),
    consents: createClient(ConsentService, transport),
    meetings: createClient(MeetingService, transport),
    risk: createClient(RiskService, transport),
    discharge: createClient(DischargeService, transport),
    suggestions: createClient(SuggestionService, transport),
    copies: createClient(CopyService, transport),
    schooling: createClient(SchoolingService, transport),
    emergencyAccess: createClient(EmergencyAccessService, transport),
    oversight: createClient(OversightService, transport),
    protection: createClient(ProtectionService, transport),
    releases: createClient(ReleaseService, transport),
    disclosures: createClient(DisclosureService, transport),
    accessLog: createClient(AccessLogService, transport),
    directory: createClient(DirectoryService, transport),
    indicators: createClient(IndicatorService, transport),
    routines: createClient(SchoolRoutineService, transport),
    audit: createClient(AuditService, transport),
    changes: createClient(ChangeFeedService, transport),
  };
}
