// Serves the sites of the table in workerd.

import { env } from "cloudflare:workers";
import gate from "./edgeauth-gate.wasm";
import { sitesOf } from "./table-sites.mjs";

const site = sitesOf(env.SITES, gate, env.UPSTREAM);

export default { fetch: (request) => site(request.headers.get("host")).fetch(request) };
