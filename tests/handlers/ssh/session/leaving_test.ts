/**
 * Sessions that end at any point leave nothing at the node: no descriptor, listener or process.
 *
 * @module
 */
import "../node.ts";
import assert from "node:assert/strict";
import { childrenOf, descriptors } from "../../../support/proc.ts";
import { needs } from "../../../support/programs.ts";
import { type Random, seeded } from "../../../support/random.ts";
import { type SshProcess, sshProcess, until } from "../node_process.ts";
import { sshClient, type TestClient } from "../client.ts";

/** Over each transport. */
const SESSIONS = 500;
/** What has been used once is not what is left. */
const WARM = 40;
const AT_ONCE = 8;
/** Longest life of a session once it does something, in milliseconds. */
const LIFE = 40;

/** Names what the sessions start, whoever its parent is by then. */
const SLEEP = `sleep 1000.${Deno.pid}`;

/** What a session may be at when it ends. */
type Activity = (peer: TestClient, port: number) => Promise<unknown>;
const ACTIVITIES: readonly Activity[] = [
  () => Promise.resolve(),
  (peer) => peer.exec(SLEEP),
  (peer) => peer.exec("cat /dev/zero"),
  (peer) => peer.exec("cat", { pty: true }),
  (peer) => peer.exec(`${SLEEP} & ${SLEEP}`, { pty: true }),
  async (peer, port) => void (await peer.forward("127.0.0.1", port)).write("x"),
  (peer) => new Promise((resolve) => peer.client.forwardIn("127.0.0.1", 0, resolve)),
  (peer) => Promise.all([peer.exec("echo done"), peer.exec("cat /dev/zero >&2")]),
];

const ENDS: readonly ((peer: TestClient) => unknown)[] = [
  (peer) => peer.client.end(),
  (peer) => peer.connection.close(),
  (peer) => peer.connection.close(1, "gone"),
  (peer) => peer.socket.destroy(),
];

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Has one session; returns whether it logged in. */
async function session(node: SshProcess, transport: "tls" | "quic", port: number, random: Random): Promise<boolean> {
  const [activity, end] = [random.pick(ACTIVITIES), random.pick(ENDS)];
  const [waits, life] = [random.chance(0.9), random.below(LIFE)];
  await using peer = await sshClient({ ...node, transport });
  // A session that is cut off fails, as it should.
  peer.client.on("error", () => {});
  // Of many that have not logged in the node turns some away.
  const isIn = waits && await peer.ready.then(() => true, () => false);
  if (isIn) await Promise.race([activity(peer, port).catch(() => {}), pause(life)]);
  await pause(random.below(life + 1));
  end(peer);
  return isIn;
}

/** Processes of the sessions that run now. */
function sleepers(): number {
  let count = 0;
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (Deno.readTextFileSync(`/proc/${name}/cmdline`).startsWith(SLEEP.replace(" ", "\0"))) count++;
    } catch { /* it has just ended */ }
  }
  return count;
}

for (const transport of ["tls", "quic"] as const) {
  Deno.test({
    name: `alknet/ssh over ${transport}: of ${SESSIONS} sessions that end at any point no descriptor, listener or ` +
      "process is left (ssh.md row 11)",
    ...needs("ssh-keygen", "linux"),
    async fn() {
      const random = seeded(`sessions over ${transport}`);
      await using node = await sshProcess(transport);
      using target = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const serving = (async () => {
        for await (const socket of target) socket.readable.pipeTo(socket.writable).catch(() => {});
      })();
      const run = async (count: number): Promise<number> => {
        let left = count;
        let entered = 0;
        const worker = async (): Promise<void> => {
          while (left-- > 0) if (await session(node, transport, target.addr.port, random)) entered++;
        };
        await Promise.all(Array.from({ length: AT_ONCE }, worker));
        return entered;
      };
      await run(WARM);
      const children = childrenOf(node.pid).length;
      let fewest = Infinity;
      let looks = 0;
      // What the last of the warm ones held goes away before it is counted.
      await until(() => {
        const now = descriptors(node.pid);
        looks = now < fewest ? 0 : looks + 1;
        fewest = Math.min(now, fewest);
        return looks > 25;
      });
      const entered = await run(SESSIONS);
      assert.ok(entered > SESSIONS / 2, `${entered} of ${SESSIONS} logged in`);
      await until(() => childrenOf(node.pid).length <= children, "the end of what was started");
      await until(() => descriptors(node.pid) <= fewest, "the end of what was opened");
      await until(() => sleepers() === 0, "the end of what they started");
      target.close();
      await serving;
    },
  });
}
