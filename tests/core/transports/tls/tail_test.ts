import assert from "node:assert/strict";
import { PYTHON, ROOT } from "../../../support/python.ts";
import { runProgram } from "../../../support/process.ts";
import { tlsServer } from "./support.ts";

Deno.test("TLS: a reader that is slow and speaks gets all that a finished handler wrote, and a clean end (core.md §18 row 9)", async () => {
  await using server = await tlsServer();
  const peer = runProgram(PYTHON, [
    `${ROOT}tests/peers/slow_tls_reader.py`,
    `${server.port}`,
    `${server.key.id}.alknet`,
  ]);
  const connection = await server.next();
  for await (const { writable } of connection) {
    const writer = writable.getWriter();
    for (let i = 0; i < 16; i++) await writer.write(new Uint8Array(65_536));
    await writer.close();
    break;
  }
  await connection[Symbol.asyncDispose]();
  assert.equal((await peer).stdout.trim(), `${1 << 20} eof`);
});
