/**
 * The asking side of git's protocol, version 2 (gitprotocol-v2): which refs there are, and a pack of what is wanted.
 *
 * ```text
 * > command=ls-refs 0001 peel symrefs ref-prefix refs/heads/ 0000    < OID NAME [symref-target:NAME] … 0000
 * > command=fetch 0001 thin-pack want OID have OID done 0000         < packfile, side bands, 0000
 * ```
 *
 * @module
 */
import { GitRequestError } from "../errors.ts";
import type { Oid } from "../objects/oid.ts";
import { isPushName } from "../wire/names.ts";
import { DELIM, FLUSH, lineText, type Packet, pktLine, type PktReader } from "../wire/pkt_line.ts";
import { Band } from "../wire/side_band.ts";
import { type Remote, remoteFault } from "./remote.ts";

/** Refs of a repository elsewhere that are listened to. */
const MOST_REFS = 100_000;
/** Lines of what it says of itself. */
const MOST_CAPABILITIES = 256;
const MOST_WORDS = 500;

/** What a repository elsewhere has. */
export interface RemoteRefs {
  /** The branch that its HEAD stands for. */
  readonly head?: string;
  /** Its refs, by their names. */
  readonly refs: ReadonlyMap<string, Oid>;
}

/** A pack that is wanted. */
export interface PackWish {
  /** Objects, with all that they reach. */
  readonly wants: readonly Oid[];
  /** What is there already, with all that it reaches. */
  readonly haves: readonly Oid[];
}

/** Asks one repository elsewhere. */
export class FetchClient {
  readonly #remote: Remote;
  readonly #idle: number;

  private constructor(remote: Remote, idle: number) {
    this.#remote = remote;
    this.#idle = idle;
  }

  /**
   * Reads what it says of itself.
   *
   * @param idle Milliseconds of silence after which it is given up.
   * @throws {AlknetError} `MIRROR_FAILED`: it is none that can be followed.
   */
  static async begin(remote: Remote, idle: number): Promise<FetchClient> {
    const client = new FetchClient(remote, idle);
    await client.#begin();
    return client;
  }

  /**
   * The refs whose names begin so.
   *
   * @throws {AlknetError} `MIRROR_FAILED`.
   */
  async refs(prefixes: readonly string[]): Promise<RemoteRefs> {
    const answer = await this.#ask("ls-refs", [
      "symrefs",
      "ref-prefix HEAD",
      ...prefixes.map((one) => `ref-prefix ${one}`),
    ]);
    const refs = new Map<string, Oid>();
    let head: string | undefined;
    for (let line = await this.#line(answer); line !== "flush"; line = await this.#line(answer)) {
      const [, oid, name, more] = /^([0-9a-f]{40}) (\S+)((?: \S+)*)$/.exec(line) ?? [];
      if (name === undefined) throw this.#fault("what it lists is no ref");
      if (name === "HEAD") head = / symref-target:(refs\/heads\/\S+)/.exec(more)?.[1];
      // Prefixes are a wish: what answers may send what it likes.
      else if (prefixes.some((prefix) => name === prefix || (prefix.endsWith("/") && name.startsWith(prefix)))) {
        if (!isPushName(name)) throw this.#fault("a ref has a name that none may have");
        refs.set(name, oid);
        if (refs.size > MOST_REFS) throw this.#fault(`more than ${MOST_REFS} refs`);
      }
    }
    return { ...(head !== undefined && { head }), refs };
  }

  /**
   * Asks for a pack.
   *
   * @returns Reads its next bytes; nothing at its end.
   * @throws {AlknetError} `MIRROR_FAILED`; reading, too.
   */
  async pack({ wants, haves }: PackWish): Promise<() => Promise<Uint8Array | undefined>> {
    const answer = await this.#ask("fetch", [
      ...["thin-pack", "ofs-delta", "no-progress"],
      ...wants.map((oid) => `want ${oid}`),
      ...haves.map((oid) => `have ${oid}`),
      "done",
    ]);
    if (await this.#line(answer) !== "packfile") throw this.#fault("it sends no pack");
    return async () => {
      while (true) {
        const packet = await this.#packet(answer);
        if (packet === "flush") return undefined;
        if (packet === "delim" || packet.byteLength === 0) throw this.#fault("a pack that is cut");
        const [band] = packet;
        if (band === Band.DATA && packet.byteLength > 1) return packet.subarray(1);
        if (band === Band.FATAL) throw this.#fault(`it says: ${wordsOf(packet.subarray(1))}`);
        if (band > Band.FATAL) throw this.#fault("a side band that is none");
      }
    };
  }

  async #begin(): Promise<void> {
    const lines = await this.#remote.advertised();
    let first = await this.#line(lines);
    // Over HTTP some name the service before they speak.
    if (first === "# service=git-upload-pack") {
      if (await this.#packet(lines) !== "flush") throw this.#fault("it does not speak git's protocol");
      first = await this.#line(lines);
    }
    if (first !== "version 2") throw this.#fault("it does not speak version 2 of git's protocol");
    const said = new Set<string>();
    for (let line = await this.#line(lines); line !== "flush"; line = await this.#line(lines)) {
      if (said.size >= MOST_CAPABILITIES) throw this.#fault("it says too much of itself");
      said.add(line);
    }
    const format = [...said].find((line) => line.startsWith("object-format="));
    if (format !== undefined && format !== "object-format=sha1") {
      throw this.#fault("its objects are not those of SHA-1");
    }
    for (const command of ["ls-refs", "fetch"]) {
      if (![...said].some((line) => line === command || line.startsWith(`${command}=`))) {
        throw this.#fault(`it does not serve ${command}`);
      }
    }
  }

  async #ask(command: string, args: readonly string[]): Promise<PktReader> {
    const parts = [pktLine(`command=${command}`), DELIM, ...args.map((one) => pktLine(one)), FLUSH];
    const question = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
    let at = 0;
    for (const part of parts) {
      question.set(part, at);
      at += part.byteLength;
    }
    return await this.#remote.ask(question);
  }

  async #line(lines: PktReader): Promise<string> {
    const packet = await this.#packet(lines);
    if (packet === "flush") return "flush";
    if (packet === "delim") throw this.#fault("an answer of another form");
    return lineText(packet);
  }

  async #packet(lines: PktReader): Promise<Packet> {
    let packet: Packet | undefined;
    try {
      packet = await lines.next(this.#idle);
    } catch (cause) {
      if (!(cause instanceof GitRequestError)) throw cause;
      throw this.#fault(cause.code === "GIT_SLOW" ? "it fell silent" : "it does not speak git's protocol", { cause });
    }
    if (packet === undefined) throw this.#fault("it hung up");
    if (packet instanceof Uint8Array && startsWithErr(packet)) {
      throw this.#fault(`it says: ${wordsOf(packet.subarray("ERR ".length))}`);
    }
    return packet;
  }

  #fault(why: string, options?: ErrorOptions): Error {
    return remoteFault(this.#remote.host, why, options);
  }
}

function startsWithErr(packet: Uint8Array): boolean {
  return packet[0] === 0x45 && packet[1] === 0x52 && packet[2] === 0x52 && packet[3] === 0x20;
}

function wordsOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes.subarray(0, MOST_WORDS)).trim();
}
