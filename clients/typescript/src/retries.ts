import { setTimeout as delay } from "node:timers/promises";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";

/** When and how often a call is tried again: the numbers of clients/service_config.json. */
export const retryPolicy = {
  maxAttempts: 4,
  initialBackoffMs: 100,
  maxBackoffMs: 2_000,
  backoffMultiplier: 2,
  retryableCodes: [Code.Unavailable],
} as const;

/** How long to wait before retry number `retry`, counted from 1, without jitter. */
export function backoffMs(retry: number): number {
  return Math.min(retryPolicy.initialBackoffMs * retryPolicy.backoffMultiplier ** (retry - 1), retryPolicy.maxBackoffMs);
}

/**
 * Retries what the service says it has not done. A change may be retried because it carries its request id. All attempts share the call's
 * deadline. Each wait is up to a fifth longer or shorter, so that clients which failed together do not come back together.
 *
 * @param closed Ends all attempts: the connection was closed.
 */
export function retries(closed?: AbortSignal): Interceptor {
  return (next) => async (req) => {
    if (req.stream) {
      return next(req);
    }

    const remaining = countdown(req.header);
    for (let attempt = 1; ; attempt++) {
      closed?.throwIfAborted();
      try {
        return await next(req);
      } catch (thrown) {
        const error = (req.signal.aborted || closed?.aborted ? undefined : lostConnection(thrown)) ?? ConnectError.from(thrown);
        if (attempt === retryPolicy.maxAttempts || !retryPolicy.retryableCodes.some((code) => code === error.code)) {
          throw error;
        }
        const wait = pushbackMs(error) ?? backoffMs(attempt) * (0.8 + 0.4 * Math.random());
        if (wait < 0) {
          throw error;
        }
        await delay(wait, undefined, { signal: req.signal });
        remaining();
      }
    }
  };
}

/** After how long the service wants to be tried again, where it says so (`grpc-retry-pushback-ms`); below zero for never. */
function pushbackMs(error: ConnectError): number | undefined {
  const said = error.metadata.get("grpc-retry-pushback-ms");
  return said !== null && /^-?\d+$/.test(said) ? Number(said) : undefined;
}

/** Keeps the deadline that the service is told to what is left of it. */
function countdown(header: Headers): () => void {
  const start = performance.now();
  const milliseconds = /^(\d+)m$/.exec(header.get("grpc-timeout") ?? "")?.[1];
  return () => {
    if (milliseconds !== undefined) {
      header.set("grpc-timeout", `${Math.max(1, Math.round(Number(milliseconds) - (performance.now() - start)))}m`);
    }
  };
}

const lostConnectionCodes = ["ECONNRESET", "EPIPE", "ERR_STREAM_DESTROYED", "ERR_HTTP2_INVALID_STREAM", "ERR_HTTP2_INVALID_SESSION"];

/**
 * A connection that broke is UNAVAILABLE, as in the clients for other languages. The transport reports such a loss as ABORTED, which in this
 * service means a stale etag, or as CANCELED though the caller cancelled nothing.
 */
function lostConnection(thrown: unknown): ConnectError | undefined {
  return isReset(thrown) || hasLostConnectionCode(thrown)
    ? new ConnectError("the connection to the service was lost", Code.Unavailable, undefined, undefined, thrown)
    : undefined;
}

function isReset(thrown: unknown): boolean {
  return thrown instanceof ConnectError && thrown.code === Code.Canceled && thrown.rawMessage.startsWith("http/2 stream closed with error code");
}

function hasLostConnectionCode(thrown: unknown): boolean {
  for (let cause = thrown; cause instanceof Error; cause = cause.cause) {
    if ("code" in cause && lostConnectionCodes.some((code) => code === cause.code)) {
      return true;
    }
  }
  return false;
}
