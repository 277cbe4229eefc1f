/** What an edge is made of. */
export interface Options {
  /** edgeauth-gate.wasm, compiled. */
  module: WebAssembly.Module;
  /**
   * The configuration of the gate: `issuer`, `audience`, `public`, `require` and the
   * rest, as docs/edges.md lists them. Faults of it go to `log`, and every request
   * is answered with 503.
   *
   * With `revocationsURL`, `revocations_max_age` is "5m" unless it is set here; null
   * sets no limit but the feed's own, an hour. `cache_size` is 16384.
   */
  config: Record<string, unknown>;
  /** Where the issuer's public keys are: `…/v1/auth/.well-known/jwks.json`. */
  keysURL?: string;
  /** Where its feed of revocations is: `…/v1/auth/revocations/`. */
  revocationsURL?: string;
  /**
   * Who gets the requests that go on: the URL of a server, without a path, or a
   * function, for example of a service binding. Only `fetch` needs it.
   */
  upstream?: string | ((request: Request) => Promise<Response>);
  /** Seconds after which the keys are read again. Default: 600. */
  keysInterval?: number;
  /** Seconds after which the feed is read again. Default: 5. */
  revocationsInterval?: number;
  /** Seconds that a request waits for keys or feed at most. Default: 5. */
  timeout?: number;
  /** What asks for keys, feed and upstream. Default: the host's. */
  fetch?: typeof fetch;
  /** The clock, in milliseconds since 1970. Default: Date.now. */
  now?: () => number;
  /** Takes what went wrong. Default: the console. */
  log?: (level: "debug" | "info" | "warn" | "error", message: string) => void;
}

/** The name of a header in lower case, and a value with a character for each byte. */
export type Header = [name: string, value: string];

/** The head of a request. */
export interface Head {
  method: string;
  /** Path and query as they were sent and as the upstream will see them. */
  uri: string;
  headers: Header[];
  protocol?: string;
  /** The client's. */
  address?: string;
}

/** What came of a request. */
export interface Exchange {
  /** 0 when the request goes on; otherwise the status of the answer. */
  status: number;
  /** The headers with which the request goes on. */
  headers: Header[];
  /**
   * The headers of the answer. When the request goes on, they are added to the
   * upstream's, unless it has set them itself; Vary always.
   */
  answer: Header[];
  /** The body of the answer, or null for none. */
  content(): Uint8Array | null;
}

/**
 * A gate before an upstream. It decides about one request after the other, each in
 * microseconds, and never waits for a body; one Edge serves any number of requests
 * in flight. Making one takes some 50 ms; make it when the program starts.
 */
export class Edge {
  constructor(options: Options);
  /**
   * Answers a request: refuses it, or forwards it to the upstream.
   *
   * - `address`: the client's IP address, for X-Forwarded-For
   * - `later`: is given promises of work that goes on behind the request; on Workers
   *   `context.waitUntil`
   */
  fetch(request: Request, context?: { address?: string; later?: (work: Promise<unknown>) => void }): Promise<Response>;
  /** Decides about a request and leaves the rest to the caller. */
  decide(head: Head, later?: (work: Promise<unknown>) => void): Promise<Exchange>;
}
