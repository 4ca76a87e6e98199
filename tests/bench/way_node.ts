/**
 * The node's part of the way without QUIC: gives back what comes, from an engine process or from a socket of its own.
 *
 * @module
 */
import { bindUdp } from "../../core/transports/quic/engine/udp/udp.ts";

if (Deno.args[0] === "process") await throughEngine();
else await bySelf();

async function throughEngine(): Promise<void> {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/engine`;
  const listener = Deno.listen({ transport: "unix", path });
  const engine = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `${import.meta.dirname}/way_engine.ts`, path],
    stdin: "null",
  }).spawn();
  const pipe = await listener.accept();
  await Deno.remove(folder, { recursive: true });
  // Without its pipe the engine ends.
  Deno.addSignalListener("SIGTERM", async () => {
    pipe.close();
    await engine.status;
    Deno.exit();
  });
  const bytes = new Uint8Array(65536);
  let length = await pipe.read(bytes);
  tell(JSON.parse(new TextDecoder().decode(bytes.subarray(0, length!))));
  while ((length = await pipe.read(bytes).catch(() => null)) !== null) await pipe.write(bytes.subarray(0, length));
}

async function bySelf(): Promise<void> {
  const udp = await bindUdp({ hostname: "127.0.0.1", port: 0 });
  Deno.addSignalListener("SIGTERM", () => Deno.exit());
  tell(udp.address);
  for (;;) {
    if (!udp.soon()) await udp.readable();
    udp.receive((datagram, from) => {
      udp.slot(datagram.byteLength).set(datagram);
      udp.commit(datagram.byteLength, from);
    });
    udp.flush();
  }
}

function tell(address: unknown): void {
  console.log(JSON.stringify({ address }));
}
