/**
 * A node that says on its own networks where it is, to whoever asks for its id, by multicast DNS (RFC 6762). Who does not know
 * the id learns nothing: services are not listed.
 *
 * @module
 */
import { type Logger, parseIp, RecentMap, type SocketAddress } from "@alknet/core/handler";
import type { RemoteInfo, Socket } from "node:dgram";
import { encodeMessage } from "../codec/encode.ts";
import { DnsMalformedError } from "../codec/errors.ts";
import { readName, sameName } from "../codec/name.ts";
import { CLASS_IN, type DnsName, type Question, type Records, type ResourceRecord, Type } from "../codec/types.ts";
import { isOnLink, type Link, linksOfFour, ownLinks } from "./links.ts";
import { boundSocket, GROUP, hostOf, LIFE, PORT, serviceOf, TOP } from "./names.ts";

/** Options of {@linkcode mdnsResponder}. */
export interface MdnsResponderOptions {
  /** The node. */
  readonly nodeId: string;
  /** Where it listens; of an unspecified address all addresses of the machine. */
  readonly listening: readonly SocketAddress[];
  /** Told of what cannot be sent. */
  readonly log: Logger;
  /** The port at which it is asked. Default 5353; 0: any that is free. */
  readonly port?: number;
  /** The links of this machine. Default: those that it has. */
  readonly links?: () => readonly Link[];
}

/** A node that answers. Disposing of it ends that. */
export interface MdnsResponder extends Disposable {
  /** The port at which it is asked. */
  readonly port: number;
}

/** Milliseconds between answers to one asker, and between looks at the links of this machine. */
const [PAUSE, LOOK] = [1000, 30_000];
/** Askers that are remembered, and answers to all of them within a pause. */
const [MOST_ASKERS, MOST_ANSWERS] = [1024, 64];
/** Questions of a message that are read. */
const MOST_QUESTIONS = 16;
/** Seconds that those may keep an answer who are no mDNS peers (RFC 6762 §6.7). */
const LEGACY_LIFE = 10;
/** Types that ask for a service, and for a host. */
const ANY = 255;
const OF_SERVICE: ReadonlySet<number> = new Set([Type.SRV, Type.TXT, ANY]);
const OF_HOST: ReadonlySet<number> = new Set([Type.A, Type.AAAA, ANY]);

/**
 * Answers from now on.
 *
 * @throws What the system says, where the port cannot be shared.
 */
export async function mdnsResponder(options: MdnsResponderOptions): Promise<MdnsResponder> {
  const responder = new Responder(await boundSocket("0.0.0.0", options.port ?? PORT, true), options);
  await responder.join();
  return responder;
}

/** Who asks, and how. */
interface Asked {
  readonly id: number;
  readonly questions: readonly Question[];
}

class Responder implements MdnsResponder {
  readonly #socket: Socket;
  readonly #listening: readonly SocketAddress[];
  readonly #service: DnsName;
  readonly #host: DnsName;
  readonly #links: () => readonly Link[];
  readonly #log: Logger;
  /** By which it is sent to a network: the system chooses one by the address that a socket is bound to. */
  readonly #senders = new Map<string, Socket>();
  readonly #answered = new RecentMap<string, number>({ most: MOST_ASKERS });
  #round = { since: 0, answers: 0 };
  #closed = false;
  readonly #looking: ReturnType<typeof setInterval>;

