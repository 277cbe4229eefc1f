import type { Server } from "node:http";
import type { ServerOptions } from "node:https";
import type { Edge } from "./edge.mjs";

/**
 * Returns a server that does not listen yet. It forwards requests that proceed to the
 * upstream, the URL of a server without a path: bodies as streams, in both directions,
 * and WebSockets. With `tls` it serves HTTPS.
 */
export function createServer(edge: Edge, options: { upstream: string; tls?: ServerOptions }): Server;
