/**
 * Options that the commands of messages share.
 *
 * @module
 */
import { configOption, homeOption, jsonFlag, passphraseFileOption, transportOption } from "../../grammar/arguments.ts";

const HOME = { home: homeOption(), config: configOption(), passphraseFile: passphraseFileOption() };

/** Of those that open what the home keeps. */
export const KEPT = { ...HOME, json: jsonFlag() };

/** Of those that go to a mailbox too. */
export const SENT = { ...HOME, transport: transportOption(), json: jsonFlag() };
