// Sites for the table of cases, by the names of their hosts: "site-1" and so on. Each has
// its own configuration and time.

import { Edge } from "./edge.mjs";

/** Returns a function that returns the edge of a site, made with its first request. */
export function sitesOf(text, module, upstream) {
  const sites = JSON.parse(text), made = new Map();
  return (host) => {
    const number = Number(/^site-(\d+)/.exec(host)[1]);
    if (!made.has(number)) {
      const { config, time } = sites[number];
      made.set(number, new Edge({ module, config, upstream, now: () => Date.parse(time) }));
    }
    return made.get(number);
  };
}
