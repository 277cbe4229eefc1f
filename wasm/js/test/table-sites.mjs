// Sites for the table of cases, by the names of their hosts: "site-1" and so on.
// Each has a configuration and a time of its own.

import { Edge } from "./edge.mjs";

/** Returns the decider of each site, made when it is asked for. */
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
