import type { Server } from "node:http";
import type { ServerOptions } from "node:https";
import type { Edge } from "./edge.mjs";

/**
 * Returns a server that is not listening yet. What the gate lets through it
 * forwards to the upstream, the URL of a server without a path: bodies as they
 * come, in both directions, and WebSockets. With `tls` it speaks HTTPS.
 */
export function createServer(edge: Edge, options: { upstream: string; tls?: ServerOptions }): Server;
