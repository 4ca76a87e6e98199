/**
 * What the commands of groups do.
 *
 * @module
 */
import type { Group } from "@alknet/handlers/msg";
import { ExitCode, note, print, printJson } from "../terminal/output.ts";
import { visibleLine } from "../terminal/visible.ts";
import { nameOf, openMessengerHome, type Shared } from "./home.ts";
import { shownName } from "./showing.ts";

/** Time to tell the members. */
const TIME = 10_000;

/** `msg group create|add|remove`. */
export async function changeGroup(
  options: Shared & {
    readonly group: string;
    readonly members: readonly string[];
    readonly what: "create" | "add" | "remove";
  },
): Promise<number> {
  await using open = await openMessengerHome(options);
  const { messenger } = open;
  const { group: name, what } = options;
  const members = options.members.map((member) => nameOf(messenger, member));
  const stop = { signal: AbortSignal.timeout(TIME) };
  const { fault, ...group } = what === "create"
    ? await messenger.groups.create(name, members, stop)
    : await messenger.groups.change(name, { [what]: members }, stop);
  show(options, group);
  if (fault) note(`alknet: note: not all members know it yet; they are told by alknet msg sync: ${fault.message}`);
  return ExitCode.DONE;
}

/** `msg group list`. */
export async function listGroups(options: Shared): Promise<number> {
  await using open = await openMessengerHome(options);
  for (const group of open.messenger.groups.list()) show(options, group);
  return ExitCode.DONE;
}

/** `msg group leave`. */
export async function leaveGroup(options: Shared & { readonly group: string }): Promise<number> {
  await using open = await openMessengerHome(options);
  show(options, open.messenger.groups.leave(options.group));
  return ExitCode.DONE;
}

/** `team  yours  bob, carol (no contact)`. */
function show({ json }: Shared, group: Group): void {
  if (json) return printJson({ ...group });
  const { name, isAdmin, isMember, members, unreached } = group;
  const who = members.map((member) => `${shownName(member)}${unreached.includes(member) ? " (no contact)" : ""}`);
  print([visibleLine(name), isMember ? isAdmin ? "yours" : "member" : "left", who.join(", ")].join("  "));
}
