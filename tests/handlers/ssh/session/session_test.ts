/**
 * Commands, shells and terminals, by OpenSSH's client (ssh.md rows 1 to 4).
 *
 * @module
 */
import assert from "node:assert/strict";
import { runProgram } from "../../../support/process.ts";
import { needs } from "../../../support/programs.ts";
import { sshNode } from "../node.ts";

/** Looks until something is so; a guard against hanging, not a measurement. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 20_000;
  while (!await isSo()) {
    assert.ok(performance.now() < end, "it never came about");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const PROGRAMS = needs("ssh", "ssh-keygen");
const ALL = { shell: true, exec: true } as const;

for (const transport of ["quic", "tls"] as const) {
  Deno.test({
    name: `alknet/ssh over ${transport}: ssh runs commands; output, exit code, exit signal (ssh.md row 1)`,
    ...PROGRAMS,
    async fn() {
      await using node = await sshNode({ transport, policy: ALL });
      assert.deepEqual(await node.ssh([], ["echo out; echo err >&2; exit 7"]), {
        code: 7,
        stdout: "out\n",
        stderr: "err\n",
      });
      for (const code of [0, 1, 255]) assert.equal((await node.ssh([], [`exit ${code}`])).code, code);
      // OpenSSH's client says of a signal that it was not an exit.
      assert.equal((await node.ssh([], ["kill -TERM $$"])).code, 255);
      const { stdout } = await node.ssh([], ["cat; echo after the end"], "stdin\n");
      assert.equal(stdout, "stdin\nafter the end\n");
    },
  });
}

Deno.test({
  name: "alknet/ssh: 8 MB of every byte through stdin and stdout come back as they were (ssh.md row 3)",
  ...PROGRAMS,
  async fn() {
    await using node = await sshNode({ policy: ALL });
    const bytes = Uint8Array.from({ length: 8_000_000 }, (_, at) => (at * 2654435761) >>> 24);
    await Deno.writeFile(`${node.folder}/in`, bytes);
    const ssh = `ssh ${node.options.map((one) => `'${one}'`).join(" ")} anyone@node cat < in > out`;
    const { code, stderr } = await runProgram("sh", ["-c", ssh], { cwd: node.folder });
    assert.equal(code, 0, stderr);
    assert.ok(Uint8Array.from(await Deno.readFile(`${node.folder}/out`)).every((byte, at) => byte === bytes[at]));
  },
});

Deno.test({
  name: "alknet/ssh: a terminal of the asked size and kind, and what a program in it ends with (ssh.md row 2)",
  ...PROGRAMS,
  async fn() {
    await using node = await sshNode({ policy: ALL });
    const { code, stdout } = await node.ssh(["-tt"], ["stty size; tty; echo $TERM; exit 3"], "");
    assert.equal(code, 3);
    assert.match(stdout, /\d+ \d+\r\n\/dev\/pts\/\d+\r\n/);
  },
});

Deno.test({
  name: "alknet/ssh: a program that closes its terminal before it ends has its exit code (ssh.md row 2)",
  ...PROGRAMS,
  async fn() {
    await using node = await sshNode({ policy: ALL });
    // Time in which a terminal that nobody holds would be closed, with what that does to its programs.
    const command = "exec sh -c 'echo $$; exec <&- >&- 2>&-; sleep 0.2; exit 5'";
    const { code, stdout } = await node.ssh(["-tt"], [command], "");
    assert.equal(code, 5);
    assert.match(stdout, /^\d+\r\n$/);
  },
});

Deno.test({
  name: "alknet/ssh: a shell in a terminal takes commands, ctrl-C, and ctrl-D (ssh.md row 2)",
  ...PROGRAMS,
  async fn() {
    await using node = await sshNode({ policy: ALL });
    await using shell = node.start(["-tt"], []);
    // A shell tells the terminal of pasting before each prompt.
    // deno-lint-ignore no-control-regex
    const prompt = /^(?:\x1b\[\?2004[hl]\r?)*prompt here\r?$/;
    await shell.write("PS1='prompt he''re\\n'\n");
    await shell.line(prompt);
    // Once it speaks, it is what the terminal's signals go to.
    await shell.write("sh -c \"trap 'kill \\$!; echo interrup''ted; exit' INT; echo g''o; sleep 1000 & wait\"\n");
    await shell.line(/go\r?$/);
    await shell.write("\x03");
    await shell.line(/interrupted\r?$/);
    await shell.line(prompt);
    await shell.write("\x04");
    const { code } = await shell.status;
    assert.ok(code === 0 || code === 130, `${code}`);
  },
});

Deno.test({
  name: "alknet/ssh: who disappears hangs up on what was started (ssh.md layer 2)",
  ...PROGRAMS,
  async fn() {
    await using node = await sshNode({ policy: ALL });
    await using ssh = node.start([], [
      "trap 'echo hung up > hup; exit' HUP; cd " + node.folder + "; echo up; while :; do sleep 0.1; done",
    ]);
    await ssh.line(/^up$/);
    ssh.kill("SIGKILL");
    await ssh.status;
    await until(async () => await Deno.readTextFile(`${node.folder}/hup`).catch(() => "") === "hung up\n");
  },
});

Deno.test({
  name: "alknet/ssh: a known RSA key logs in with 3072 bits, and not with 2048 (security.md)",
  ...PROGRAMS,
  async fn() {
    for (const [bits, code] of [[3072, 0], [2048, 255]]) {
      await using node = await sshNode({ policy: ALL, keyType: ["-t", "rsa", "-b", `${bits}`] });
      assert.equal((await node.ssh([], ["true"])).code, code, `${bits}`);
    }
  },
});

const REFUSALS: readonly {
  name: string;
  policy?: Parameters<typeof sshNode>[0];
  more?: string[];
  command?: string[];
}[] = [
  { name: "a stranger's key", policy: { policy: ALL }, more: ["-i", "stranger"] },
  { name: "a password", policy: { policy: ALL }, more: ["-i", "stranger", "-o", "PreferredAuthentications=password"] },
  { name: "a command for who has no policy and no scope" },
  { name: "a shell for who may run commands", policy: { policy: { exec: true } }, command: [] },
  {
    name: "a command that is not in the list",
    policy: { policy: { exec: { commands: ["true"] } } },
    command: ["false"],
  },
];
for (const { name, policy, more = [], command = ["echo done"] } of REFUSALS) {
  Deno.test({
    name: `alknet/ssh: ${name} is refused (ssh.md row 4)`,
    ...PROGRAMS,
    async fn() {
      await using node = await sshNode(policy);
      const { code, stdout } = await node.ssh(
        more.map((one) => one === "stranger" ? `${node.folder}/stranger` : one),
        command,
        "",
      );
      assert.notEqual(code, 0);
      assert.equal(stdout, "");
    },
  });
}

Deno.test({
  name: "alknet/ssh: scopes give a shell, commands that are listed run, a forced one runs in place of any",
  ...PROGRAMS,
  async fn() {
    {
      await using node = await sshNode({ scopes: ["ssh:exec"] });
      assert.equal((await node.ssh([], ["echo scope"])).stdout, "scope\n");
    }
    {
      await using node = await sshNode({ policy: { exec: { commands: ["echo listed"] } } });
      assert.equal((await node.ssh([], ["echo listed"])).stdout, "listed\n");
    }
    await using node = await sshNode({ policy: { exec: { force: 'echo "asked: $SSH_ORIGINAL_COMMAND"' } } });
    assert.equal((await node.ssh([], ["rm -rf /"])).stdout, "asked: rm -rf /\n");
  },
});
