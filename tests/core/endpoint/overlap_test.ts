import assert from "node:assert/strict";
import { assertNoOverlap } from "../../../core/endpoint/overlap.ts";
import { parseListenAddress } from "../../../core/handler/address.ts";
import { router } from "../../../core/mod.ts";
import { echo } from "../../../handlers/echo/mod.ts";

const cases: [addresses: string[], said?: RegExp][] = [
  [["127.0.0.1:4433", "127.0.0.1:4433"], /127\.0\.0\.1:4433 is given twice/],
  [["127.0.0.1:4433", "[::ffff:127.0.0.1]:4433"], /127\.0\.0\.1:4433 is given twice/],
  [["[::1]:4433", "127.0.0.1:4433", "[0:0:0:0:0:0:0:1]:4433"], /\[::1\]:4433 is given twice/],
  [["0.0.0.0:4433", "[::]:4433"], /\[::\]:4433 takes 0\.0\.0\.0:4433 already; leave that out/],
  [["[::]:4433", "192.0.2.1:4433"], /\[::\]:4433 takes 192\.0\.2\.1:4433 already/],
  [["192.0.2.1:4433", "0.0.0.0:4433"], /0\.0\.0\.0:4433 takes 192\.0\.2\.1:4433 already/],
  [["0.0.0.0:4433", "[2001:db8::1]:4433"]],
  [["[::]:4433", "[::]:4434"]],
  [["127.0.0.1:4433", "127.0.0.2:4433", "[::1]:4433"]],
  [["127.0.0.1:0", "127.0.0.1:0"]],
];

for (const [addresses, said] of cases) {
  Deno.test(`assertNoOverlap: ${addresses.join(", ")}: ${said ? "refused, with what is in the way" : "all are bound"}`, () => {
    const check = () => assertNoOverlap(addresses.map(parseListenAddress));
    if (said) {
      assert.throws(
        check,
        (error: Error & { code: string }) => error.code === "BIND_FAILED" && said.test(error.message),
      );
    } else check();
  });
}

Deno.test("listen refuses addresses in each other's way before it binds one", async () => {
  const held = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = held.addr;
  held.close();
  const listen = [`127.0.0.1:${port}`, `0.0.0.0:${port}`];
  await assert.rejects(router().use(echo()).listen({ listen, transports: ["tls"] }), /takes 127\.0\.0\.1:\d+ already/);
  const free = Deno.listen({ hostname: "127.0.0.1", port });
  free.close();
});
