/**
 * The memory that a node shares with an engine process: rings for bulk data, and the flight record.
 *
 * It is a file in memory, so that neither a full disk nor a read-only one can make an engine fall. Where the system gives
 * none, everything goes over the socket, and what ends an engine has no name.
 *
 * ```text
 * 0            rings, see shared_ring.ts
 * SHARED_SIZE  flight record, see flight_recorder.ts
 * ```
 *
 * @module
 */
import { RECORD_SIZE } from "./flight_recorder.ts";
import { hasLibc } from "../linux/call_table.ts";
import { mapShared, memoryFile, type SharedMap } from "../linux/shared_pages.ts";
import { SHARED_SIZE } from "./shared_ring.ts";

/** The memory, as one side has it. */
export interface EngineMemory extends Disposable {
  /** The rings. */
  readonly rings: Uint8Array<ArrayBuffer>;
  /** The flight record. */
  readonly record: Uint8Array<ArrayBuffer>;
  /** Takes it away from this side; neither part may be touched afterwards. */
  [Symbol.dispose](): void;
}

/** Memory that an engine may come and map. */
export interface OfferedMemory {
  /** This side of it. */
  readonly memory: EngineMemory;
  /** Where the engine finds it. */
  readonly path: string;
  /** Nobody else finds it any more. */
  withdraw(): void;
}

/** Makes memory for an engine, where the system has it and lets us: a sandbox may forbid it. */
export function offerMemory(): OfferedMemory | undefined {
  if (!hasLibc()) return undefined;
  let withdraw = (): void => {};
  try {
    const file = memoryFile("alknet-engine");
    withdraw = () => file.close();
    return { memory: partsOf(mapShared(file.path, SHARED_SIZE + RECORD_SIZE)), path: file.path, withdraw };
  } catch {
    withdraw();
  }
}

/** Maps the memory that the node offers, unless the system forbids it, such as where /proc hides other processes. */
export function acceptMemory(path: string): EngineMemory | undefined {
  if (path === "" || !hasLibc()) return undefined;
  try {
    return partsOf(mapShared(path, SHARED_SIZE + RECORD_SIZE));
  } catch { /* then without */ }
}

function partsOf(map: SharedMap): EngineMemory {
  return {
    rings: map.bytes.subarray(0, SHARED_SIZE),
    record: map.bytes.subarray(SHARED_SIZE),
    [Symbol.dispose]: () => map.unmap(),
  };
}
