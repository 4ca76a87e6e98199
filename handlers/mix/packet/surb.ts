/**
 * Single-use reply blocks: whoever has one can answer, and learns nothing of whom (msg.md §5.1).
 *
 * ```text
 * SURB: header | first node's id 32 | payload key 32
 * kept by its maker: hop keys 32 each, in order | payload key 32
 * answer: header | wide block of Z and body under the payload key
 * ```
 *
 * Nodes of the way back take it for any packet and unwrap the body under keys that its maker drew; the maker does these
 * again, last node first, and then opens the body.
 *
 * @module
 */
import { AlknetError, joined, redact, REDACTED, wipe } from "@alknet/core/crypto";
import { POINT_LENGTH, ZERO_LENGTH } from "./geometry.ts";
import { makeHeader, type MakeOptions, type Route, type SphinxPacket } from "./packet.ts";
import { SCHEME, type Scheme } from "./scheme.ts";
import { withoutZeros } from "./unwrap.ts";

/** What opens the one answer to a reply block. Printed it shows nothing of itself. */
export class SurbKeys {
  #hops: readonly Uint8Array[];
  #payload: Uint8Array;
  #open = true;

  static {
    redact(this.prototype, () => `SurbKeys ${REDACTED}`);
  }

  private constructor(hops: readonly Uint8Array[], payload: Uint8Array) {
    this.#hops = hops;
    this.#payload = payload;
  }

  /**
   * Reads what {@linkcode SurbKeys.toBytes} gave; the bytes are copied.
   *
   * @throws {RangeError} They are no keys.
   */
  static fromBytes(bytes: Uint8Array, { layout }: Scheme = SCHEME): SurbKeys {
    const { hops, payloadKey: length } = layout;
    const count = bytes.byteLength / length;
    if (!Number.isInteger(count) || count < 2 || count > hops + 1) {
      throw new RangeError(
        `keys of a reply block are 2 to ${hops + 1} of ${length} bytes, not ${bytes.byteLength} bytes`,
      );
    }
    const keys = Array.from({ length: count }, (_, i) => bytes.slice(i * length, (i + 1) * length));
    return new SurbKeys(keys.slice(0, -1), keys.at(-1)!);
  }

  /**
   * The keys of the nodes in order, then the payload key: to be stored sealed. The caller wipes them.
   *
   * @throws {AlknetError} `SURB_USED`.
   */
  toBytes(): Uint8Array {
    if (!this.#open) throw used();
    return joined(...this.#hops, this.#payload);
  }

  /**
   * The body of an answer. It is the only one: the keys are gone, also where it was altered.
   *
   * @param delta What the last node passed on.
   * @throws {AlknetError} `SURB_USED`; `BAD_ANSWER`, for one of another length, or altered on its way.
   */
  open(delta: Uint8Array, { layout, encipher, decipher }: Scheme = SCHEME): Uint8Array {
    if (!this.#open) throw used();
    try {
      if (delta.byteLength !== layout.delta) throw badAnswer(`has ${delta.byteLength} bytes, not ${layout.delta}`);
      const sent = this.#hops.toReversed().reduce((block, key) => encipher(key, block), delta);
      const body = withoutZeros(decipher(this.#payload, sent));
      if (body === undefined) throw badAnswer("was altered on its way, or came by another reply block");
      return body;
    } finally {
      this[Symbol.dispose]();
    }
  }

  /** Wipes the keys. */
  [Symbol.dispose](): void {
    this.#open = false;
    wipe(...this.#hops, this.#payload);
  }
}

/** The way back. */
export interface ReplyRoute extends Route {
  /** 16 random bytes by which its maker finds the keys. */
  readonly surbId: Uint8Array;
}

/**
 * Makes a reply block.
 *
 * @returns What is given away, and what its maker keeps.
 * @throws As {@linkcode makePacket}.
 */
export function makeSurb(
  route: ReplyRoute,
  { random, scheme = SCHEME }: MakeOptions,
): { readonly surb: Uint8Array; readonly keys: SurbKeys } {
  const { header, payloadKeys } = makeHeader(route, { random, scheme });
  const payload = random(scheme.layout.payloadKey);
  const kept = joined(...payloadKeys, payload);
  const surb = joined(header, route.hops[0].id, payload);
  const keys = SurbKeys.fromBytes(kept, scheme);
  wipe(...payloadKeys, payload, kept);
  return { surb, keys };
}

/**
 * Answers by a reply block. Another answer by it is dropped as a replay by the first node.
 *
 * @param body As long as the geometry says: 2692 bytes by default.
 * @returns The packet, and the node to send it to.
 * @throws {AlknetError} `BAD_SURB`: it has another length or version.
 * @throws {RangeError} The body has another length.
 */
export function answerSurb(
  surb: Uint8Array,
  body: Uint8Array,
  { layout, encipher }: Scheme = SCHEME,
): { readonly packet: SphinxPacket; readonly next: Uint8Array } {
  if (surb.byteLength !== layout.surb || surb[0] !== 0) {
    throw new AlknetError("BAD_SURB", `a reply block of ${surb.byteLength} bytes is none of this network's`);
  }
  if (body.byteLength !== layout.body) {
    throw new RangeError(`a body has ${layout.body} bytes, not ${body.byteLength}`);
  }
  const block = joined(new Uint8Array(ZERO_LENGTH), body);
  const key = surb.subarray(layout.header + POINT_LENGTH);
  const bytes = joined(surb.subarray(0, layout.header), encipher(key, block));
  wipe(block);
  return { packet: { bytes }, next: surb.slice(layout.header, layout.header + POINT_LENGTH) };
}

function used(): AlknetError {
  return new AlknetError("SURB_USED", "a reply block opens one answer, and this one has");
}

function badAnswer(why: string): AlknetError {
  return new AlknetError("BAD_ANSWER", `an answer by a reply block ${why}`);
}
