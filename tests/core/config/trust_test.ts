/**
 * Who may write the configuration decides who is administrator: one that others may write is not used.
 *
 * @module
 */
import assert from "node:assert/strict";
import { loadConfig } from "../../../core/config/load.ts";
import { watchConfig } from "../../../core/config/config_file.ts";
import { needs } from "../../support/programs.ts";
import { temporaryFolder } from "../../support/temp.ts";

const CONFIG = JSON.stringify({ listen: ["127.0.0.1:0"] });
/** A user and a group that no test runs as. */
const OTHER = 65_534;

const refused = (pattern: RegExp) => (error: Error & { code?: string }) => {
  assert.equal(error.code, "CONFIG_PERMISSIONS", error.message);
  assert.match(error.message, pattern);
  return true;
};

Deno.test("loadConfig: a file that everyone may write is not used, and the way to mend it is said", async () => {
  await using folder = await temporaryFolder();
  const path = await folder.write("config.json", CONFIG);
  await Deno.chmod(path, 0o666);
  await assert.rejects(loadConfig(path), refused(/it may be written by everyone \(mode 0666\).*chmod go-w /));
  await Deno.chmod(path, 0o644);
  await loadConfig(path);
});

Deno.test("loadConfig: nor one below a folder that everyone may write, unless nobody may replace others' files there", async () => {
  await using folder = await temporaryFolder();
  await Deno.mkdir(folder.join("open/home"), { recursive: true });
  const path = await folder.write("open/home/config.json", CONFIG);
  await Deno.chmod(folder.join("open"), 0o777);
  await assert.rejects(loadConfig(path), refused(/folder .*\/open may be written by everyone/));
  await Deno.chmod(folder.join("open"), 0o1777);
  await loadConfig(path);
});

Deno.test("loadConfig: a link is followed to what it leads to", async () => {
  await using folder = await temporaryFolder();
  await Deno.mkdir(folder.join("elsewhere"));
  const target = await folder.write("elsewhere/config.json", CONFIG);
  await Deno.symlink(target, folder.join("config.json"));
  await loadConfig(folder.join("config.json"));
  await Deno.chmod(folder.join("elsewhere"), 0o777);
  await assert.rejects(loadConfig(folder.join("config.json")), refused(/elsewhere may be written/));
});

Deno.test({
  name: "loadConfig: a file of another user, or that another group may write, is not used; one of root's is",
  ...needs("linux", "root"),
  async fn() {
    await using folder = await temporaryFolder();
    const path = await folder.write("config.json", CONFIG);
    await Deno.chown(path, OTHER, 0);
    await assert.rejects(loadConfig(path), refused(/belongs to another user \(uid 65534\).*chown 0 /));
    await Deno.chown(path, 0, OTHER);
    await loadConfig(path);
    await Deno.chmod(path, 0o660);
    await assert.rejects(loadConfig(path), refused(/may be written by the group 65534/));
    await Deno.chown(path, 0, Deno.gid());
    await loadConfig(path);
  },
});

Deno.test("watchConfig: what others may write since it was read is not taken over at a reload", async () => {
  await using folder = await temporaryFolder();
  const path = await folder.write("config.json", CONFIG);
  await using config = await watchConfig(path);
  const before = config.snapshot();
  await folder.write(
    "config.json",
    JSON.stringify({ listen: ["127.0.0.1:0"], rate_limits: { max_connections_per_ip: 7 } }),
  );
  await Deno.chmod(path, 0o666);
  const { outcome } = await config.reload();
  assert.equal(outcome, "invalid");
  assert.equal(config.snapshot(), before);
});
