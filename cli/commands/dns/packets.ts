/**
 * `alknet dns publish|resolve`: records signed by this node's key to relays, and those of any key from them.
 *
 * @module
 */
import type { RelayClient, ResourceRecord, SignedPacket } from "@alknet/handlers/dns";
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, multiple, optional, withDefault } from "@optique/core/modifiers";
import { argument, command, flag, option } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import type { RelayChoice } from "../../dns/publishing.ts";
import type { Action, Command } from "../../grammar/action.ts";
import {
  authoritiesOption,
  configOption,
  homeOption,
  insecureFlag,
  jsonFlag,
  passphraseFileOption,
} from "../../grammar/arguments.ts";
import { ExitCode, note, oneLine, print, printJson, UsageError } from "../../terminal/output.ts";

/** What commands that reach relays share. */
export const RELAY_OPTIONS = {
  relays: multiple(option("--relay", string({ metavar: "RELAY" }), {
    description:
      message`https://… or NODEID@HOST:PORT; may be given again. Default: those of handlers.dns.pkarr.relays.`,
  })),
  insecure: insecureFlag(),
  ca: authoritiesOption(),
  home: homeOption(),
  config: configOption(),
  passphraseFile: passphraseFileOption(),
  json: jsonFlag(),
};

interface PublishOptions extends RelayChoice {
  readonly file: string;
  readonly json: boolean;
}

interface ResolveOptions extends RelayChoice {
  readonly key: string;
  readonly name?: string;
  readonly type?: string;
  readonly raw: boolean;
  readonly json: boolean;
}

/** `alknet dns publish FILE`. */
export const publishCommand: Command = command(
  "publish",
  map(
    object({
      file: argument(string({ metavar: "FILE" }), {
        description: message`A master file; names are relative to this node's id. - is stdin.`,
      }),
      ...RELAY_OPTIONS,
    }),
    (options): Action => () => publish(options),
  ),
  { brief: message`Sign records with this node's key, in place of those before, and send them to relays.` },
);

/** `alknet dns resolve KEY [NAME] [TYPE]`. */
export const resolveCommand: Command = command(
  "resolve",
  map(
    object({
      key: argument(string({ metavar: "KEY" }), { description: message`A node id, or another key in z-base-32.` }),
      name: optional(
        argument(string({ metavar: "NAME" }), { description: message`Of this name alone; @ is the key's own.` }),
      ),
      type: optional(argument(string({ metavar: "TYPE" }), { description: message`Of this type alone.` })),
      raw: withDefault(flag("--raw", { description: message`Print the payload's bytes alone.` }), false),
      ...RELAY_OPTIONS,
    }),
    (options): Action => () => resolve(options),
  ),
  { brief: message`Ask relays for the records that a key has signed.` },
);

/**
 * Sends a packet to relays and says what came of it.
 *
 * @param line What is said of a relay that has it.
 * @returns The exit code.
 */
export async function sendAll(
  packet: SignedPacket,
  relays: readonly RelayClient[],
  send: (relay: RelayClient) => Promise<SignedPacket>,
  told: { readonly line: (packet: SignedPacket) => string; readonly fields: Record<string, unknown>; json: boolean },
): Promise<number> {
  const results = await Promise.allSettled(relays.map(send));
  let code: number = ExitCode.DONE;
  for (const [n, result] of results.entries()) {
    const { name } = relays[n];
    if (result.status === "rejected") {
      note(`alknet: ${oneLine((result.reason as Error).message)}`);
      code = ExitCode.FAILED;
      continue;
    }
    const { byteLength: bytes } = messageOf(result.value);
    const timestamp = `${result.value.timestamp}`;
    if (told.json) printJson({ relay: name, key: packet.nodeId, bytes, timestamp, ...told.fields });
    else print(`stored at ${name}: ${told.line(result.value)}`);
  }
  return code;
}

/** The message in a packet. */
export function messageOf(packet: SignedPacket): Uint8Array {
  return packet.toRelayPayload().subarray(72);
}

/** When a packet was signed, in whole seconds. */
export function signedAt({ timestamp }: SignedPacket): string {
  return isoSeconds(Number(timestamp / 1_000_000n));
}

/** Unix seconds as people write them. */
export function isoSeconds(seconds: number): string {
  return new Date(1000 * seconds).toISOString().replace(/\.000Z$/, "Z");
}

