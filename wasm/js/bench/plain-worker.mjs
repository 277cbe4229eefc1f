// The baseline in workerd: a Worker that forwards every request unchanged.

import { env } from "cloudflare:workers";

export default {
  fetch(request) {
    const url = new URL(request.url);
    return fetch(env.UPSTREAM + url.pathname + url.search, { method: request.method, headers: request.headers, body: request.body, redirect: "manual" });
  },
};
