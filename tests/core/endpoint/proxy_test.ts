import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectTcp, createServer, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { connect } from "../../../core/endpoint/dial.ts";
import { router } from "../../../core/endpoint/router.ts";
import { defineHandler } from "../../../core/handler/handler.ts";
import { NodeKey } from "../../../core/identity/node_key.ts";
import { addressOf, ask, readText } from "./support.ts";

const ALPN = "alknet/test";
const answering = defineHandler({
  alpns: [ALPN],
  async handle(connection) {
    for await (const stream of connection) {
      await readText(stream);
      const writer = stream.writable.getWriter();
      await writer.write(new TextEncoder().encode(`from ${connection.remoteAddress.port}`));
      await writer.close();
    }
  },
});

/** What a proxy does with a request; gives the destination as it was asked for. */
type Behaviour = "connects" | "refuses" | "wants a login" | "is no proxy" | "hangs up" | "falls silent";

/** A SOCKS5 proxy (RFC 1928), whole enough for one client. */
async function proxy(behaviour: Behaviour) {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const outgoing: number[] = [];
  const server = createServer({ allowHalfOpen: true }, (client) => {
    sockets.add(client);
    client.on("error", () => {});
    client.once("data", () => {
      if (behaviour === "hangs up") return client.destroy();
      if (behaviour === "falls silent") return;
      if (behaviour === "is no proxy") return client.write("HTTP/1.1 400 Bad Request\r\n\r\n");
      if (behaviour === "wants a login") return client.write(Uint8Array.of(5, 255));
      client.once("data", (request: Uint8Array) => {
        const [, , , type, length] = request;
        const host = type === 1
          ? request.subarray(4, 8).join(".")
          : type === 3
          ? new TextDecoder().decode(request.subarray(5, 5 + length))
          : request.subarray(4, 20).toHex();
        const end = type === 1 ? 8 : type === 3 ? 5 + length : 20;
        const port = request[end] << 8 | request[end + 1];
        asked.push(`${host}:${port}`);
        if (behaviour === "refuses") return client.write(Uint8Array.of(5, 5, 0, 1, 0, 0, 0, 0, 0, 0));
        const onward = connectTcp({ port, host: "127.0.0.1", allowHalfOpen: true }, () => {
          outgoing.push((onward.address() as AddressInfo).port);
          // The reply names the proxy's end as a domain, which clients must be able to skip (§6).
          client.write(Uint8Array.of(5, 0, 0, 3, 3, 0x61, 0x2e, 0x62, 0, 1));
          client.pipe(onward).pipe(client);
        });
        sockets.add(onward);
        onward.on("error", () => client.destroy());
      });
      client.write(Uint8Array.of(5, 0));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    asked,
    outgoing,
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

for (const host of ["127.0.0.1", "localhost", "[::1]"]) {
  for (const transport of ["tls", "auto"] as const) {
    Deno.test(`connect (${transport}) to ${host} goes through a proxy, which gets the name (core.md §18 row 54)`, async () => {
      await using endpoint = await router().use(answering).listen({});
      await using through = await proxy("connects");
      const { port } = endpoint.addresses[0];
      const address = `${endpoint.nodeId}@${host}:${port}`;
      await using connection = await connect(address, ALPN, { transport, proxy: through.address });
      assert.equal(connection.transport, "tls");
      // The endpoint sees the proxy's socket and no other.
      assert.equal(await ask(await connection.open(), "?"), `from ${through.outgoing[0]}`);
      const bare = host === "[::1]" ? "00".repeat(15) + "01" : host;
      assert.deepEqual(through.asked, [`${bare}:${port}`]);
      assert.equal(endpoint.stats().accepted, 1);
    });
  }
}

for (const behaviour of ["refuses", "wants a login", "is no proxy", "hangs up"] as const) {
  Deno.test(`connect through a proxy that ${behaviour}: PROXY, and nothing around it (core.md §18 row 54)`, async () => {
    await using endpoint = await router().use(answering).listen({});
    await using through = await proxy(behaviour);
    await assert.rejects(connect(addressOf(endpoint), ALPN, { proxy: through.address }), (error) => {
      const { code, message } = error as Error & { code: string };
      assert.equal(code, "PROXY");
      assert.ok(message.includes(through.address), message);
      return true;
    });
    assert.equal(endpoint.stats().accepted, 0);
  });
}

Deno.test("connect through a proxy that is down: PROXY, and nothing around it (core.md §18 row 54)", async () => {
  await using endpoint = await router().use(answering).listen({});
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  await assert.rejects(connect(addressOf(endpoint), ALPN, { proxy: `127.0.0.1:${port}` }), { code: "PROXY" });
  assert.equal(endpoint.stats().accepted, 0);
});

Deno.test("connect through a proxy that falls silent ends in time, and leaves nothing (core.md §18 row 55)", async () => {
  await using through = await proxy("falls silent");
  const address = `${NodeKey.generate().id}@127.0.0.1:1`;
  await assert.rejects(connect(address, ALPN, { proxy: through.address, timeout: 100 }), { code: "TIMEOUT" });
});
