// A guest that lets the first request proceed and fails at the second, byte by byte.
// The consequences do not depend on the cause of the failure.

const number = (n) => (n < 128 ? [n] : [(n & 127) | 128, n >> 7]);
const text = (value) => [...number(value.length), ...new TextEncoder().encode(value)];
const list = (items) => [...number(items.length), ...items.flat()];
const section = (id, content) => [id, ...number(content.length), ...content];

/** Returns the module; how is "unreachable" or "exit". */
export function faulty(how) {
  const I32 = 0x7f, I64 = 0x7e;
  const types = [
    [0x60, 0, 1, I64], // handle_request
    [0x60, 2, I32, I32, 0], // handle_response
    [0x60, 1, I32, 0], // proc_exit
    [0x60, 0, 1, I32], // reconfigure, take_revocations, is_repeatable
  ];
  // calls += 1; if (calls > 1) fail; return 1
  const fail = how === "exit" ? [0x41, 2, 0x10, 0] : [0x00];
  const handle = [
    0, 0x23, 0, 0x41, 1, 0x6a, 0x24, 0, 0x23, 0, 0x41, 1, 0x4a, 0x04, 0x40, ...fail, 0x0b, 0x42, 1, 0x0b,
  ];
  return Uint8Array.from([
    0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, list(types)),
    ...section(2, list([[...text("wasi_snapshot_preview1"), ...text("proc_exit"), 0, 2]])),
    ...section(3, list([[0], [1], [3], [3], [0]])),
    ...section(5, list([[0, 1]])),
    ...section(6, list([[I32, 1, 0x41, 0, 0x0b]])),
    ...section(7, list([
      [...text("memory"), 2, 0], [...text("handle_request"), 0, 1], [...text("handle_response"), 0, 2],
      [...text("reconfigure"), 0, 3], [...text("is_repeatable"), 0, 3], [...text("take_revocations"), 0, 4], [...text("revocations_cursor"), 0, 5],
    ])),
    ...section(10, list([[...number(handle.length), ...handle], [2, 0, 0x0b], [4, 0, 0x41, 0, 0x0b], [4, 0, 0x41, 2, 0x0b], [4, 0, 0x42, 0, 0x0b]])),
  ]);
}
