import assert from "node:assert/strict";
import { editConfig } from "../../../core/config/edit.ts";
import { loadConfig } from "../../../core/config/load.ts";
import type { ConfigDocument } from "../../../core/config/types.ts";
import { AlknetError } from "../../../core/errors.ts";
import { createToken, hashToken, tokenPrefix } from "../../../core/identity/token.ts";
import { start } from "../../support/process.ts";
import { temporaryFolder } from "../../support/temp.ts";

const addKey = (document: ConfigDocument, token = createToken()): string => {
  const auth = document.auth ??= {};
  (auth.api_keys ??= []).push({ prefix: tokenPrefix(token), hash: hashToken(token), scopes: ["a"] });
  return token;
};

Deno.test("editConfig keeps everything else: order, indentation, handlers' options", async () => {
  await using folder = await temporaryFolder();
  const before = `{
    "rate_limits": { "max_auth_attempts": 9 },
    "handlers": { "http": { "z": 1, "a": [null, 1.5, "ü"] } },
    "listen": "127.0.0.1:4433"
}`;
  const path = await folder.write("config.json", before);
  const token = await editConfig(path, (document) => addKey(document));
  const after = await Deno.readTextFile(path);
  const { auth, ...rest } = JSON.parse(after);
  assert.equal(JSON.stringify(rest), JSON.stringify(JSON.parse(before)));
  assert.deepEqual(Object.keys(JSON.parse(after)), ["rate_limits", "handlers", "listen", "auth"]);
  assert.match(after, /^\{\n {4}"rate_limits": \{\n {8}"max/);
  assert.ok(after.endsWith("}\n"));
  assert.equal(auth.api_keys[0].hash, hashToken(token));
  assert.ok(!after.includes(token), "the token itself was stored");
});

Deno.test("editConfig refuses to touch an invalid file, and to make one", async () => {
  await using folder = await temporaryFolder();
  for (const text of ["{", "", '{"lisen": 1}', "[]"]) {
    const path = await folder.write("config.json", text);
    const never = () => assert.fail("an invalid document was handed out");
    await assert.rejects(editConfig(path, never), { code: "INVALID_CONFIG" });
    assert.equal(await Deno.readTextFile(path), text);
  }
  const path = await folder.write("config.json", "{}");
  const spoil = (document: ConfigDocument) => {
    document.auth = { peers: [{ peer_id: "local" }] };
  };
  await assert.rejects(editConfig(path, spoil), { code: "INVALID_CONFIG" });
  const fail = () => {
    throw new AlknetError("TOKEN_NOT_FOUND", "no such token");
  };
  await assert.rejects(editConfig(path, fail), { code: "TOKEN_NOT_FOUND" });
  assert.equal(await Deno.readTextFile(path), "{}");
  const names = (await Array.fromAsync(Deno.readDir(folder.path))).map(({ name }) => name).sort();
  assert.deepEqual(names, ["config.json"], "no lock is left that would be its maker's");
});

Deno.test("editConfig makes a file only when it is told to, readable by its owner alone", async () => {
  await using folder = await temporaryFolder();
  const path = folder.join("config.json");
  await assert.rejects(editConfig(path, () => {}), { code: "CONFIG_NOT_FOUND" });
  await assert.rejects(editConfig(folder.join("no", "config.json"), () => {}), { code: "CONFIG_NOT_FOUND" });
  await editConfig(path, (document) => addKey(document), { create: true });
  assert.equal((await loadConfig(path)).dynamic.auth.api_keys.length, 1);
  if (Deno.build.os !== "windows") assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
});

Deno.test("editConfig: editors within a process take turns", async () => {
  await using folder = await temporaryFolder();
  const path = await folder.write("config.json", "{}");
  await Promise.all(Array.from({ length: 20 }, () => editConfig(path, (document) => addKey(document))));
  assert.equal((await loadConfig(path)).dynamic.auth.api_keys.length, 20);
});

Deno.test("editConfig: editors in other processes take turns too", async () => {
  await using folder = await temporaryFolder();
  const path = await folder.write("config.json", "{}");
  const program = `
    const { editConfig } = await import(${
    JSON.stringify(new URL("../../../core/config/edit.ts", import.meta.url).href)
  });
    for (let i = 0; i < 10; i++) {
      const hash = crypto.getRandomValues(new Uint8Array(32)).toHex();
      await editConfig(Deno.args[0], (document) => {
        document.auth ??= { api_keys: [] };
        document.auth.api_keys.push({ prefix: "alk_", hash });
      });
    }`;
  const file = await folder.write("editor.ts", program);
  const config = new URL("../../../deno.json", import.meta.url).pathname;
  const run = () => start(Deno.execPath(), ["run", "-A", "--no-check", "--config", config, file, path]);
  await using one = run();
  await using two = run();
  for (const editor of [one, two]) assert.equal((await editor.status).code, 0, editor.errors);
  assert.equal((await loadConfig(path)).dynamic.auth.api_keys.length, 20);
});
