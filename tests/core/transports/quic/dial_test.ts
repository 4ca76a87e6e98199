/**
 * Dialling over QUIC where the machine, or how an address is written, makes it hard.
 *
 * @module
 */
import assert from "node:assert/strict";
import { runProgram } from "../../../support/process.ts";
import { needs } from "../../../support/programs.ts";
import { PYTHON, ROOT } from "../../../support/python.ts";

const PROGRAM = new URL("./dialling_program.ts", import.meta.url).pathname;
const EAFNOSUPPORT = 97;

Deno.test({
  name: "dialQuic: on a host without IPv6 an IPv6 address is out of reach, and the name's other addresses are tried",
  ...needs("linux", "python"),
  ignore: Deno.build.arch !== "x86_64",
  async fn() {
    const command = [`${ROOT}tests/peers/deny.py`, "socket6", String(EAFNOSUPPORT), Deno.execPath()];
    const { code, stdout, stderr } = await runProgram(PYTHON, [
      ...command,
      "run",
      "-A",
      "--quiet",
      PROGRAM,
      "families",
    ]);
    assert.deepEqual([code, stdout], [0, "::1 UNREACHABLE, 127.0.0.1\n"], stderr);
  },
});
