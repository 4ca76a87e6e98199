/**
 * As whom programs run: the node's own user, or, where the node is root, one that the policy names.
 *
 * @module
 */
import { execFile } from "node:child_process";
import { homedir, userInfo } from "node:os";
import process from "node:process";
import { promisify } from "node:util";

const run = promisify(execFile);
/** Names of users as useradd(8) takes them. */
const NAME = /^[a-z_][a-z0-9_.-]{0,31}\$?$/i;

/** A user of the system. */
export interface Account {
  readonly name: string;
  readonly home: string;
  readonly shell: string;
  /** What a command begins with to run as this user: nothing where it is the node's own. */
  readonly prefix: readonly string[];
  /** Whose a terminal becomes. */
  readonly uid?: number;
}

/** The user that the node runs as. */
export function ownAccount(): Account {
  const { shell, username } = userInfo();
  return { name: username, home: homedir(), shell: shell || "/bin/sh", prefix: [] };
}

/**
 * The user of a name.
 *
 * @throws {Error} There is none, or the node may not run programs as that user: then nothing is to run.
 */
export async function accountOf(name: string): Promise<Account> {
  const own = ownAccount();
  if (name === own.name) return own;
  if (!NAME.test(name)) throw new Error(`the policy's user ${JSON.stringify(name)} is no name of a user`);
  if (process.getuid?.() !== 0) throw new Error(`only a node that is root runs programs as ${name}`);
  const entry = await run("getent", ["passwd", name]).then(({ stdout }) => stdout, () => "");
  const [, , uid, gid, , home, shell] = entry.trimEnd().split(":");
  if (!/^\d+$/.test(uid ?? "") || !/^\d+$/.test(gid ?? "")) throw new Error(`this machine has no user ${name}`);
  // setuid(2) before exec(2), with the user's own groups and none of root's capabilities (setpriv(1)).
  const prefix = ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--init-groups", "--inh-caps=-all", "--"];
  await run("setpriv", ["--version"]).catch(() => {
    throw new Error(`running programs as ${name} needs setpriv (util-linux)`);
  });
  return { name, home: home || "/", shell: shell || "/bin/sh", prefix, uid: Number(uid) };
}
