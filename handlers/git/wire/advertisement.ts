/**
 * What the node can do: for fetches in version 2 (gitprotocol-v2, "Capability Advertisement"), for other fetches and
 * pushes with its refs (gitprotocol-pack, "Reference Discovery").
 *
 * ```text
 * 000eversion 2\n 0017agent=alknet/0.1.0\n 0013ls-refs=unborn\n 0033fetch=shallow wait-for-done filter ref-in-want\n
 *   0012server-option\n 0017object-format=sha1\n 0010object-info\n 0000
 * 00d1<oid> HEAD 00 "multi_ack … symref=HEAD:refs/heads/main agent=alknet/0.1.0\n" 003f<oid> refs/heads/main\n …
 * 00b7<oid> refs/heads/main 00 "report-status … agent=alknet/0.1.0\n" 003f<oid> refs/heads/side\n 0000
 * ```
 *
 * @module
 */
import { FETCH_CAPABILITIES, FILTER, NO_DONE } from "./fetch_v0.ts";
import { FLUSH, pktLine } from "./pkt_line.ts";
import { PUSH_CAPABILITIES } from "./push_request.ts";

/** How the node calls itself. */
export const AGENT = "alknet/0.1.0";

const ZERO = "0".repeat(40);

/**
 * The lines of the advertisement, in git's order.
 *
 * @param filters Whether partial clones are served.
 */
export function advertisement(filters: boolean): Uint8Array<ArrayBuffer>[] {
  const fetch = `fetch=shallow wait-for-done ${filters ? "filter " : ""}ref-in-want`;
  const lines = ["version 2", `agent=${AGENT}`, "ls-refs=unborn", fetch, "server-option"];
  return [...[...lines, "object-format=sha1", "object-info"].map((line) => pktLine(line)), FLUSH];
}

/** A ref as it is shown. */
export interface AdvertisedRef {
  /** Its full name, or `HEAD`. */
  readonly name: string;
  /** What it points at. */
  readonly oid: string;
  /** What the tag it points at is a tag of, in the end. */
  readonly peeled?: string;
}

/** What a client is told beside the refs. */
export interface FetchAdvertisement {
  /** Its version. */
  readonly version: 0 | 1;
  /** Whether each of its requests stands for itself. */
  readonly stateless: boolean;
  /** What HEAD stands for. */
  readonly symref?: string;
  /** Whether partial clones are served. */
  readonly filters: boolean;
}

/** The lines of the advertisement for fetches in versions 0 and 1. */
export function* fetchAdvertisement(
  refs: Iterable<AdvertisedRef>,
  { version, stateless, symref, filters }: FetchAdvertisement,
): Generator<Uint8Array<ArrayBuffer>> {
  const head = symref === undefined ? [] : [`symref=HEAD:${symref}`];
  const all = [
    ...FETCH_CAPABILITIES,
    ...stateless ? [NO_DONE] : [],
    ...head,
    ...filters ? [FILTER] : [],
    `agent=${AGENT}`,
  ];
  if (version === 1) yield pktLine("version 1");
  yield* refLines(refs, all);
}

/**
 * The lines of the advertisement for pushes.
 *
 * @param nonce What who pushes may sign; absent where certificates are not taken.
 */
export function* pushAdvertisement(
  refs: Iterable<{ readonly name: string; readonly oid: string }>,
  nonce?: string,
): Generator<Uint8Array<ArrayBuffer>> {
  const signed = nonce === undefined ? [] : [`push-cert=${nonce}`];
  yield* refLines(withoutPeeled(refs), [...PUSH_CAPABILITIES, ...signed, `agent=${AGENT}`]);
}

function* withoutPeeled(refs: Iterable<{ readonly name: string; readonly oid: string }>): Generator<AdvertisedRef> {
  for (const { name, oid } of refs) yield { name, oid };
}

function* refLines(refs: Iterable<AdvertisedRef>, all: readonly string[]): Generator<Uint8Array<ArrayBuffer>> {
  let capabilities = `\0${all.join(" ")}`;
  let any = false;
  for (const { name, oid, peeled } of refs) {
    yield pktLine(`${oid} ${name}${capabilities}`);
    if (peeled !== undefined) yield pktLine(`${peeled} ${name}^{}`);
    capabilities = "";
    any = true;
  }
  if (!any) yield pktLine(`${ZERO} capabilities^{}${capabilities}`);
  yield FLUSH;
}
