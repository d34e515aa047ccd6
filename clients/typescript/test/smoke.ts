// Checks a live service through this client. README.md says what the environment variables hold. The texts hold no personal data.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import {
  Code,
  ConnectError,
  connect,
  ErrorReason,
  fieldFaults,
  IdentityNumberKind,
  newRequestId,
  type Plan,
  PurposeSchema,
  reasonOf,
  userText,
} from "../src/index.js";

function environment(name: string): string {
  const value = process.env[`COORDPLAN_${name}`];
  assert.ok(value, `COORDPLAN_${name} is not set`);
  return value;
}

/** The error that a call must end with. */
async function errorOf(call: Promise<unknown>, code: Code, reason: ErrorReason): Promise<ConnectError> {
  const error = await call.then(
    () => assert.fail(`the call succeeded, but ${Code[code]} was expected`),
    (thrown: unknown) => ConnectError.from(thrown),
  );
  const found = `${Code[error.code]} ${ErrorReason[reasonOf(error)]}`;
  assert.equal(found, `${Code[code]} ${ErrorReason[reason]}`, `the error is ${found}: ${error.rawMessage}`);
  return error;
}

function started() {
  const purpose = PurposeSchema.values.find((value) => value.localName === environment("PURPOSE"));
  assert.ok(purpose, "COORDPLAN_PURPOSE is not a purpose");
  const [ca, cert, key] = ["CA", "CERT", "KEY"].map((name) => readFileSync(environment(name)));
  const token = environment("TOKEN");
  const connection = connect({ address: environment("ADDRESS"), ca: ca!, cert: cert!, key: key! });
  const { plans } = connection.for({ assignment: environment("ASSIGNMENT"), purpose: purpose.number, accessToken: () => token });
  const personWith = (value: string) => ({
    identityNumber: { kind: Number(value.slice(6, 8)) > 60 ? IdentityNumberKind.COORDINATION : IdentityNumberKind.PERSONAL, value },
    givenName: "Alva",
    familyName: "Testsson",
  });
  return { plans, personWith, creation: { plan: { subject: personWith(environment("IDENTITY_NUMBER")) }, requestId: newRequestId() } };
}

let service: ReturnType<typeof started>;
let plan: Plan;

const checks: [name: string, check: () => Promise<void>][] = [
  [
    "creates a plan",
    async () => {
      service = started();
      const answer = await service.plans.createPlan(service.creation);
      assert.match(answer.plan?.name ?? "", /^plans\/./, "the answer has no plan name");
      assert.ok(answer.plan?.etag, "the answer has no etag");
      plan = answer.plan;
    },
  ],
  [
    "answers a repeated request with the same plan",
    async () => {
      const answer = await service.plans.createPlan(service.creation);
      assert.equal(answer.plan?.name, plan.name, "the repeated request made another plan");
    },
  ],
  [
    "reads the plan",
    async () => {
      const answer = await service.plans.getPlan({ name: plan.name });
      assert.equal(answer.plan?.name, plan.name, "another plan was read");
      assert.equal(answer.plan.etag, plan.etag, "the etag is another than that of the answer to the creation");
    },
  ],
  [
    "updates the plan, and refuses the etag that is stale by then",
    async () => {
      const year = new Date().getFullYear() + 1;
      const update = (month: number) => ({
        plan: { name: plan.name, followUpDate: { year, month, day: 1 } },
        updateMask: { paths: ["follow_up_date"] },
        etag: plan.etag,
        requestId: newRequestId(),
      });
      const answer = await service.plans.updatePlan(update(1));
      assert.equal(answer.plan?.followUpDate?.year, year, "the date was not changed");
      assert.notEqual(answer.plan.etag, plan.etag, "the etag was not changed");
      await errorOf(service.plans.updatePlan(update(2)), Code.Aborted, ErrorReason.STALE_ETAG);
    },
  ],
  [
    "refuses a plan that is not there, with a Swedish text for the user",
    async () => {
      const error = await errorOf(service.plans.getPlan({ name: `plans/${randomUUID()}` }), Code.PermissionDenied, ErrorReason.ACCESS_DENIED);
      assert.match(userText(error) ?? "", /[åäö]/, `the user's text is not Swedish: ${userText(error)}`);
    },
  ],
  [
    "names the field of a malformed identity number",
    async () => {
      const creation = { plan: { subject: service.personWith("19910312238X") }, requestId: newRequestId() };
      const error = await errorOf(service.plans.createPlan(creation), Code.InvalidArgument, ErrorReason.INVALID_FIELDS);
      const fields = fieldFaults(error).map(({ field }) => field);
      assert.deepEqual(fields, ["plan.subject.identity_number.value"], `the fields named are: ${fields.join(", ") || "none"}`);
    },
  ],
];

let passed = 0;
let failed = 0;
for (const [name, check] of checks) {
  try {
    await check();
    passed++;
    console.log(`ok      ${name}`);
  } catch (error) {
    failed++;
    const [message] = String(error instanceof Error ? error.message : error).split("\n");
    console.log([`failed  ${name}: ${message}`, ...fieldFaults(error).map(({ field, description }) => `${field} ${description}`)].join("; "));
    if (passed === 0) {
      break; // The other checks are about the plan that was not created.
    }
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
