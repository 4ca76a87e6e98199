/**
 * Peers written in Python (aioquic, tlslite-ng): test-only programs that speak JSON lines with the test.
 *
 * The virtual environment under `.cache/venv` is made once by `deno task test`. A peer script lives in `tests/peers/`,
 * reads one JSON object a line on its standard input and writes one a line on its standard output.
 *
 * @module
 */
import { Child, type StartOptions } from "./process.ts";

/** Root folder of the project. */
export const ROOT: string = new URL("../../", import.meta.url).pathname;
/** The virtual environment. */
export const VENV: string = `${ROOT}.cache/venv`;
/** Its interpreter. */
export const PYTHON: string = `${VENV}/bin/python`;
/** Where the peers that run on Node are installed; a program that imports one runs in this folder. */
export const NODE_PEERS: string = `${ROOT}.cache/node_peers`;

/** Where the peer written in Go is built, and the program. */
export const GO_PEERS: string = `${ROOT}.cache/go_peers`;
export const GO_GIT_CLIENT: string = `${GO_PEERS}/go_git`;

/** Where the peer of packets written in Go is built, and the program. */
export const GO_SPHINX: string = `${ROOT}.cache/go_sphinx`;
export const GO_SPHINX_PEER: string = `${GO_SPHINX}/go_sphinx`;

/** Where the servers of S3 are: the one written in Go is built in a folder of its own, the other comes from PyPI. */
export const GO_S3: string = `${ROOT}.cache/go_s3`;
/** See {@linkcode GO_S3}. */
export const VERSITYGW: string = `${GO_S3}/versitygw`;
/** See {@linkcode GO_S3}. */
export const WEED: string = `${VENV}/bin/weed`;

/** Starts `tests/peers/<script>` in the virtual environment. A test that does so has `...needs("python")`. */
export function startPeer(script: string, args: readonly string[] = [], options: StartOptions = {}): Peer {
  return new Peer(script, args, options);
}

/** A Python program that answers JSON lines. */
export class Peer extends Child {
  /** See {@linkcode startPeer}. */
  constructor(script: string, args: readonly string[], options: StartOptions) {
    const env = { PYTHONDONTWRITEBYTECODE: "1", PYTHONUNBUFFERED: "1", ...options.env };
    super(PYTHON, [`${ROOT}tests/peers/${script}`, ...args], { ...options, env });
  }

  /** Sends one JSON line. */
  send(message: unknown): Promise<void> {
    return this.write(`${JSON.stringify(message)}\n`);
  }

  /** Sends one JSON line and returns the next that comes back. */
  async ask<T = Record<string, unknown>>(message: unknown): Promise<T> {
    await this.send(message);
    return await this.json<T>();
  }
}
