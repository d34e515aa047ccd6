import type { Interceptor } from "@connectrpc/connect";
import { type Purpose, PurposeSchema } from "./gen/coordinationplan/v1/purpose_pb.js";

/** For whom calls are made: each call is made under exactly one assignment and for one purpose. */
export interface CallerChoice {
  /** `assignments/{assignment}`, one of the employee's (or the system's) in the directory. */
  assignment: string;
  /** What for. */
  purpose: Purpose;
  /** For which unit of its organisation a system calls, `units/{unit}`. Absent: for the unit of its assignment. Employees leave it out. */
  unit?: string;
  /**
   * Gives a valid access token; asked for every call, so it should keep the token until shortly before it expires.
   * The signal is aborted at the call's deadline.
   */
  accessToken: (signal: AbortSignal) => string | Promise<string>;
}

/** A purpose as the call's metadata carries it: the name without its prefix, for example `SOCIAL_SERVICES_CASE`. */
export function purposeName(purpose: Purpose): string {
  const value = PurposeSchema.value[purpose];
  if (value === undefined) {
    throw new RangeError(`${purpose} is not a purpose.`);
  }
  return value.localName;
}

/** Puts the token, the assignment, the purpose and, where a system names one, the unit on every call. */
export function callerHeaders(caller: CallerChoice): Interceptor {
  const purpose = purposeName(caller.purpose);
  return (next) => async (req) => {
    const token = await within(req.signal, caller.accessToken(req.signal));
    req.header.set("authorization", `Bearer ${token}`);
    req.header.set("coordinationplan-assignment", caller.assignment);
    req.header.set("coordinationplan-purpose", purpose);
    if (caller.unit !== undefined) {
      req.header.set("coordinationplan-unit", caller.unit);
    }
    return next(req);
  };
}

/** Waits no longer than the signal allows, also for what does not heed it. */
async function within<T>(signal: AbortSignal, work: T | Promise<T>): Promise<T> {
  signal.throwIfAborted();
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
