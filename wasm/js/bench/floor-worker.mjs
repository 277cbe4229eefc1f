// The floor in workerd: a Worker that changes headers as the gate's proxy does, without a
// gate.

import { env } from "cloudflare:workers";
import { unguarded } from "./floor.mjs";

const forward = unguarded(env.UPSTREAM);

export default { fetch: (request) => forward(request, "127.0.0.1") };
