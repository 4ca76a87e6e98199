/**
 * Relays as commands reach them.
 *
 * @module
 */
import type { RelayClient } from "@alknet/handlers/dns";
import { prepareDials } from "../reaching/reach.ts";
import { UsageError } from "../terminal/output.ts";
import { type RelayDial, relayOf } from "../pkarr/relays.ts";

/** Which relays are meant, and who is believed. */
export interface RelayChoice {
  /** As they were written; default: those of the configuration. */
  readonly relays: readonly string[];
  /** Skip the check of relays. */
  readonly insecure: boolean;
  /** File of certificate authorities. */
  readonly ca?: string;
  /** Home folder. */
  readonly home?: string;
  /** Configuration file. */
  readonly config?: string;
  /** File with the passphrase of the vault. */
  readonly passphraseFile?: string;
}

/** Milliseconds for a connection to a relay. */
const DIAL_TIME = 4000;

/**
 * The relays that are meant.
 *
 * @throws {UsageError} There are none, or one is none.
 */
export function relaysOf(choice: RelayChoice, configured: readonly string[]): RelayClient[] {
  const texts = choice.relays.length > 0 ? choice.relays : configured;
  if (texts.length === 0) throw new UsageError("no relay; give --relay https://… or --relay NODEID@HOST:PORT");
  const dials = new Map<string, ReturnType<typeof prepareDials>>();
  const dial: RelayDial = async (address, alpn, transport, signal) => {
    let prepared = dials.get(transport);
    if (!prepared) {
      dials.set(transport, prepared = prepareDials({ ...choice, address, transport, timeout: DIAL_TIME }));
    }
    return await (await prepared)(address, alpn, signal);
  };
  try {
    return texts.map((text) => relayOf(text, dial));
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
