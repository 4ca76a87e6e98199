/**
 * A device that is lost in the middle of a training: the processor's own, which fails from some command on (compute.md §4, §15).
 *
 * @module
 */
import { deepEqual, ok, rejects } from "node:assert/strict";
import { ComputeError, Engine, openEngine } from "@alknet/compute";
import { loadCheckpoint, saveCheckpoint } from "@alknet/compute/saving";
import { CpuDevice } from "../../../compute/devices/cpu/cpu.ts";
import type { Device } from "../../../compute/devices/device.ts";
import { Buffers } from "../../../compute/tensors/buffers.ts";
import { temporaryFolder } from "../../support/temp.ts";
import "../../tensor/mapping.ts";
import { run, twoLayers } from "../training/trainings.ts";

/** Commands that a lost device refuses. */
const COMMANDS = ["allocate", "write", "read", "peek", "launch", "multiply"] as const;

/** The processor's device, which is lost after so many commands. */
function losing(): { device: Device; given: () => number; loseAfter(commands: number): void } {
  const real = new CpuDevice(1);
  let [given, most] = [0, Infinity];
  const device: Device = new Proxy<Device>(real, {
    get(_, name) {
      const member = Reflect.get(real, name, real);
      if (typeof member !== "function") return member;
      if (!COMMANDS.includes(name as typeof COMMANDS[number])) return member.bind(real);
      return (...args: unknown[]) => {
        if (++given > most) throw new ComputeError("E_DEVICE_LOST", "device", "the device was lost");
        return member.apply(real, args);
      };
    },
  });
  return { device, given: () => given, loseAfter: (commands) => most = given + commands };
}

Deno.test("training: wherever in a step a device is lost, another goes on from the checkpoint with the same losses", async () => {
  await using folder = await temporaryFolder();
  const path = folder.join("training.safetensors");
  const wanted: number[] = [];
  {
    await using engine = await openEngine({ device: "cpu", threads: 1 });
    using prepared = await twoLayers(engine);
    await run(prepared, 2);
    await saveCheckpoint(path, prepared.training, { step: 2 });
    wanted.push(...await run(prepared, 4));
  }
  const saved = await Deno.readFile(path);
  let commands = Infinity;
  for (let after = 0; after < commands; after += 5) {
    const { device, given, loseAfter } = losing();
    await using lost = new Engine(device, new Buffers(device, 2 ** 30));
    using prepared = await twoLayers(lost);
    await loadCheckpoint(path, prepared.training);
    // The first step takes buffers that the later ones use again.
    await run(prepared, 1);
    const before = given();
    await run(prepared, 1);
    commands = given() - before;
    loseAfter(after);
    await rejects(run(prepared, 1), { code: "E_DEVICE_LOST" }, `after ${after} of ${commands} commands`);
    await rejects(saveCheckpoint(path, prepared.training, { step: 3 }), { code: "E_DEVICE_LOST" });
  }
  ok(commands > 50 && commands < 1000, `${commands}`);
  deepEqual(await Deno.readFile(path), saved, "the checkpoint is as it was");
  deepEqual(
    [...Deno.readDirSync(folder.path)].map(({ name }) => name),
    ["training.safetensors"],
    "and nothing beside it",
  );
  await using engine = await openEngine({ device: "cpu", threads: 1 });
  using prepared = await twoLayers(engine);
  deepEqual(await loadCheckpoint(path, prepared.training), { step: 2 });
  deepEqual(await run(prepared, 4), wanted);
});
