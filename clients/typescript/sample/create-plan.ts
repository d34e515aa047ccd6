// Opens a plan for a test person, or takes the one that there is, and reads it back. README.md says what the environment variables hold.
import { readFileSync } from "node:fs";
import { connect, existingPlan, IdentityNumberKind, newRequestId, PlanState, Purpose, userText } from "../src/index.js";

const setting = (name: string) => process.env[`COORDPLAN_${name}`] ?? "";
const file = (name: string) => readFileSync(setting(name));

const connection = connect({ address: setting("ADDRESS"), ca: file("CA"), cert: file("CERT"), key: file("KEY") });
const { plans } = connection.for({
  assignment: setting("ASSIGNMENT"),
  purpose: Purpose.SOCIAL_SERVICES_CASE,
  accessToken: () => setting("TOKEN"),
});

try {
  const identityNumber = { kind: IdentityNumberKind.PERSONAL, value: "199103122389" };
  const subject = { identityNumber, givenName: "Alva", familyName: "Testsson" };
  // A person has one plan. Where there is one that this unit may read, the error says which.
  const name = await plans.createPlan({ plan: { subject }, requestId: newRequestId() }).then(
    (created) => created.plan!.name,
    (error: unknown) => existingPlan(error) ?? Promise.reject(error),
  );
  const { plan } = await plans.getPlan({ name });
  console.log(`${plan!.name} is ${PlanState[plan!.state]}, for ${plan!.subject!.givenName}, by ${plan!.legalBasis}`);
} catch (error) {
  console.error(userText(error) ?? error);
  process.exitCode = 1;
} finally {
  connection.close();
}
