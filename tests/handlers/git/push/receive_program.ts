/**
 * receive-pack as a program that stock git starts (`git push --receive-pack=…`), which ends itself at a step of a push.
 *
 * `receive_program.ts STEP NTH FOLDER`: at the NTH time that it comes to STEP it is killed; `-` for no step.
 *
 * @module
 */
import { logger, Slots } from "@alknet/core/handler";
import { GIT_LIMITS } from "../../../../handlers/git/limits.ts";
import { packCaches } from "../../../../handlers/git/pack/pack_file.ts";
import { Output } from "../../../../handlers/git/serve/output.ts";
import { runReceivePack } from "../../../../handlers/git/serve/service.ts";
import { PushEvents } from "../../../../handlers/git/serve/push/events.ts";
import { HookRunner } from "../../../../handlers/git/serve/push/hooks.ts";
import { Nonces } from "../../../../handlers/git/serve/push/nonces.ts";
import { Turns } from "../../../../handlers/git/serve/turns.ts";
import { FolderRepositories } from "../../../../handlers/git/store/folder/repositories.ts";
import { PktReader } from "../../../../handlers/git/wire/pkt_line.ts";

const [step, nth, folder] = Deno.args;
let left = Number(nth);
const repositories = new FolderRepositories(
  { root: "/nowhere", elsewhere: { r: folder } },
  packCaches(GIT_LIMITS),
  GIT_LIMITS.deltaBytes,
  (at) => {
    if (at === step && --left === 0) Deno.kill(Deno.pid, "SIGKILL");
  },
);
const repository = (await repositories.open("r"))!;
const output = new Output(Deno.stdout.writable, GIT_LIMITS.transferStall);
const parts = {
  repositories,
  anonymous: false,
  limits: GIT_LIMITS,
  slots: new Slots({ all: 1, identity: 1, address: 1 }),
  walks: new Turns(1),
  indexing: new Turns(1),
  hooks: new HookRunner({ hooks: {}, time: 1000 }),
  events: new PushEvents(),
  nonces: new Nonces(),
  signedPush: "off",
} as const;
await runReceivePack({
  repository,
  identity: { id: "program", scopes: ["git:write"], resources: {} },
  input: new PktReader(Deno.stdin.readable),
  output,
  version: 0,
  once: false,
  front: "stream",
  log: logger("test"),
  received: () => Promise.resolve(),
}, parts);
Deno.exit(0);
