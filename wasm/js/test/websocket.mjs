// The part of the WebSocket protocol (RFC 6455) that one short message needs.

import { createHash, randomBytes } from "node:crypto";

/** Answers a handshake and returns every message. */
export function echo(request, socket) {
  const accept = createHash("sha1").update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
  socket.on("data", (frame) => {
    if ((frame[0] & 15) === 1) socket.write(Buffer.concat([Buffer.from([0x81, frame[1] & 127]), unmask(frame)]));
    else socket.end();
  });
  socket.on("error", () => {});
}

/** Returns the headers of a handshake. */
export function handshake() {
  return {
    Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": randomBytes(16).toString("base64"),
  };
}

/** Returns the frame of a client's message of at most 125 bytes. */
export function message(text) {
  const mask = randomBytes(4), body = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x81, 0x80 | body.length]), mask, body.map((byte, i) => byte ^ mask[i % 4])]);
}

function unmask(frame) {
  const mask = frame.subarray(2, 6);
  return frame.subarray(6).map((byte, i) => byte ^ mask[i % 4]);
}
