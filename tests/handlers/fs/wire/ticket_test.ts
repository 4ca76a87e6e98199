/**
 * Tickets: the examples both ways, and what is refused (fs.md §3).
 *
 * @module
 */
import { formatTicket, hashOf, parseTicket, type Ticket } from "@alknet/handlers/fs/bao";
import { AlknetError } from "@alknet/core/handler";
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { seeded } from "../../../support/random.ts";

/** Public key of the first test of RFC 8032 §7.1. */
const nodeKey = Uint8Array.fromHex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
const hash = hashOf(new TextEncoder().encode("hello")).toHex();
const addresses = ["127.0.0.1:4433"];
const IROH =
  "blobadlvvgabqkyqvn6vjp7nhslea45a5yls6pnkmizfv4bbu2hxa5iruaabab7qaaab2erab2upcy63hbucsjpejeof4wguxm2qn34mctvxrkdo" +
  "scgfmjfgoiap";
const OURS =
  "alkblobahlvvgabqkyqvn6vjp7nhslea45a5yls6pnkmizfv4bbu2hxa5iruaiogezdolrqfyyc4mj2gq2dgmya5khrmpntq2bjexseshc6ldklw" +
  "nig56gbj23yvbxjbdcwestheahqaaa";

Deno.test("formatTicket, parseTicket: the tickets of fs.md §3 both ways, in any case (row 18)", () => {
  const iroh: Ticket = { kind: "iroh", nodeKey, addresses, format: "raw", hash };
  const ours: Ticket = { kind: "alknet", nodeKey, addresses, format: "raw", hash };
  for (const [text, ticket] of [[IROH, iroh], [OURS, ours]] as const) {
    equal(formatTicket(ticket), text);
    deepEqual(parseTicket(text), ticket);
    deepEqual(parseTicket(text.toUpperCase()), ticket);
  }
});

Deno.test("formatTicket, parseTicket: secret, end, sequences, relay, IPv6 come back", () => {
  const tickets: Ticket[] = [
    {
      kind: "alknet",
      nodeKey,
      addresses: ["node.example:1", "[::1]:65535"],
      format: "hashSeq",
      hash,
      secret: nodeKey,
      expires: 1e10,
    },
    { kind: "alknet", nodeKey, addresses: [], format: "raw", hash },
    {
      kind: "iroh",
      nodeKey,
      addresses: ["[2001:db8::1]:9", "10.0.0.1:80"],
      relay: "https://r.example/",
      format: "hashSeq",
      hash,
    },
  ];
  for (const ticket of tickets) deepEqual(parseTicket(formatTicket(ticket)), ticket);
});

Deno.test("formatTicket: a name is no address of iroh's", () => {
  const ticket: Ticket = { kind: "iroh", nodeKey, addresses: ["node.example:1"], format: "raw", hash };
  throws(() => formatTicket(ticket), { code: "INVALID_ADDRESS" });
});

Deno.test("parseTicket: another first byte, trailing bytes, a format above 1: INVALID_TICKET (fs.md §3)", () => {
  const wrong = [
    "",
    "blob",
    "alkblob",
    `alkblob${OURS.slice(7, 9).replace("ah", "ai")}${OURS.slice(9)}`,
    `${OURS}aaaaaaaa`,
    `${IROH}aaaaaaaa`,
    OURS.slice(0, -1),
    `x${OURS}`,
    `${OURS} `,
    `alkblob${"a".repeat(5000)}`,
  ];
  for (const text of wrong) throws(() => parseTicket(text), { code: "INVALID_TICKET" }, text.slice(0, 60));
});

Deno.test("parseTicket: whatever is changed is refused or another ticket (row 18)", () => {
  const random = seeded("tickets");
  const texts = [IROH, OURS].map((text) => new TextEncoder().encode(text));
  for (let i = 0; i < 100_000; i++) {
    const text = new TextDecoder().decode(random.mutate(texts[i % 2]));
    try {
      const ticket = parseTicket(text);
      deepEqual(parseTicket(formatTicket(ticket)), ticket);
    } catch (error) {
      ok(error instanceof AlknetError && error.code === "INVALID_TICKET", `${text}: ${error}`);
    }
  }
});
