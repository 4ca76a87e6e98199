/**
 * DNS over UDP, as any resolver asks it (RFC 1035 §4.2.1): what the node's zones say, in answers that are no larger than
 * who asks has shown to be theirs.
 *
 * @module
 */
import { addressGroup, type Logger, type SocketAddress } from "@alknet/core/handler";
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import type { DnsCaller } from "../caller.ts";
import { encodeMessage } from "../codec/encode.ts";
import { EdnsCode, type EdnsOption, type Message, Rcode } from "../codec/types.ts";
import { malformed, optionOf, queryOrRefusal } from "../fronts/parts.ts";
import type { CookieKind, Cookies } from "./cookies.ts";
import type { PlainParts } from "./parts.ts";
import { ResponseRate } from "./response_rate.ts";

/** Bytes of an answer: to anybody, and at most. */
const UNPROVEN = 512;
const MOST = 1232;
/** Answers that wait to be sent; beyond, the network takes no more, and neither do we. */
const MOST_WAITING = 1024;
const TC = 0x02;

/** A socket that answers. Disposing it closes it. */
export class UdpFront implements Disposable {
  readonly #parts: PlainParts;
  readonly #socket: Socket;
  readonly #cookies: Cookies;
  readonly #rate: ResponseRate;
  #waiting = 0;

  private constructor(parts: PlainParts, socket: Socket) {
    this.#parts = parts;
    this.#socket = socket;
    this.#cookies = parts.cookies;
    this.#rate = new ResponseRate({ entries: parts.limits.rateEntries });
    socket.on("message", (bytes: Uint8Array, from: RemoteInfo) => this.#take(bytes, from));
  }

  /**
   * Binds an address.
   *
   * @throws What the system says.
   */
  static async bind(parts: PlainParts, { hostname, port }: SocketAddress, log: Logger): Promise<UdpFront> {
    const type = hostname.includes(":") ? "udp6" : "udp4";
    // Addresses are written as such: a look-up for each answer would be most of what it costs.
    const lookup = (host: string, ...rest: unknown[]): void =>
      (rest.at(-1) as (error: null, address: string, family: number) => void)(null, host, type === "udp6" ? 6 : 4);
    const socket = createSocket({ type, ipv6Only: type === "udp6", lookup });
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.bind(port, hostname, () => {
        socket.off("error", reject);
        resolve();
      });
    });
    // Of a datagram that came to nothing the system tells later: nobody waits for it.
    socket.on("error", (error) => log.debug("plain udp: {error}", { error: (error as { code?: string }).code ?? "" }));
    return new UdpFront(parts, socket);
  }

  /** Where it listens. */
  get address(): SocketAddress {
    const { address: hostname, port } = this.#socket.address();
    return { hostname, port };
  }

  /** Closes the socket. */
  [Symbol.dispose](): void {
    this.#socket.close();
  }

  #take(bytes: Uint8Array, from: RemoteInfo): void {
    if (this.#waiting >= MOST_WAITING) return;
    const answer = this.#answer(bytes, from);
    if (answer instanceof Promise) answer.then((bytes) => this.#send(bytes, from), () => {});
    else this.#send(answer, from);
  }

  #send(bytes: Uint8Array | undefined, { address, port }: RemoteInfo): void {
    if (!bytes) return;
    this.#waiting++;
    try {
      this.#socket.send(bytes, port, address, () => this.#waiting--);
    } catch {
      // Closed meanwhile.
      this.#waiting--;
    }
  }

  #answer(bytes: Uint8Array, { address }: RemoteInfo): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    if (bytes.byteLength > this.#parts.limits.query) return undefined;
    const query = queryOrRefusal(bytes);
    if (!query) return undefined;
    if (query.response) return this.#judged(encodeMessage(query), address, `${query.rcode}`);
    const option = optionOf(query, EdnsCode.COOKIE);
    const kind = option && this.#cookies.judge(option.data, address);
    if (kind === "malformed") {
      return this.#judged(encodeMessage(malformed(query, Rcode.FORMERR)), address, `${Rcode.FORMERR}`);
    }
    const extra = option && [this.#cookie(option, address, kind!)];
    const proven = kind === "proven";
    const caller: DnsCaller = { front: "plain", address, unproven: !proven };
    if (proven && !this.#parts.rates.query(caller)) return undefined;
    const answered = this.#respond(query, caller, extra);
    const judged = (answer: Uint8Array) => proven ? answer : this.#judged(answer, address, this.#kindOf(query, answer));
    return answered instanceof Promise ? answered.then(judged) : judged(answered);
  }

  /** The answer, cut to what may go to who asks. */
  #respond(query: Message, caller: DnsCaller, extra: readonly EdnsOption[] | undefined) {
    const { engine } = this.#parts;
    const maxSize = caller.unproven ? UNPROVEN : Math.min(MOST, Math.max(UNPROVEN, query.edns?.udpSize ?? 0));
    const cut = (whole: Uint8Array) =>
      whole.byteLength <= maxSize ? whole : engine.respond(query, caller, { extra, maxSize });
    // Whole, it is kept for others.
    const whole = engine.respond(query, caller, { extra });
    return whole instanceof Promise ? whole.then(cut) : cut(whole);
  }

  #cookie({ data }: EdnsOption, address: string, kind: CookieKind): EdnsOption {
    return { code: EdnsCode.COOKIE, data: this.#cookies.answer(data, address, kind) };
  }

  #judged(answer: Uint8Array, address: string, kind: string): Uint8Array | undefined {
    const verdict = this.#rate.judge(addressGroup(address), kind);
    if (verdict === "whole") return answer;
    return verdict === "short" ? shortened(answer) : undefined;
  }

  /** What an answer says: its code and the name, or, where there is nothing, the zone. */
  #kindOf({ question }: Message, answer: Uint8Array): string {
    const rcode = answer[3] & 0xf;
    const answers = answer[6] << 8 | answer[7];
    if (!question) return `${rcode}`;
    const { name } = question;
    const key = answers > 0 ? name.key : this.#parts.zoneOf(name) ?? "";
    return `${rcode} ${answers > 0 ? question.type : "-"} ${key}`;
  }
}

/** The header and the question of an answer, with TC: whoever asks really comes again by TCP. */
function shortened(answer: Uint8Array): Uint8Array {
  let end = 12;
  if ((answer[4] << 8 | answer[5]) > 0) {
    while (end < answer.byteLength && answer[end] !== 0) end += 1 + answer[end];
    end += 5;
  }
  const short = answer.slice(0, end);
  short[2] |= TC;
  short.fill(0, 6, 12);
  return short;
}
