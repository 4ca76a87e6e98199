/**
 * Keys of the vault as other programs take them: OpenSSH, sshd, openssl.
 *
 * @module
 */
import { deepEqual, equal, match } from "node:assert/strict";
import { findProgram, needs } from "../../support/programs.ts";
import { runAlknet, runProgram } from "../../support/process.ts";
import vectors from "../../vectors/alknet-vault.json" with { type: "json" };
import { type TestVault, testVault } from "./folder.ts";

const SSH_HOST = "m/74'/0'/1'/0'";
const DEVICE = "m/74'/0'/0'/7'";

Deno.test({
  name: "alknet vault derive --format openssh: ssh-keygen -l reads both halves, and says what alknet id says",
  ...needs("ssh-keygen"),
  async fn() {
    await using vault = await testVault();
    const { sshHostKey } = JSON.parse((await runAlknet(["id", "--json", "--home", vault.path])).stdout);
    for (const part of ["--public", "--private --yes"]) {
      const file = await vault.write(
        "key",
        await vault.done(`derive ${SSH_HOST} --format openssh --comment host ${part}`),
      );
      const { code, stdout, stderr } = await runProgram("ssh-keygen", ["-l", "-f", file]);
      equal(code, 0, stderr);
      equal(stdout, `256 ${sshHostKey} host (ED25519)\n`);
    }
  },
});

Deno.test({
  name: "alknet vault derive --format openssh: sshd serves with the host key, and ssh logs in with a key of a device",
  ...needs("ssh", "sshd", "linux"),
  async fn() {
    await using vault = await testVault();
    const hostKey = await vault.write("host", await vault.done(`derive ${SSH_HOST} --format openssh --private --yes`));
    const clientKey = await vault.write(
      "client",
      await vault.done(`derive ${DEVICE} --format openssh --private --yes`),
    );
    const authorized = await vault.write("authorized", await vault.done(`derive ${DEVICE} --format openssh`));
    await using server = await listen(vault, hostKey, authorized);
    const known = `[127.0.0.1]:${server.port} ${await vault.done(`derive ${SSH_HOST} --format openssh`)}`;
    const knownHosts = await vault.write("known", known);
    const options = {
      UserKnownHostsFile: knownHosts,
      StrictHostKeyChecking: "yes",
      IdentitiesOnly: "yes",
      BatchMode: "yes",
      PreferredAuthentications: "publickey",
    };
    const ssh = (key: string) =>
      runProgram("ssh", [
        ...["-F", "none", "-i", key, "-p", String(server.port)],
        ...Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]),
        "127.0.0.1",
        "echo logged in",
      ]);
    const { code, stdout, stderr } = await ssh(clientKey);
    equal(stdout, "logged in\n", stderr + await server.log());
    equal(code, 0);
    // The host key is no key of a user: what lets the other in is the key.
    equal((await ssh(hostKey)).code, 255);
  },
});

Deno.test({
  name: "alknet vault derive --format pem: openssl pkey reads each kind of key, public and private",
  ...needs("openssl"),
  async fn() {
    await using vault = await testVault();
    const kinds = [[SSH_HOST, /ED25519/], ["m/74'/3'/0'/0'", /X25519/], ["m/44'/60'/0'/0/0", /secp256k1/]] as const;
    for (const [path, kind] of kinds) {
      const publicPem = await vault.done(`derive ${path} --format pem`);
      const privatePem = await vault.done(`derive ${path} --format pem --private --yes`);
      const shown = await runProgram("openssl", ["pkey", "-noout", "-text"], { stdin: privatePem });
      equal(shown.code, 0, shown.stderr);
      match(shown.stdout, kind);
      const half = await runProgram("openssl", ["pkey", "-pubout"], { stdin: privatePem });
      const whole = await runProgram("openssl", ["pkey", "-pubin", "-pubout"], { stdin: publicPem });
      equal(half.stdout, whole.stdout, path);
      equal(whole.code, 0, whole.stderr);
    }
  },
});

Deno.test("alknet vault derive: hex of every path of the vectors, and the Ethereum address in EIP-55", async () => {
  await using vault = await testVault();
  const own = vectors.vectors.filter(({ mnemonic, passphrase }) =>
    mnemonic === vectors.vectors[0].mnemonic && !passphrase
  );
  for (const { path, slip10 } of own.slice(0, 4)) {
    equal(await vault.done(`derive ${path}`), `${slip10.public}\n`, path);
    equal(await vault.done(`derive ${path} --private --yes`), `${slip10.private}\n`, path);
  }
  const [{ path, private: secret, public: half, address }] = vectors.ethereum;
  equal(await vault.done(`derive ${path} --format eth`), `${address}\n`);
  const shown = JSON.parse(await vault.done(`derive ${path} --private --yes --json`));
  deepEqual(shown, { path, keyType: "secp256k1", part: "private", format: "hex", key: secret });
  equal(await vault.done(`derive ${path}`), `${half}\n`);
});

/** sshd on a free port of 127.0.0.1: each connection has one of its own (`sshd -i`), so that nobody else can take the port. */
async function listen(vault: TestVault, hostKey: string, authorized: string): Promise<
  AsyncDisposable & {
    readonly port: number;
    log(): Promise<string>;
  }
> {
  // What Debian's service makes at its start: sshd of root will not run without.
  if (Deno.uid() === 0) await Deno.mkdir("/run/sshd", { recursive: true, mode: 0o755 });
  const logFile = vault.join("log");
  const config = await vault.write(
    "config",
    `HostKey ${hostKey}
AuthorizedKeysFile ${authorized}
UsePAM no
StrictModes no
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
`,
  );
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const running: Promise<unknown>[] = [];
  const accepting = (async () => {
    for await (const connection of listener) {
      const sshd = new Deno.Command(findProgram("sshd")!, {
        args: ["-i", "-f", config, "-E", logFile],
        stdin: "piped",
        stdout: "piped",
        stderr: "null",
      }).spawn();
      running.push(
        connection.readable.pipeTo(sshd.stdin).catch(() => {}),
        sshd.stdout.pipeTo(connection.writable).catch(() => {}),
        sshd.status,
      );
    }
  })();
  return {
    port: listener.addr.port,
    log: () => Deno.readTextFile(logFile).catch(() => ""),
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      await Promise.all(running);
    },
  };
}
