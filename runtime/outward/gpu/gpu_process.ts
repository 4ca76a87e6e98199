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
import { encodeFrame, type Frame, readFrames } from "../../frames.ts";
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
  /** It did not answer in time, and was killed for it. */
  hung = false;
  readonly #spawned: SpawnedGuest;
  readonly #frames: AsyncGenerator<Frame>;
  #ended = false;

  private constructor() {
    this.#spawned = spawnModule(CHILD, DRIVERS);
    this.#frames = readFrames(this.#spawned.process.stdout);
    RUNNING.add(this);
    this.#spawned.process.status.then(() => void RUNNING.delete(this));
  }

  /**
   * Starts a process.
   *
   * @param began Takes the process at once, so that it can be killed while it starts.
   * @throws {GpuError} `GPU_UNAVAILABLE`: there is no adapter, or no process can be started.
   */
  static async start(began: (process: GpuProcess) => void): Promise<GpuProcess> {
    if (Deno.build.standalone) {
      throw new GpuError("GPU_UNAVAILABLE", "a compiled executable cannot start a process for a GPU; use deno run");
    }
    const process = new GpuProcess();
    began(process);
    const { head } = await process.#answer(START);
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
    if (this.#ended) throw lost();
    this.#spawned.writer.write(encodeFrame(head, data && [data])).catch(() => {});
    const answer = await this.#answer(limit);
    if (answer.head.t === "done") return answer;
    throw new GpuError(answer.head.code as GpuCode, String(answer.head.message));
  }

  /** Ends the process, whatever it does. */
  kill(): void {
    if (this.#ended) return;
    this.#ended = true;
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
    const late = setTimeout(() => {
      this.hung = true;
      this.kill();
    }, limit);
    try {
      const { value, done } = await this.#frames.next();
      if (done || this.#ended) throw lost();
      return value;
    } catch (error) {
      this.kill();
      throw error instanceof GpuError ? error : lost(error);
    } finally {
      clearTimeout(late);
    }
  }
}

function lost(cause?: unknown): GpuError {
  return new GpuError("GPU_LOST", "the device was lost, and all that was on it", { cause });
}
