/**
 * A command that is killed while it writes leaves the old state or the new one (vault.md row 14): `kill -9`, at each moment
 * at which something changes in the home folder.
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { needs } from "../../support/programs.ts";
import { runAlknet, startAlknet } from "../../support/process.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { PHRASE, testVault } from "./folder.ts";

/** Changes of the folder after which the command is killed; the last of them come after its end. */
const MOMENTS = [1, 2, 3, 4, 6, 8, 10, 13];
/** What is listed of the vault before the command. */
const LISTED = "a  key version 2\n";

Deno.test({
  name: "alknet init, killed at any moment, has made a node or none; a second init makes one or refuses",
  ...needs("linux"),
  async fn() {
    const seen = new Set<boolean>();
    for (const moment of MOMENTS) {
      await using folder = await temporaryFolder();
      const home = folder.join("home");
      await Deno.mkdir(home, { mode: 0o700 });
      await killed(["init", "--no-passphrase", "--home", home], home, moment);
      const { code } = await runAlknet(["vault", "show-phrase", "--yes", "--home", home]);
      const again = await runAlknet(["init", "--no-passphrase", "--home", home]);
      equal(again.code === 0, code !== 0, again.stderr);
      seen.add(code === 0);
      equal((await runAlknet(["vault", "show-phrase", "--yes", "--home", home])).code, 0);
      const names = [...Deno.readDirSync(home)].map(({ name }) => name).sort();
      deepEqual(names, ["config.json", "vault.json", "vault.key", "vault.lock"]);
    }
    deepEqual([...seen].sort(), [false, true]);
  },
});

for (const command of ["seal b", "rotate", "change-passphrase --no-passphrase", "init --force --no-passphrase"]) {
  Deno.test({
    name: `alknet vault ${command}, killed at any moment, leaves the old state or the new`.replace(
      "vault init",
      "init",
    ),
    ...needs("linux"),
    async fn() {
      const seen = new Set<string>();
      for (const moment of MOMENTS) {
        await using vault = await testVault("key", { a: "value" });
        const before = (await vault.contents())["vault.json"] + LISTED;
        const args = command.startsWith("init") ? command.split(" ") : ["vault", ...command.split(" ")];
        await killed([...args, "--home", vault.path], vault.path, moment);
        const phrase = await vault.done("show-phrase --yes");
        const listed = await vault.done("list");
        if (phrase === `${PHRASE}\n`) {
          ok(
            [LISTED, "a  key version 3\n", "a  key version 2\nb  key version 2\n"].includes(listed),
            listed,
          );
          equal(await vault.done("open a"), "value\n");
        } else {
          ok(command.startsWith("init"));
          equal(listed, "");
        }
        seen.add((await vault.contents())["vault.json"] + listed === before ? "old" : "new");
      }
      deepEqual([...seen].sort(), ["new", "old"]);
    },
  });
}

/** Runs a command and kills it after so many changes of a folder, or lets it end if there are fewer. */
async function killed(args: readonly string[], folder: string, moment: number): Promise<void> {
  const watcher = Deno.watchFs(folder);
  try {
    await using child = startAlknet(args);
    await child.write("value");
    await child.closeInput();
    child.status.then(() => watcher.close());
    let changes = 0;
    for await (const { kind } of watcher) {
      if (kind !== "access" && ++changes === moment) child.kill("SIGKILL");
    }
  } finally {
    try {
      watcher.close();
    } catch { /* it was closed with the child's end */ }
  }
}
