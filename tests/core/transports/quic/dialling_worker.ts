/**
 * A worker that dials: it is told an address and a transport, and tells how that went.
 *
 * @module
 */
import { connect } from "../../../../core/endpoint/dial.ts";
import { AlknetError } from "../../../../core/errors.ts";

/** What it is told. */
export interface DialTask {
  /** `NODEID@HOST:PORT`. */
  readonly address: string;
  readonly transport: "quic" | "tls" | "auto";
}

/** What it tells: the transport that carried the connection, or the error. */
export interface DialResult {
  readonly transport?: string;
  readonly code?: string;
  readonly message?: string;
}

/** A worker that dials on request; disposal ends it. */
export class DiallingWorker implements Disposable {
  readonly #worker = new Worker(import.meta.url, { type: "module" });

  /** Lets it dial once. */
  dial(task: DialTask): Promise<DialResult> {
    const { promise, resolve, reject } = Promise.withResolvers<DialResult>();
    this.#worker.onmessage = ({ data }) => resolve(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message));
    };
    this.#worker.postMessage(task);
    return promise;
  }

  /** Ends it without a farewell. */
  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}

/** What is dialled. */
export const ALPN = "alknet/isolates";

if ("WorkerGlobalScope" in globalThis) {
  addEventListener("message", async (event) => {
    const { address, transport } = (event as MessageEvent<DialTask>).data;
    (globalThis as unknown as Worker).postMessage(await result(address, transport));
  });
}

async function result(address: string, transport: DialTask["transport"]): Promise<DialResult> {
  try {
    const connection = await connect(address, ALPN, { transport });
    const done = { transport: connection.transport };
    await connection[Symbol.asyncDispose]();
    return done;
  } catch (error) {
    return error instanceof AlknetError ? { code: error.code, message: error.message } : { message: String(error) };
  }
}
