import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http2";
import { type AddressInfo, createConnection, createServer as createTcpServer, type Socket } from "node:net";
import { after, before, test } from "node:test";
import { Code, ConnectError, createRouterTransport, type HandlerContext } from "@connectrpc/connect";
import { connectNodeAdapter, createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { type CallerChoice, purposeName } from "../src/caller.js";
import { clientsOver, connect, connectionThrough, defaultDeadlineMs, interceptorsFor, newRequestId } from "../src/connection.js";
import { fieldFaults, reasonOf, traceId, unmetPreconditions, userText } from "../src/errors.js";
import { BadRequestSchema, ErrorInfoSchema, LocalizedMessageSchema, PreconditionFailureSchema, RequestInfoSchema } from "../src/gen/google/rpc/error_details_pb.js";
import { ChangeFeedService, ErrorReason, ParticipationSyncService, PlanService, Purpose } from "../src/index.js";
import { backoffMs, retryPolicy } from "../src/retries.js";

// The compiled tests are in dist/test.
const packageFolder = new URL("../../", import.meta.url);

const sara: CallerChoice = { assignment: "assignments/a1", purpose: Purpose.SOCIAL_SERVICES_CASE, accessToken: () => "token-1" };

/** Answers attempt number `attempt` of GetPlan. */
type Answer = (attempt: number, context: HandlerContext) => void | Promise<void>;

/** Clients of a service in the same process, and how many attempts it has seen. */
function fake(answer: Answer, caller: CallerChoice = sara) {
  const seen = { attempts: 0 };
  const transport = createRouterTransport(
    ({ rpc }) =>
      rpc(PlanService.method.getPlan, async (request, context) => {
        await answer(++seen.attempts, context);
        return { plan: { name: request.name } };
      }),
    { transport: { interceptors: interceptorsFor(caller) } },
  );
  return { seen, plans: clientsOver(transport).plans };
}

const failing = (code: Code) => () => {
  throw new ConnectError("no", code);
};

const withCode = (code: Code) => (error: unknown) => error instanceof ConnectError && error.code === code;

test("the retries are those of service_config.json", () => {
  const { methodConfig } = JSON.parse(readFileSync(new URL("../service_config.json", packageFolder), "utf8"));
  assert.equal(methodConfig.length, 2);
  const { name, timeout, retryPolicy: configured } = methodConfig[0];
  // A stream lives as long as it is wanted.
  const streams = [ChangeFeedService.method.watchChanges, ParticipationSyncService.method.syncParticipations];
  assert.deepEqual(methodConfig[1], { name: streams.map((method) => ({ service: method.parent.typeName, method: method.name })), retryPolicy: configured });
  const milliseconds = (text: string) => Math.round(Number(/^([\d.]+)s$/.exec(text)?.[1]) * 1000);
  assert.deepEqual(name, [{}]);
  assert.equal(defaultDeadlineMs, milliseconds(timeout));
  assert.deepEqual(
    { ...retryPolicy, retryableCodes: retryPolicy.retryableCodes.map((code) => Code[code].toUpperCase()) },
    {
      maxAttempts: configured.maxAttempts,
      initialBackoffMs: milliseconds(configured.initialBackoff),
      maxBackoffMs: milliseconds(configured.maxBackoff),
      backoffMultiplier: configured.backoffMultiplier,
      retryableCodes: configured.retryableStatusCodes,
    },
  );
});

test("each wait is longer than the one before, up to the longest", () => {
  assert.deepEqual([1, 2, 3, 5, 6, 20].map(backoffMs), [100, 200, 400, 1600, 2000, 2000]);
});

test("a call that fails UNAVAILABLE twice succeeds at the third attempt", async () => {
  const { seen, plans } = fake((attempt) => {
    if (attempt <= 2) {
      throw new ConnectError("not ready", Code.Unavailable);
    }
  });
  const start = performance.now();
  assert.equal((await plans.getPlan({ name: "plans/p1" })).plan?.name, "plans/p1");
  assert.equal(seen.attempts, 3);
  assert.ok(performance.now() - start >= 0.8 * (backoffMs(1) + backoffMs(2)) - 5);
});

test("after the last attempt the error is the caller's", async () => {
  const { seen, plans } = fake(failing(Code.Unavailable));
  await assert.rejects(plans.getPlan({}), withCode(Code.Unavailable));
  assert.equal(seen.attempts, retryPolicy.maxAttempts);
});

test("a service that is about to stop says when to come again, or never", async () => {
  const stopping = (pushback: string) => (attempt: number) => {
    if (attempt === 1) {
      throw new ConnectError("about to stop", Code.Unavailable, { "grpc-retry-pushback-ms": pushback });
    }
  };
  const start = performance.now();
  const { seen, plans } = fake(stopping("700"));
  await plans.getPlan({});
  assert.equal(seen.attempts, 2);
  assert.ok(performance.now() - start >= 695);

  const never = fake(stopping("-1"));
  await assert.rejects(never.plans.getPlan({}), withCode(Code.Unavailable));
  assert.equal(never.seen.attempts, 1);
});

test("no other code is retried", async () => {
  const codes = Object.values(Code).filter((code): code is Code => typeof code === "number" && code !== Code.Unavailable);
  assert.equal(codes.length, 15);
  for (const code of codes) {
    const { seen, plans } = fake(failing(code));
    await assert.rejects(plans.getPlan({}), withCode(code));
    assert.equal(seen.attempts, 1, Code[code]);
  }
});

test("all attempts share the deadline", async () => {
  const { seen, plans } = fake(failing(Code.Unavailable));
  await assert.rejects(plans.getPlan({}, { timeoutMs: 300 }), withCode(Code.DeadlineExceeded));
  assert.ok(seen.attempts > 1 && seen.attempts < retryPolicy.maxAttempts, `${seen.attempts} attempts`);
});

test("a call that is given up is not tried again", async () => {
  const giveUp = new AbortController();
  const { seen, plans } = fake(() => {
    giveUp.abort();
    throw new ConnectError("not ready", Code.Unavailable);
  });
  await assert.rejects(plans.getPlan({}, { signal: giveUp.signal }), withCode(Code.Canceled));
  assert.equal(seen.attempts, 1);
});

test("every call carries the token, the assignment and the purpose, and asks for the token anew", async () => {
  let tokens = 0;
  const headers: (string | null)[][] = [];
  const { plans } = fake(
    (_, { requestHeader }) => {
      headers.push(["authorization", "coordinationplan-assignment", "coordinationplan-purpose"].map((name) => requestHeader.get(name)));
    },
    { ...sara, accessToken: async () => `token-${++tokens}` },
  );
  await plans.getPlan({});
  await plans.getPlan({});
  assert.deepEqual(headers, [
    ["Bearer token-1", "assignments/a1", "SOCIAL_SERVICES_CASE"],
    ["Bearer token-2", "assignments/a1", "SOCIAL_SERVICES_CASE"],
  ]);
});

test("a system's call carries the unit that it is made for, and no other call does", async () => {
  const units: (string | null)[] = [];
  const keep = (_: number, { requestHeader }: { requestHeader: Headers }) => {
    units.push(requestHeader.get("coordinationplan-unit"));
  };
  await fake(keep, { ...sara, unit: "units/u1" }).plans.getPlan({});
  await fake(keep).plans.getPlan({});
  assert.deepEqual(units, ["units/u1", null]);
});

test("a token that does not come in time ends the call at its deadline", async () => {
  const { seen, plans } = fake(() => {}, { ...sara, accessToken: () => new Promise(() => {}) });
  await assert.rejects(plans.getPlan({}, { timeoutMs: 50 }), withCode(Code.DeadlineExceeded));
  assert.equal(seen.attempts, 0);
});

test("what is not a purpose is refused before any call", () => {
  assert.throws(() => purposeName(999 as Purpose), RangeError);
});

test("an address without TLS is refused", () => {
  assert.throws(() => connect({ address: "http://localhost", cert: "", key: "" }), TypeError);
});

test("an error tells its reason, a text for the user, faulty fields, what must hold first and under what it is recorded", () => {
  const error = new ConnectError("no", Code.InvalidArgument, undefined, [
    { desc: RequestInfoSchema, value: { requestId: "4bf92f3577b34da6a3ce929d0e0e4736" } },
    { desc: ErrorInfoSchema, value: { reason: "INVALID_FIELDS", domain: "coordinationplan" } },
    { desc: LocalizedMessageSchema, value: { locale: "sv-SE", message: "Ett eller flera fält saknas." } },
    { desc: BadRequestSchema, value: { fieldViolations: [{ field: "plan.subject", description: "is required" }] } },
    { desc: PreconditionFailureSchema, value: { violations: [{ type: "STATUTORY", subject: "lead_principal", description: "is missing" }] } },
  ]);
  assert.equal(reasonOf(error), ErrorReason.INVALID_FIELDS);
  assert.equal(userText(error), "Ett eller flera fält saknas.");
  assert.deepEqual(fieldFaults(error), [{ field: "plan.subject", description: "is required" }]);
  assert.deepEqual(unmetPreconditions(error), [{ subject: "lead_principal", description: "is missing" }]);
  assert.equal(traceId(error), "4bf92f3577b34da6a3ce929d0e0e4736");
});

test("an error from elsewhere tells nothing", () => {
  const elsewhere = { desc: ErrorInfoSchema, value: { reason: "UNAVAILABLE", domain: "gateway.example" } };
  for (const error of [new Error("x"), "x", undefined, new ConnectError("x"), new ConnectError("x", Code.Unavailable, undefined, [elsewhere])]) {
    assert.equal(reasonOf(error), ErrorReason.UNSPECIFIED);
    assert.equal(userText(error), undefined);
    assert.equal(traceId(error), undefined);
    assert.deepEqual(fieldFaults(error), []);
    assert.deepEqual(unmetPreconditions(error), []);
  }
});

test("each request id is another", () => {
  assert.match(newRequestId(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.notEqual(newRequestId(), newRequestId());
});

test("the whole contract is exported", () => {
  const exported = readFileSync(new URL("src/index.ts", packageFolder), "utf8").match(/(?<=gen\/coordinationplan\/v1\/)\w+/g) ?? [];
  const generated = readdirSync(new URL("src/gen/coordinationplan/v1/", packageFolder)).map((file) => file.replace(".ts", ""));
  assert.deepEqual(exported.sort(), generated.sort());
});

// Over gRPC: what the router transport does not have.

let answerOverGrpc: Answer = () => {};
let attemptsOverGrpc = 0;

const server = createServer(
  connectNodeAdapter({
    routes: ({ rpc }) =>
      rpc(PlanService.method.getPlan, async (request, context) => {
        await answerOverGrpc(++attemptsOverGrpc, context);
        return { plan: { name: request.name } };
      }),
  }),
);
// In front of it, so that the test can lose connections.
const connections: Socket[] = [];
const proxy = createTcpServer((inward) => {
  connections.push(inward);
  const outward = createConnection((server.address() as AddressInfo).port, "127.0.0.1");
  inward.on("error", () => {}).on("close", () => outward.destroy());
  inward.pipe(outward).on("error", () => {}).pipe(inward);
});

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
});

after(() => {
  connections.forEach((connection) => connection.destroy());
  proxy.close();
  server.close();
});

function connectOverGrpc(answer: Answer, deadlineMs = defaultDeadlineMs) {
  answerOverGrpc = answer;
  attemptsOverGrpc = 0;
  const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  return connectionThrough(new Http2SessionManager(address), address, deadlineMs);
}

const overGrpc = (answer: Answer, deadlineMs?: number) => connectOverGrpc(answer, deadlineMs).for(sara).plans;

test("over gRPC each attempt tells the service what is left of the deadline", async () => {
  const told: (number | undefined)[] = [];
  const plans = overGrpc((attempt, context) => {
    told.push(context.timeoutMs());
    if (attempt <= 2) {
      throw new ConnectError("not ready", Code.Unavailable);
    }
  });
  await plans.getPlan({});
  const [first = 0, second = 0, third = 0] = told;
  assert.equal(told.length, 3);
  assert.ok(first <= 10_000 && first > 9000 && second <= first - 70 && third <= second - 150 && third > 8000, told.join(" "));
});

for (const [how, lose] of [
  ["ends", (connection: Socket) => connection.destroy()],
  ["is reset", (connection: Socket) => connection.resetAndDestroy()],
] as const) {
  test(`over gRPC a connection that ${how} is opened again`, async () => {
    const earlier = connections.length;
    const plans = overGrpc(async (attempt) => {
      if (attempt === 1) {
        lose(connections.at(-1)!);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    });
    assert.equal((await plans.getPlan({ name: "plans/p1" })).plan?.name, "plans/p1");
    assert.equal(attemptsOverGrpc, 2);
    assert.equal(connections.length, earlier + 2);
  });

  test(`over gRPC a connection that ${how} at every attempt is UNAVAILABLE`, async () => {
    const plans = overGrpc(async () => {
      lose(connections.at(-1)!);
      await new Promise((resolve) => setTimeout(resolve, 20));
    });
    await assert.rejects(plans.getPlan({}), withCode(Code.Unavailable));
    assert.equal(attemptsOverGrpc, retryPolicy.maxAttempts);
  });
}

test("over gRPC a service that is not there is UNAVAILABLE", async () => {
  const plans = clientsOver(createGrpcTransport({ baseUrl: "http://127.0.0.1:1", interceptors: interceptorsFor(sara) })).plans;
  await assert.rejects(plans.getPlan({}), withCode(Code.Unavailable));
});

test("over gRPC a connection that closes before it is secure is UNAVAILABLE", async () => {
  const closing = createTcpServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => closing.listen(0, "127.0.0.1", resolve));
  const baseUrl = `https://127.0.0.1:${(closing.address() as AddressInfo).port}`;
  const plans = clientsOver(createGrpcTransport({ baseUrl, interceptors: interceptorsFor(sara) })).plans;
  await assert.rejects(plans.getPlan({}), withCode(Code.Unavailable));
  closing.close();
});

for (const [whose, deadlineMs, timeoutMs] of [
  ["its own", 60_000, 300],
  ["the connection's", 300, undefined],
] as const) {
  test(`over gRPC a call that takes longer than ${whose} deadline is DEADLINE_EXCEEDED`, async () => {
    const plans = overGrpc((_, { signal }) => new Promise((resolve) => signal.addEventListener("abort", () => resolve())), deadlineMs);
    await assert.rejects(plans.getPlan({}, { timeoutMs }), withCode(Code.DeadlineExceeded));
    assert.equal(attemptsOverGrpc, 1);
  });
}

test("over gRPC a closed connection ends the calls that are under way, and is not opened again", async () => {
  const earlier = connections.length;
  const connection = connectOverGrpc(async () => {
    connection.close();
    await new Promise((resolve) => setTimeout(resolve, 20));
  });
  const { plans } = connection.for(sara);
  await assert.rejects(plans.getPlan({}), withCode(Code.Canceled));
  await assert.rejects(plans.getPlan({}), withCode(Code.Canceled));
  assert.equal(attemptsOverGrpc, 1);
  assert.equal(connections.length, earlier + 1);
});
