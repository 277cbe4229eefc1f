// A client that sends the exact bytes of a request, in contrast to Node's clients, which
// correct them.

import net from "node:net";
import { LIMIT } from "./upstream.mjs";

/**
 * Sends the bytes of a text and returns the answer, with names in lower case; an
 * empty object if the server closes the connection.
 */
export async function exchange(port, text) {
  const socket = net.connect(port, "127.0.0.1");
  let data = "";
  try {
    socket.setTimeout(LIMIT, () => socket.destroy(new Error(`timeout: an answer to ${text.split("\r\n")[0]}`)));
    socket.write(text, "latin1");
    for await (const part of socket) {
      data += part.toString("latin1");
      const answer = parse(data, text.startsWith("HEAD "));
      if (answer) return answer;
    }
    if (data === "") return {};
    throw new Error(`half an answer: ${data}`);
  } finally {
    socket.destroy();
  }
}

// parse returns an answer, or undefined if it is incomplete. An answer to HEAD has no
// body, whatever its header says.
function parse(data, toHead) {
  const end = data.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [status, ...lines] = data.slice(0, end).split("\r\n");
  const headers = new Map();
  for (const line of lines) {
    const colon = line.indexOf(":"), name = line.slice(0, colon).toLowerCase(), value = line.slice(colon + 1).trim();
    headers.set(name, headers.has(name) ? `${headers.get(name)}, ${value}` : value);
  }
  const answer = { status: Number(status.split(" ")[1]), headers };
  answer.body = toHead ? "" : body(data.slice(end + 4), answer);
  return answer.body === undefined ? undefined : answer;
}

function body(rest, { status, headers }) {
  if (status === 204 || status === 304) return "";
  if (headers.get("transfer-encoding") === undefined) {
    const length = Number(headers.get("content-length") ?? 0);
    return rest.length < length ? undefined : rest.slice(0, length);
  }
  for (let whole = ""; ; ) {
    const line = rest.indexOf("\r\n");
    const length = parseInt(rest, 16);
    if (line < 0 || rest.length < line + 4 + length) return undefined;
    if (length === 0) return whole;
    whole += rest.slice(line + 2, line + 2 + length);
    rest = rest.slice(line + 4 + length);
  }
}
