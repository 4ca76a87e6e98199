/**
 * Where a node says that it is (dns.md §7.3).
 *
 * @module
 */
import { deepEqual, ok, throws } from "node:assert/strict";
import { listenedAddresses, listenOf, writtenAddresses } from "../../../../cli/pkarr/own_addresses.ts";
import { isNearby } from "../../../../handlers/dns/mod.ts";

Deno.test("addresses that are listened at, but for private ones; interfaces' in place of all", () => {
  const at = (hostname: string) => ({ hostname, port: 7 });
  const some = [at("192.0.2.1"), at("10.0.0.1"), at("2001:db8::1"), at("::1"), at("192.0.2.1")];
  deepEqual(listenedAddresses(some, false), ["192.0.2.1:7", "[2001:db8::1]:7"]);
  deepEqual(listenedAddresses(some, true), ["192.0.2.1:7", "10.0.0.1:7", "[2001:db8::1]:7", "[::1]:7"]);
  const all = listenedAddresses([at("::")], true);
  ok(all.includes("127.0.0.1:7"), all.join(" "));
  ok(!all.some((address) => address.startsWith("[::]") || /^\[fe80/i.test(address)), all.join(" "));
  ok(!listenedAddresses([at("0.0.0.0")], true).some((address) => address.startsWith("[")));
  ok(!listenedAddresses([at("::")], false).some(isNearby));
  deepEqual(listenOf([], 4433), [{ hostname: "0.0.0.0", port: 4433 }]);
});

Deno.test("addresses that somebody wrote, as they are", () => {
  const texts = ["node.example:4433", "192.0.2.1:4433"];
  deepEqual(writtenAddresses(texts, false), texts);
  deepEqual(writtenAddresses(["10.0.0.1:1"], true), ["10.0.0.1:1"]);
  for (const text of ["10.0.0.1:1", "localhost:1", "[::1]:1"]) {
    throws(() => writtenAddresses([text], false), { code: "PRIVATE_ADDRESS" }, text);
  }
  throws(() => writtenAddresses(["nonsense"], true), { code: "INVALID_ADDRESS" });
  throws(() => writtenAddresses(["nonsense"], false), { code: "INVALID_ADDRESS" });
});
