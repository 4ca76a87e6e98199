/**
 * Contacts and tokens that go again, and numbers that are compared.
 *
 * @module
 */
import type { AlknetError } from "@alknet/core/handler";
import { ExitCode, note, print, printJson } from "../terminal/output.ts";
import { visibleLine } from "../terminal/visible.ts";
import { nameOf, openMessengerHome, type Shared } from "./home.ts";
import { shownName } from "./showing.ts";

/** Time to tell the mailbox. */
const DROP_TIME = 5000;

/** `msg id --revoke`. */
export async function revokeToken(options: Shared & { readonly name?: string }): Promise<number> {
  const { name = "", json } = options;
  await using open = await openMessengerHome(options);
  const { fault } = await open.messenger.revoke(name, { signal: AbortSignal.timeout(DROP_TIME) });
  if (json) printJson({ revoked: name });
  else print(`revoked ${visibleLine(name)}`.trimEnd());
  noteLate(fault);
  return ExitCode.DONE;
}

/** `msg contact remove`. */
export async function removeContact(options: Shared & { readonly name: string }): Promise<number> {
  await using open = await openMessengerHome(options);
  const name = nameOf(open.messenger, options.name);
  const { fault } = await open.messenger.remove(name, { signal: AbortSignal.timeout(DROP_TIME) });
  if (options.json) printJson({ removed: name });
  else print(`removed ${shownName(name)}`);
  noteLate(fault);
  return ExitCode.DONE;
}

/** `msg contact verify`: the number, and whether it is the same there. */
export async function verifyContact(
  options: Shared & { readonly name: string; readonly yes: boolean },
): Promise<number> {
  await using open = await openMessengerHome(options);
  const { messenger } = open;
  const name = nameOf(messenger, options.name);
  const number = messenger.safetyNumber(name);
  if (!options.json) print(number);
  const asks = !options.yes && !options.json && Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
  const isSame = options.yes || (asks && confirm(`Does ${shownName(name)} see the same?`));
  const { verified } = isSame
    ? messenger.verify(name, number)
    : messenger.contacts().find((contact) => contact.name === name)!;
  if (options.json) printJson({ number, verified });
  else if (isSame) print(`verified ${shownName(name)}`);
  else if (!asks) note("alknet: compare it by another way; once it is the same there, say so with --yes");
  return ExitCode.DONE;
}

function noteLate(fault: AlknetError | undefined): void {
  if (fault) note(`alknet: note: its mailbox is told with the next alknet msg sync: ${fault.message}`);
}
