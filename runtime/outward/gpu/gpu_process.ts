/**
 * The host's end of the process that computes on the GPU for one guest.
 *
 * A dispatch that hangs cannot be taken back: with WebGPU the thread that waits for it hangs too, whatever it runs. So it is
 * the thread of another process, which is killed.
 *
 * @module
 */
import type { DeviceInfo } from "../../device/adapter.ts";
import { type GpuCode, GpuError, NO_ADAPTER } from "../../device/errors.ts";
import { type Frame, framePieces, readFrames } from "../../frames.ts";
import { type SpawnedGuest, spawnModule } from "../../pool/spawned.ts";

const CHILD = import.meta.resolve("./child.ts");
/** What Vulkan's loader and the drivers look at to find each other. */
const DRIVERS = [
  "LD_LIBRARY_PATH",
  "VK_ADD_DRIVER_FILES",
  "VK_DRIVER_FILES",
  "VK_ICD_FILENAMES",
  "XDG_DATA_DIRS",
  "XDG_RUNTIME_DIR",
  "DENO_WEBGPU_BACKEND",
];
/** How long it may take to start and to open the device, in milliseconds. */
const START = 20_000;
/** Bytes that compilers and drivers may take beside the buffers: some take gigabytes within seconds for a line of source. */
const SPARE = 512 << 20;
/** How often its memory is looked at while it works, in milliseconds. */
const WATCH = 25;
/** Bytes; where pages are larger, less is seen than is there. */
const PAGE = 4096;

/** Processes that run. */
const RUNNING = new Set<GpuProcess>();

/** How many processes compute for guests. */
export function runningGpuProcesses(): number {
  return RUNNING.size;
}

/** A process with a device in it. */
export class GpuProcess {
  /** What is known of the device. */
  info!: DeviceInfo;
  /** What it was killed for: it did not answer in time, or took the memory of the machine. */
  killedFor: string | undefined;
  /** Comes when the process has ended. */
  readonly ended: Promise<void>;
  #room: number;
  readonly #spawned: SpawnedGuest;
  readonly #frames: AsyncGenerator<Frame>;
  #over = false;

  private constructor(room: number) {
    this.#room = room + SPARE;
    this.#spawned = spawnModule(CHILD, DRIVERS);
    this.#frames = readFrames(this.#spawned.process.stdout);
    RUNNING.add(this);
    this.ended = this.#spawned.process.status.then(() => void RUNNING.delete(this));
  }

  /**
   * Starts a process.
   *
   * @param room Bytes that its buffers may hold.
   * @param began Takes the process at once, so that it can be killed while it starts.
   * @throws {GpuError} `GPU_UNAVAILABLE`: there is no adapter, or no process can be started.
   */
  static async start(room: number, began: (process: GpuProcess) => void): Promise<GpuProcess> {
    if (Deno.build.standalone) {
      throw new GpuError("GPU_UNAVAILABLE", "a compiled executable cannot start a process for a GPU; use deno run");
    }
    const process = new GpuProcess(room);
    began(process);
    const { head } = await process.#answer(START);
    process.#room += process.#memory();
    if (head.info !== null) {
      process.info = head.info as DeviceInfo;
      return process;
    }
    process.kill();
    throw new GpuError("GPU_UNAVAILABLE", NO_ADAPTER);
  }

  /**
   * Has a command done; one at a time.
   *
   * @param limit How long it may take, in milliseconds; then the process is killed.
   * @throws {GpuError} What the device says, or `GPU_LOST`.
   */
  async command(head: Frame["head"], data: Uint8Array | undefined, limit: number): Promise<Frame> {
    if (this.#over) throw lost();
    for (const piece of framePieces(head, data && [data])) this.#spawned.writer.write(piece).catch(() => {});
    const answer = await this.#answer(limit);
    if (answer.head.t === "done") return answer;
    throw new GpuError(answer.head.code as GpuCode, String(answer.head.message));
  }

  /** Ends the process, whatever it does. */
  kill(): void {
    if (this.#over) return;
    this.#over = true;
    const { process, writer } = this.#spawned;
    try {
      process.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    void this.#frames.return(undefined).catch(() => {});
    writer.abort().catch(() => {});
  }

  async #answer(limit: number): Promise<Frame> {
    const late = setTimeout(() => this.#killFor(`took longer than ${limit} ms`), limit);
    const watch = setInterval(() => {
      if (this.info && this.#memory() > this.#room) this.#killFor("took too much memory of the machine");
    }, WATCH);
    try {
      const { value, done } = await this.#frames.next();
      if (done || this.#over) throw lost();
      return value;
    } catch (error) {
      this.kill();
      throw error instanceof GpuError ? error : lost(error);
    } finally {
      clearTimeout(late);
      clearInterval(watch);
    }
  }

  #killFor(why: string): void {
    if (this.#over) return;
    this.killedFor = why;
    this.kill();
  }

  /** Bytes that it has in memory; 0 where the system does not say. */
  #memory(): number {
    if (Deno.build.os !== "linux") return 0;
    try {
      return Number(Deno.readTextFileSync(`/proc/${this.#spawned.process.pid}/statm`).split(" ")[1]) * PAGE;
    } catch {
      // It has ended, or this program may not look.
      return 0;
    }
  }
}

function lost(cause?: unknown): GpuError {
  return new GpuError("GPU_LOST", "the device was lost, and all that was on it", { cause });
}