  constructor(socket: Socket, { nodeId, listening, log, links = ownLinks }: MdnsResponderOptions) {
    this.#socket = socket;
    this.#listening = listening;
    this.#service = serviceOf(nodeId);
    this.#host = hostOf(nodeId);
    this.#links = links;
    this.#log = log;
    this.#looking = setInterval(() => void this.join(), LOOK);
    Deno.unrefTimer(this.#looking as unknown as number);
    this.#hear(socket);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    clearInterval(this.#looking);
    this.#socket.close();
    for (const sender of this.#senders.values()) sender.close();
  }

  /** Hears what is asked on the networks that this machine is in by now. */
  async join(): Promise<void> {
    const now = linksOfFour(this.#links()).map(({ address }) => address);
    for (const [address, sender] of this.#senders) {
      if (!now.includes(address) && this.#senders.delete(address)) sender.close();
    }
    for (const address of now.filter((address) => !this.#senders.has(address))) {
      try {
        const sender = await boundSocket(address, this.port, true);
        if (this.#closed) return void sender.close();
        this.#senders.set(address, sender);
        sender.setMulticastTTL(255);
        // What is sent to the address alone comes to it, not to the one that hears all.
        this.#hear(sender);
        this.#socket.addMembership(GROUP, address);
      } catch (error) {
        this.#failed(error as Error);
      }
    }
  }

  #hear(socket: Socket): void {
    socket.on("error", (error) => this.#failed(error));
    socket.on("message", (bytes: Uint8Array, from: RemoteInfo) => this.#take(bytes, from));
  }

  #failed(error: Error): void {
    this.#log.debug("mdns: {error}", { error: (error as { code?: string }).code ?? error.message });
  }

  #take(bytes: Uint8Array, from: RemoteInfo): void {
    const asked = questionsIn(bytes);
    if (!asked?.questions.some(({ name }) => sameName(name, this.#service) || sameName(name, this.#host))) return;
    const links = this.#links();
    const link = linksOfFour(links).find((link) => isOnLink(link, from.address));
    if (!link) return;
    const records = this.#records(links.filter(({ name }) => name === link.name));
    const answer = records.filter((record) => asked.questions.some((question) => answers(question, record)));
    // Who asks from a port of their own wants an answer as DNS has it; others share theirs, and hear it with all.
    const alone = from.port !== PORT && from.port !== this.port;
    if (answer.length === 0 || this.#isTooSoon(alone ? `${from.address} ${from.port}` : link.address)) return;
    const additional = records.filter((record) => !answer.includes(record));
    const message = alone ? legacyAnswer(asked, answer, additional) : peerAnswer(answer, additional);
    const sender = this.#senders.get(link.address) ?? this.#socket;
    sender.send(message, from.port, alone ? from.address : GROUP, (error) => {
      if (error) this.#failed(error);
    });
  }

  #isTooSoon(asker: string): boolean {
    const now = performance.now();
    if (now - this.#round.since >= PAUSE) this.#round = { since: now, answers: 0 };
    const last = this.#answered.get(asker);
    if ((last !== undefined && now - last < PAUSE) || this.#round.answers >= MOST_ANSWERS) return true;
    this.#round.answers++;
    this.#answered.set(asker, now);
    return false;
  }

  /** What is said on a network: the ports, and the addresses there that are listened at. */
  #records(links: readonly Link[]): Records {
    const host: ResourceRecord[] = [];
    const ports = new Set<number>();
    for (const { hostname, port } of this.#listening) {
      const isAny = hostname === "0.0.0.0" || hostname === "::";
      const heard = links.filter(({ address }) =>
        isAny ? hostname === "::" || !address.includes(":") : address === hostname
      );
      for (const { address } of heard) {
        const { bytes, zone } = parseIp(address) ?? {};
        const isLinkLocal = bytes?.byteLength === 16 && bytes[0] === 0xfe && (bytes[1] & 0xc0) === 0x80;
        if (!bytes || isLinkLocal || zone !== undefined) continue;
        ports.add(port);
        const type = bytes.byteLength === 4 ? Type.A : Type.AAAA;
        const isThere = host.some((record) =>
          record.type === type && record.data.every((byte, at) => byte === bytes[at])
        );
        if (!isThere) host.push(this.#record(this.#host, type, bytes));
      }
    }
    if (ports.size === 0) return [];
    const services = [...ports].map((port) =>
      this.#record(this.#service, Type.SRV, Uint8Array.of(0, 0, 0, 0, port >>> 8, port & 0xff, ...this.#host.wire))
    );
    return [...services, this.#record(this.#service, Type.TXT, Uint8Array.of(0)), ...host];
  }

  #record(name: DnsName, type: number, data: Uint8Array): ResourceRecord {
    return { name, type, class: CLASS_IN | TOP, ttl: LIFE, data };
  }
}

function answers({ name, type, class: of }: Question, record: ResourceRecord): boolean {
  if ((of & ~TOP) !== CLASS_IN && (of & ~TOP) !== ANY) return false;
  const types = record.type === Type.SRV || record.type === Type.TXT ? OF_SERVICE : OF_HOST;
  return types.has(type) && (type === ANY || type === record.type) && sameName(name, record.name);
}

const FLAGS = { aa: true, tc: false, rd: false, ra: false, ad: false, cd: false };

function peerAnswer(answer: Records, additional: Records): Uint8Array {
  return encodeMessage({ id: 0, response: true, opcode: 0, rcode: 0, flags: FLAGS, answer, authority: [], additional });
}

/** RFC 6762 §6.7: with the question, without the bit that is of mDNS alone, not to be kept for long. */
function legacyAnswer({ id, questions }: Asked, answer: Records, additional: Records): Uint8Array {
  const plain = (records: Records): Records =>
    records.map((record) => ({ ...record, class: CLASS_IN, ttl: LEGACY_LIFE }));
  return encodeMessage({
    ...{ id, response: true, opcode: 0, rcode: 0, flags: FLAGS, question: questions[0], authority: [] },
    ...{ answer: plain(answer), additional: plain(additional) },
  });
}

/** The questions of a query, of which mDNS asks several at once; nothing where it is none. */
function questionsIn(bytes: Uint8Array): Asked | undefined {
  if (bytes.byteLength < 12) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // A query, with no opcode; an rcode has no meaning (§18).
  if ((view.getUint16(2) & 0xf800) !== 0) return undefined;
  const count = view.getUint16(4);
  if (count === 0 || count > MOST_QUESTIONS) return undefined;
  const questions: Question[] = [];
  try {
    for (let at = 12; questions.length < count;) {
      const { name, end } = readName(bytes, at);
      if (end + 4 > bytes.byteLength) return undefined;
      questions.push({ name, type: view.getUint16(end), class: view.getUint16(end + 2) });
      at = end + 4;
    }
  } catch (error) {
    if (error instanceof DnsMalformedError) return undefined;
    throw error;
  }
  return { id: view.getUint16(0), questions };
}
