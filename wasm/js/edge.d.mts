/** The options of an edge. */
export interface Options {
  /** edgeauth-gate.wasm, compiled. */
  module: WebAssembly.Module;
  /**
   * The configuration of the gate: `issuer`, `audience`, `public`, `require` and the
   * others in docs/edges.md. Faults are passed to `log`, and every request is
   * answered with 503.
   *
   * With `revocationsURL`, the default of `revocations_max_age` is "5m"; null leaves
   * only the feed's own expiry, an hour. The default of `cache_size` is 16384.
   */
  config: Record<string, unknown>;
  /** The URL of the issuer's public keys: `…/v1/auth/.well-known/jwks.json`. */
  keysURL?: string;
  /**
   * The URL of its feed of revocations: `…/v1/auth/revocations/`. It is fetched
   * compressed, and after the first time only what changed. Five million revocations
   * take 84 MB, and 170 MB while a whole list replaces them, every six hours. A guest
   * that runs out of memory is replaced and fetches the list afresh; meanwhile requests
   * are answered with 503.
   */
  revocationsURL?: string;
  /**
   * The target of requests that proceed: the URL of a server, without a path, or a
   * function, for example of a service binding. Only `fetch` needs it.
   */
  upstream?: string | ((request: Request) => Promise<Response>);
  /**
   * Seconds after which the keys are fetched again. Keys are published long before
   * they sign. Default: 600.
   */
  keysInterval?: number;
  /** Seconds after which the feed is fetched again. Default: 5. */
  revocationsInterval?: number;
  /**
   * Seconds that a request waits at most for keys or feed, and that a fetch may make no
   * progress. Default: 5.
   */
  timeout?: number;
  /** Fetches keys, feed and upstream. Default: the host's fetch. */
  fetch?: typeof fetch;
  /** The clock, in milliseconds since 1970. Default: Date.now. */
  now?: () => number;
  /** Receives faults. Default: the console. */
  log?: (level: "debug" | "info" | "warn" | "error", message: string) => void;
}

/** The name of a header in lower case, and a value with a character for each byte. */
export type Header = [name: string, value: string];

/** The head of a request. */
export interface Head {
  method: string;
  /** Path and query as the client sent them and the upstream will see them. */
  uri: string;
  headers: Header[];
  protocol?: string;
  /** The client's. */
  address?: string;
}

/** The result for a request. */
export interface Exchange {
  /** 0 if the request proceeds, otherwise the status of the answer. */
  status: number;
  /** The headers of the request that proceeds. */
  headers: Header[];
  /**
   * The headers of the answer. If the request proceeds, they are added to the
   * upstream's unless it has set them itself; Vary is always added.
   */
  answer: Header[];
  /** The body of the answer, or null for none. */
  content(): Uint8Array | null;
}

/**
 * A gate in front of an upstream. It decides about one request after the other, each
 * in microseconds, and never waits for a body; one Edge serves any number of requests
 * in flight. Making one takes about 50 ms; make it when the program starts.
 */
export class Edge {
  constructor(options: Options);
  /**
   * Answers a request: refuses it, or forwards it to the upstream.
   *
   * - `address`: the client's IP address, for X-Forwarded-For
   * - `later`: receives promises of work that continues after the request; on Workers
   *   `context.waitUntil`
   */
  fetch(request: Request, context?: { address?: string; later?: (work: Promise<unknown>) => void }): Promise<Response>;
  /** Decides about a request. The caller answers or forwards it. */
  decide(head: Head, later?: (work: Promise<unknown>) => void): Promise<Exchange>;
}
