/**
 * OpenSSH's sshd behind a pair in memory: a far side that we did not write, without a port of its own.
 *
 * @module
 */
import { type Connection, memoryPair } from "@alknet/core/handler";
import { userInfo } from "node:os";
import { runProgram } from "../../support/process.ts";
import { temporaryFolder } from "../../support/temp.ts";

const SSHD = "/usr/sbin/sshd";
/** Privilege separation's folder, which a service would make. */
const EMPTY = "/run/sshd";

/** An sshd that takes one key. */
export interface Sshd extends AsyncDisposable {
  /** The key that it takes, as text. */
  readonly key: string;
  /** Another key. */
  readonly strangersKey: string;
  /** Whom it logs in. */
  readonly user: string;
  /** Fingerprint of its host key. */
  readonly hostKey: string;
  /** A file with the key that it takes. */
  readonly keyFile: string;
  /** A new connection to it. */
  connect(): Connection;
  /** Serves somebody else's connection. */
  serve(connection: Connection): Promise<void>;
  /** Cuts every connection. */
  cut(): void;
}

/** Gets one ready. `config` is added to its configuration. */
export async function sshd(config: readonly string[] = []): Promise<Sshd> {
  await using started = new AsyncDisposableStack();
  const folder = started.use(await temporaryFolder());
  for (const name of ["host", "user", "stranger"]) {
    const { code, stderr } = await runProgram("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", folder.join(name)]);
    if (code !== 0) throw new Error(stderr);
  }
  await Deno.mkdir(EMPTY, { recursive: true });
  const file = await folder.write(
    "sshd_config",
    [
      `HostKey ${folder.join("host")}`,
      `AuthorizedKeysFile ${folder.join("user.pub")}`,
      "StrictModes no",
      "UsePAM no",
      "PasswordAuthentication no",
      "PermitRootLogin yes",
      "PidFile none",
      ...config,
    ].join("\n"),
  );
  const shown = await runProgram("ssh-keygen", ["-lf", folder.join("host.pub")]);
  const running = new Set<{ near: Connection; over: Promise<void> }>();
  const cut = (): void => {
    for (const { near } of running) near.close(0, "cut");
  };
  const stack = started.move();
  return {
    key: await Deno.readTextFile(folder.join("user")),
    strangersKey: await Deno.readTextFile(folder.join("stranger")),
    user: userInfo().username,
    hostKey: shown.stdout.split(" ")[1],
    keyFile: folder.join("user"),
    serve: (connection) => serve(connection, file),
    connect() {
      const [near, far] = memoryPair("alknet/ssh");
      const one = { near, over: serve(far, file).finally(() => running.delete(one)) };
      running.add(one);
      return near;
    },
    cut,
    async [Symbol.asyncDispose]() {
      cut();
      await Promise.all([...running].map(({ over }) => over));
      await stack.disposeAsync();
    },
  };
}

async function serve(connection: Connection, config: string): Promise<void> {
  for await (const stream of connection) {
    const child = new Deno.Command(SSHD, {
      args: ["-i", "-e", "-f", config],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const ended = connection.closed.then(() => {
      try {
        child.kill("SIGTERM");
      } catch { /* it has ended by itself */ }
    });
    await Promise.allSettled([stream.readable.pipeTo(child.stdin), child.stdout.pipeTo(stream.writable), child.status]);
    connection.close(0, "");
    await ended;
    return;
  }
}