async function publish(options: PublishOptions): Promise<number> {
  const [
    { configuredPkarr },
    { relaysOf },
    { parseName, sendPacket, signRecords },
    { openZones },
    { recordsOfFile },
    key,
  ] = await Promise.all([
    import("../../pkarr/configured.ts"),
    import("../../dns/publishing.ts"),
    import("@alknet/handlers/dns"),
    import("../../dns/zones.ts"),
    import("../../dns/masters.ts"),
    ownKey(options),
  ]);
  using _key = key;
  const relays = relaysOf(options, (await configuredPkarr(options)).relays);
  const records = await recordsOfFile(options.file, parseName(`${key.id}.`));
  using opened = await openZones(options);
  const { packets } = opened.store;
  const packet = signRecords(key, packets, records);
  const count = `${records.length} ${records.length === 1 ? "record" : "records"}`;
  return await sendAll(packet, relays, (relay) => sendPacket(relay, packet, { key, packets }), {
    line: (sent) => `${count}, ${messageOf(sent).byteLength} bytes, signed ${signedAt(sent)}`,
    fields: { records: records.length },
    json: options.json,
  });
}

/** The node's key, which signs; the vault is opened for it. */
export async function ownKey(options: Pick<RelayChoice, "home" | "passphraseFile">) {
  const [{ loadNodeKey, publicIdentity }, { locateHome }] = await Promise.all([
    import("../../node/node_key.ts"),
    import("../../home/home.ts"),
  ]);
  const home = locateHome(options.home);
  const key = await loadNodeKey(home, options);
  if (key) return key;
  // Says what is missing.
  await publicIdentity(home);
  throw new UsageError(`no node in ${home.folder}; make one with: alknet init`);
}

async function resolve(options: ResolveOptions): Promise<number> {
  const [{ configuredPkarr }, { relaysOf }, { formatRecord, keyOf, parseName, parseType }, { fieldsOf }] = await Promise
    .all(
      [
        import("../../pkarr/configured.ts"),
        import("../../dns/publishing.ts"),
        import("@alknet/handlers/dns"),
        import("../../dns/records.ts"),
      ],
    );
  const nodeId = options.key.replace(/^pk:/, "");
  if (!keyOf(nodeId)) throw new UsageError(`${options.key} is no key: 52 characters of z-base-32`);
  const wanted = wellFormed(() => ({
    name: options.name === undefined ? undefined : parseName(options.name, parseName(`${nodeId}.`)).key,
    type: options.type === undefined ? undefined : parseType(options.type),
  }));
  const relays = relaysOf(options, (await configuredPkarr(options)).relays);
  const found = await newest(nodeId, relays);
  if (!found) return ExitCode.FAILED;
  const { packet, relay } = found;
  if (options.raw) {
    await writeAll(packet.toRelayPayload());
    return ExitCode.DONE;
  }
  const isWanted = ({ name, type }: ResourceRecord) =>
    (wanted.name === undefined || name.key === wanted.name) && (wanted.type === undefined || type === wanted.type);
  for (const record of packet.records.filter(isWanted)) {
    if (options.json) printJson(fieldsOf(record));
    else print(formatRecord(record));
  }
  if (!options.json) {
    print(`;; relay ${relay}, signed ${signedAt(packet)}, ${messageOf(packet).byteLength} bytes`);
  }
  return ExitCode.DONE;
}

/** The newest packet that relays have; what fails is told. */
async function newest(
  nodeId: string,
  relays: readonly RelayClient[],
): Promise<{ readonly packet: SignedPacket; readonly relay: string } | undefined> {
  const answers = await Promise.allSettled(relays.map((relay) => relay.get(nodeId)));
  let best: { packet: SignedPacket; relay: string } | undefined;
  let failed = 0;
  for (const [n, answer] of answers.entries()) {
    if (answer.status === "rejected") {
      failed++;
      note(`alknet: ${oneLine((answer.reason as Error).message)}`);
    } else if (answer.value && (!best || answer.value.isNewerThan(best.packet))) {
      best = { packet: answer.value, relay: relays[n].name };
    }
  }
  if (!best && failed < relays.length) note(`alknet: no relay that was asked has a packet of ${nodeId}`);
  return best;
}

async function writeAll(bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.byteLength;) at += await Deno.stdout.write(bytes.subarray(at));
}

function wellFormed<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
