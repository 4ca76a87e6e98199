/**
 * Requests, answers to Observe, collections and hashes as text: the examples both ways, and the one form of each (fs.md §3).
 *
 * @module
 */
import {
  type ChunkRanges,
  hashOf,
  parseHash,
  RAW,
  readItem,
  readLinks,
  readNames,
  readRequest,
  type Request,
  SIZE_PROOF,
  WireError,
  WITH_CHILDREN,
  writeItem,
  writeNames,
  writeRequest,
} from "@alknet/handlers/fs/bao";
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { seeded } from "../../../support/random.ts";

const HASH = hashOf(new TextEncoder().encode("hello"));
const HEX = HASH.toHex();
const OTHER = hashOf(new Uint8Array());

const SPECS: readonly (readonly [string, ChunkRanges])[] = [
  ["00", []],
  ["0100", [0n]],
  ["020040", [0n, 64n]],
  ["040102060" + "4", [1n, 3n, 9n, 13n]],
  ["01904e", [10000n]],
  ["01" + "ff".repeat(9) + "01", SIZE_PROOF],
];

Deno.test("readRequest, writeRequest: the specs of fs.md §3 both ways (row 7)", () => {
  for (const [hex, ranges] of SPECS) same(`01${HEX}${hex}`, { type: "observe", hash: HASH, ranges });
});

Deno.test("readRequest, writeRequest: the requests of fs.md §3 both ways (row 7)", () => {
  same(`00${HEX}0200010001` + "00", { type: "get", hash: HASH, seq: RAW });
  same(`00${HEX}01000100`, { type: "get", hash: HASH, seq: WITH_CHILDREN });
  same(`0902${HEX}${OTHER.toHex()}020001000200`, {
    type: "getMany",
    hashes: [HASH, OTHER],
    seq: [{ index: 0n, ranges: [0n] }, { index: 2n, ranges: [] }],
  });
  same(`0826${HEX}020001000100`, { type: "push", hash: HASH, seq: RAW, encodings: 40 });
});

Deno.test("readRequest: what is not in its one form is refused (row 8)", () => {
  const wrong: Record<string, string> = {
    "nothing": "",
    "a type that is none": `02${HEX}0100`,
    "another": `ff${HEX}0100`,
    "a cut hash": `00${HEX.slice(2)}`,
    "no seq": `00${HEX}`,
    "a width of 0 after the first": `01${HEX}03000100`,
    "a step of 0 after the first": `00${HEX}0200010000` + "00",
    "a spec that is that before it": `00${HEX}0200010001` + "0100",
    "a first spec that asks for nothing": `00${HEX}010000`,
    "widths above 64 bits": `01${HEX}02${"ff".repeat(9)}0101`,
    "a number above 64 bits": `01${HEX}01${"ff".repeat(9)}02`,
    "a number of eleven bytes": `01${HEX}01${"ff".repeat(10)}01`,
    "a padded number": `01${HEX}018000`,
    "a padded count": `01${HEX}8100` + "00",
    "a byte after the end": `00${HEX}020001000100` + "00",
    "more widths than there are bytes": `01${HEX}8020`,
    "more widths than are read": `01${HEX}8140${"01".repeat(8193)}`,
    "more hashes than there are bytes": `09ffffffff0f${HEX}`,
    "a push of another length": `0827${HEX}020001000100`,
  };
  for (const [what, hex] of Object.entries(wrong)) {
    throws(() => readRequest(Uint8Array.fromHex(hex)), { name: "WireError", code: "MALFORMED" }, what);
  }
});

Deno.test("readRequest: whatever is changed is refused or another request in its one form", () => {
  const random = seeded("requests");
  const requests = [`00${HEX}020001000100`, `0902${HEX}${HEX}020001000200`, `01${HEX}0401020604`].map(
    Uint8Array.fromHex,
  );
  for (let i = 0; i < 20_000; i++) {
    const bytes = random.mutate(requests[i % requests.length]);
    try {
      const request = readRequest(bytes);
      if (request.type !== "push") equal(writeRequest(request).toHex(), bytes.toHex());
    } catch (error) {
      ok(error instanceof WireError, String(error));
    }
  }
});

Deno.test("writeItem, readItem: the answers to Observe of fs.md §3 both ways (row 7)", () => {
  const examples: [string, bigint, ChunkRanges][] = [
    ["08a08d060400102030", 100_000n, [0n, 16n, 32n, 48n]],
    ["05a08d060100", 100_000n, [0n]],
    ["020000", 0n, []],
  ];
  for (const [hex, size, ranges] of examples) {
    equal(writeItem({ size, ranges }).toHex(), hex);
    deepEqual(readItem(Uint8Array.fromHex(hex.slice(2))), { size, ranges });
  }
  for (const hex of ["a08d06", "000200", "00020500", "00020505", "0000ff"]) {
    throws(() => readItem(Uint8Array.fromHex(hex)), { code: "MALFORMED" }, hex);
  }
});

Deno.test("writeNames, readNames, readLinks: the collection of fs.md §3 both ways (row 7)", () => {
  const names = ["a.txt", "dir/ü.bin"];
  const hex = "436f6c6c656374696f6e56302e" + "02" + "05612e747874" + "0a6469722fc3bc2e62696e";
  equal(writeNames(names).toHex(), hex);
  deepEqual(readNames(Uint8Array.fromHex(hex)), names);
  for (const wrong of [hex.slice(0, -2), hex + "00", "44" + hex.slice(2), hex.replace("c3bc", "c328"), ""]) {
    throws(() => readNames(Uint8Array.fromHex(wrong)), { code: "MALFORMED" }, wrong);
  }
  deepEqual(readLinks(Uint8Array.fromHex(HEX + HEX)), [HASH, HASH]);
  throws(() => readLinks(HASH.subarray(1)), { code: "MALFORMED" });
});

Deno.test("parseHash: hex and base32 in any case, nothing else (fs.md §3, Hash text)", () => {
  const base32 = "5khrmpntq2bjexseshc6ldklwnig56gbj23yvbxjbdcwestheahq";
  for (const text of [HEX, HEX.toUpperCase(), base32, base32.toUpperCase()]) equal(parseHash(text), HEX);
  // The last character of base32 has bits that belong to no byte.
  for (const text of ["", HEX.slice(1), HEX + "0", base32.slice(1), base32.slice(0, -1) + "r", "ü" + HEX.slice(1)]) {
    throws(() => parseHash(text), { code: "INVALID_HASH" }, text);
  }
});

function same(hex: string, request: Request): void {
  equal(writeRequest(request).toHex(), hex);
  deepEqual(readRequest(Uint8Array.fromHex(hex)), request);
}
