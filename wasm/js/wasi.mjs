// The part of WASI preview 1 that a guest built by Go for wasip1 needs: a clock, and
// standard streams for messages. There are no files, no network and no environment.

// Results of calls (WASI preview 1, errno).
const OK = 0, BADF = 8, INVAL = 28, NOSYS = 52;

const CHARACTER_DEVICE = 2; // the type of the standard streams

/** Thrown if the guest exits. The instance must not be used again. */
export class GuestExit extends Error {
  constructor(code) {
    super(`the guest exited with ${code}`);
  }
}

/**
 * Returns the imports of the module "wasi_snapshot_preview1". Other functions that
 * the guest imports return ENOSYS.
 *
 * - module: the guest, whose imports are read
 * - memory: returns the guest's memory
 * - now: returns milliseconds since 1970
 * - print: receives lines that the guest writes to its standard outputs
 */
export function wasi({ module, memory, now, print }) {
  const view = () => new DataView(memory().buffer);
  const bytes = (pointer, length) => new Uint8Array(memory().buffer, pointer, length);
  const isStandard = (fd) => fd >= 0 && fd <= 2;
  const lines = new Map(); // descriptor → the incomplete line

  const nothing = (count, size) => {
    view().setUint32(count, 0, true);
    view().setUint32(size, 0, true);
    return OK;
  };

  const calls = {
    args_sizes_get: nothing,
    environ_sizes_get: nothing,
    args_get: () => OK,
    environ_get: () => OK,

    // Both clocks are the same. When a Worker starts it is at zero, which Go reads as
    // a broken clock.
    clock_time_get(id, _precision, result) {
      if (id > 1) return INVAL;
      view().setBigUint64(result, BigInt(Math.floor(now())) * 1_000_000n || 1n, true);
      return OK;
    },
    clock_res_get(_id, result) {
      view().setBigUint64(result, 1_000_000n, true);
      return OK;
    },

    // The guest makes no secrets; it uses randomness for the order of its maps. A
    // Worker that starts has none.
    random_get(pointer, length) {
      const target = bytes(pointer, length);
      try {
        for (let i = 0; i < length; i += 65536) crypto.getRandomValues(target.subarray(i, i + 65536));
      } catch {
        target.fill(4);
      }
      return OK;
    },

    proc_exit(code) {
      throw new GuestExit(code);
    },
    sched_yield: () => OK,

    // The guest cannot wait here, so every event has occurred immediately.
    poll_oneoff(subscriptions, events, count, result) {
      for (let i = 0; i < count; i++) {
        const event = events + 32 * i, subscription = subscriptions + 48 * i;
        bytes(event, 32).fill(0);
        view().setBigUint64(event, view().getBigUint64(subscription, true), true);
        view().setUint8(event + 10, view().getUint8(subscription + 8));
      }
      view().setUint32(result, count, true);
      return OK;
    },

    fd_write(fd, list, count, result) {
      if (!isStandard(fd)) return BADF;
      let text = lines.get(fd) ?? "", sum = 0;
      for (let i = 0; i < count; i++) {
        const length = view().getUint32(list + 8 * i + 4, true);
        text += new TextDecoder().decode(bytes(view().getUint32(list + 8 * i, true), length));
        sum += length;
      }
      const complete = text.split("\n");
      lines.set(fd, complete.pop());
      complete.forEach((line) => print(line));
      view().setUint32(result, sum, true);
      return OK;
    },
    fd_fdstat_get(fd, result) {
      if (!isStandard(fd)) return BADF;
      bytes(result, 24).fill(0);
      view().setUint8(result, CHARACTER_DEVICE);
      return OK;
    },
    fd_prestat_get: () => BADF, // there is no folder
  };

  const imports = {};
  for (const wanted of WebAssembly.Module.imports(module)) {
    if (wanted.module === "wasi_snapshot_preview1") imports[wanted.name] = calls[wanted.name] ?? (() => NOSYS);
  }
  return imports;
}
