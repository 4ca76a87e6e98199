/**
 * Upstreams that a test speaks for, message by message, and a forwarder over them.
 *
 * @module
 */
import { DialError, memoryPair } from "@alknet/core/handler";
import {
  decodeMessage,
  type DnsLimits,
  dnsLimitsWith,
  encodeMessage,
  type Forwarder,
  forwarder,
  type ForwarderOptions,
  type Message,
  type NoReply,
  parseName,
  type Reply,
  type UpstreamOptions,
} from "../../../../handlers/dns/mod.ts";
import { render } from "../../../../handlers/dns/forward/reply.ts";
import { HeldClock } from "../../call/links.ts";
import { framed, line, query, record } from "../zone.ts";

/** What an upstream says to a query: messages, bytes, or nothing. */
export type Speaks = (query: Message) => readonly (Message | Uint8Array)[];

/** An upstream. */
export class SpokenUpstream {
  /** What it was asked, in order, with the bytes. */
  readonly asked: { readonly query: Message; readonly bytes: Uint8Array }[] = [];
  /** How it is described. */
  readonly options: UpstreamOptions;
  /** What it says. */
  speaks: Speaks;
  /** Whether it can be dialled. */
  isThere = true;
  /** How often it was dialled. */
  dials = 0;
  readonly #send: ((message: Message | Uint8Array) => Promise<void>)[] = [];
  readonly #hangUp: (() => void)[] = [];
  #waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  constructor(speaks: Speaks, options: Partial<UpstreamOptions> = {}) {
    this.speaks = speaks;
    this.options = { via: "dot", label: "upstream:853", dial: () => this.#dial(), ...options };
  }

  /** Waits until it was asked so often. */
  askedTimes(count: number): Promise<void> {
    if (this.asked.length >= count) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ count, resolve }));
  }

  /** Sends something on the last connection. */
  send(message: Message | Uint8Array): Promise<void> {
    return this.#send.at(-1)!(message);
  }

  /** Ends the last connection. */
  hangUp(): void {
    this.#hangUp.at(-1)!();
  }

  async #dial() {
    this.dials++;
    if (!this.isThere) throw new DialError("UNREACHABLE", "nobody is there");
    const [client, server] = memoryPair("dot", { singleStream: true });
    this.#hangUp.push(() => server.close(0, ""));
    void this.#serve(server).catch(() => {});
    return await Promise.resolve(client);
  }

  async #serve(server: ReturnType<typeof memoryPair>[1]): Promise<void> {
    for await (const { readable, writable } of server) {
      const writer = writable.getWriter();
      this.#send.push((message) => writer.write(framed(message)));
      let bytes = new Uint8Array(0);
      for await (const part of readable) {
        bytes = Uint8Array.from([...bytes, ...part]);
        while (bytes.byteLength >= 2 && bytes.byteLength >= 2 + (bytes[0] << 8 | bytes[1])) {
          const end = 2 + (bytes[0] << 8 | bytes[1]);
          const message = bytes.slice(2, end);
          bytes = bytes.slice(end);
          const query = decodeMessage(message);
          const said = this.speaks(query);
          if (said.length > 0) await writer.write(framed(...said));
          this.asked.push({ query, bytes: message });
          for (const { count, resolve } of this.#waiting) if (this.asked.length >= count) resolve();
        }
      }
    }
  }
}

/** An answer to a query, of lines as master files have them; those behind `;` are authority. */
export function says(query: Message, lines: readonly string[] = [], changes: Partial<Message> = {}): Message {
  const at = lines.indexOf(";");
  const records = (part: readonly string[]) => part.map((each) => record(each, "invalid"));
  return {
    ...query,
    response: true,
    flags: { ...query.flags, ra: true, ad: false },
    answer: records(at < 0 ? lines : lines.slice(0, at)),
    authority: records(at < 0 ? [] : lines.slice(at + 1)),
    ...changes,
  };
}

/** A query of a client: recursion is wanted, EDNS is spoken. */
export function asks(name: string, type = "A", changes: Partial<Message> = {}): Message {
  const made = query(name, type);
  const edns = { udpSize: 1232, version: 0, dnssecOk: false, options: [] };
  return { ...made, flags: { ...made.flags, rd: true }, edns, ...changes };
}

/** A forwarder over upstreams, and the clock that it goes by. */
export function forwarding(
  upstreams: readonly SpokenUpstream[],
  limits: Partial<DnsLimits> = {},
  options: Partial<ForwarderOptions> = {},
): { readonly clock: HeldClock; readonly forward: Forwarder; ask(query: Message): Promise<Told> } & Disposable {
  const clock = new HeldClock();
  const forward = forwarder({
    upstreams: upstreams.map(({ options }) => options),
    limits: dnsLimitsWith(limits),
    clock,
    ...options,
  });
  return {
    clock,
    forward,
    ask: async (query) => told(await forward.resolve(query), query),
    [Symbol.dispose]: () => forward[Symbol.dispose](),
  };
}

/** What a client is told. */
export interface Told {
  /** Lines of the answer. */
  readonly answer: readonly string[];
  /** Lines of the authority. */
  readonly authority: readonly string[];
  /** The code; SERVFAIL where there was nothing. */
  readonly rcode: number;
  /** Codes of extended errors. */
  readonly errors: readonly number[];
  /** Whether it is said to be validated. */
  readonly ad: boolean;
}

/** What a reply says to who asked. */
export function told(reply: Reply | NoReply, query: Message): Told {
  if ("failure" in reply) return { answer: [], authority: [], rcode: 2, errors: [reply.failure[0]], ad: false };
  const message = decodeMessage(render(reply, query, { ra: true })!);
  const errors = (message.edns?.options ?? []).filter(({ code }) => code === 15);
  return {
    answer: message.answer.map(line),
    authority: message.authority.map(line),
    rcode: message.rcode,
    errors: errors.map(({ data }) => data[0] << 8 | data[1]),
    ad: message.flags.ad,
  };
}

/** The name of a zone. */
export const zoneName = (text: string) => parseName(`${text}.`);

/** Bytes of a message. */
export const bytesOf = (message: Message): Uint8Array => encodeMessage(message);

/** Lets everything run that waits for nothing but its turn. */
export async function settled(): Promise<void> {
  for (let n = 0; n < 20; n++) await new Promise<void>((resolve) => setTimeout(resolve, 0));
}
