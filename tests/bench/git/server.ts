/**
 * A node that serves the repositories of a folder to everyone over HTTPS: `server.ts FOLDER`. Prints its port, and then, for
 * each line that it reads, the most memory that it has had, in bytes.
 *
 * @module
 */
import { router } from "@alknet/core";
import { git } from "@alknet/handlers/git";
import { http } from "@alknet/handlers/http";
import { BENCH_LIMITS } from "../protocols.ts";

const [root] = Deno.args;
const repositories = git({ root, anonymous: true, maintenance: false });
const web = http({
  routes: (app) => app.use(async (c, next) => await repositories.http(c.req.raw, c.env) ?? await next()),
});
const endpoint = await router().use(web).listen({ transports: ["tls"], limits: BENCH_LIMITS });
const peak = (): number => Number(/^VmHWM:\s+(\d+) kB$/m.exec(Deno.readTextFileSync("/proc/self/status"))?.[1]) * 1024;
console.log(JSON.stringify({ port: endpoint.addresses[0].port, peak: peak() }));
Deno.addSignalListener("SIGTERM", () => Deno.exit());
for await (const _line of Deno.stdin.readable) console.log(JSON.stringify({ peak: peak() }));
