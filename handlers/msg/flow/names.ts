/**
 * Names of contacts, tokens, devices and groups, and of mailboxes, as people write them.
 *
 * @module
 */
import { parseAddress } from "@alknet/core/address";
import { AlknetError } from "@alknet/core/handler";
import { NAME_CHARACTERS } from "../agreement/token.ts";

/** Throws `BAD_NAME` for what is no name of a contact or a token. */
export function checkName(name: string): void {
  if (isName(name)) return;
  throw new AlknetError(
    "BAD_NAME",
    `a name has 1 to ${NAME_CHARACTERS} characters, no spaces, and does not begin with a dash`,
  );
}

/** Whether it may be the name of a contact, a token or a group. */
export function isName(name: string): boolean {
  // deno-lint-ignore no-control-regex -- those are what is refused.
  return [...name].length <= NAME_CHARACTERS && /^[^\s\x00-\x1f\x7f-\x9f-][^\s\x00-\x1f\x7f-\x9f]*$/.test(name);
}

/** Throws `NO_MAILBOX` for an address that names no key. */
export function checkMailbox(mailbox: string): void {
  if (parseAddress(mailbox).nodeId !== undefined) return;
  throw new AlknetError(
    "NO_MAILBOX",
    `mailbox ${mailbox} names no key; write ID@HOST:PORT, its id as alknet id says it`,
  );
}
