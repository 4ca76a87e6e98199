/**
 * The graph behind a tensor: what made it, from what, and what has to be known to go back.
 *
 * A node is counted: each tensor that it made, each node made from it and each value saved of it hold it. When the last is gone, so
 * are the values it saved; a graph needs no disposing of its own.
 *
 * @module
 */
import { ComputeError } from "../../values/errors.ts";
import type { DType } from "../../values/dtype.ts";
import type { Layout } from "../../values/shape.ts";
import type { Storage } from "../buffers.ts";
import type { GraphNode, Tensor } from "../tensor.ts";

/** What is sent back to each operand: nothing where there is no way, or it is not wanted. */
export type Sent = readonly (Tensor | undefined)[];

/**
 * How a node goes back.
 *
 * @param g The gradient of the result.
 * @param saved The values that were saved, in their order.
 * @param wanted Whether each operand's gradient is wanted.
 */
export type Backward = (g: Tensor, saved: readonly Tensor[], wanted: readonly boolean[]) => Sent;

/** A function that sees a gradient pass, and may give another in its place. */
export type GradientHook = (gradient: Tensor) => Tensor | void;

/** A value as it was when it was saved. */
export interface Saved {
  /** Its elements; absent where there are none. */
  readonly storage: Storage | undefined;
  /** Where they lie. */
  readonly layout: Layout;
  /** Their type. */
  readonly dtype: DType;
  /** How often the buffer had been written to. */
  readonly version: number;
  /** What made it; `itself` for a node's own result. */
  readonly node: Node | "itself" | undefined;
}

let made = 0;

/** One operation that was recorded, or a leaf: a tensor that gradients are collected for. */
export class Node implements GraphNode {
  /** Later ones are higher, so that going down is going back. */
  readonly id: number = ++made;
  /** The operation. */
  readonly op: string;
  /** Shape of the result. */
  readonly shape: readonly number[];
  /** What made the operands; absent where nothing is asked of one. */
  readonly operands: readonly (Node | undefined)[];
  /** Of a leaf, the tensor. */
  leaf: Tensor | undefined;
  /** How to go back; absent of a leaf. */
  readonly backward: Backward | undefined;
  /** What sees the gradient pass. */
  readonly hooks: Set<GradientHook> = new Set();
  #saved: readonly Saved[] | undefined;
  readonly #release: (storage: Storage) => void;
  #holders = 0;

  /**
   * A node that nothing holds yet.
   *
   * @param release Gives a saved buffer back.
   */
  constructor(
    op: string,
    shape: readonly number[],
    operands: readonly (Node | undefined)[],
    backward: Backward | undefined,
    release: (storage: Storage) => void,
  ) {
    this.op = op;
    this.shape = shape;
    this.operands = operands;
    this.backward = backward;
    this.#release = release;
    for (const one of operands) one?.hold();
  }

  /** Keeps values until the node goes, or was gone back through. */
  save(saved: readonly Saved[]): void {
    this.#saved = saved;
    for (const { storage, node } of saved) {
      if (storage) {
        storage.holders++;
        storage.saved++;
      }
      if (node instanceof Node) node.hold();
    }
  }

  /**
   * What was saved.
   *
   * @throws {ComputeError} `E_GRAPH` when it was used up, `E_VERSION` when one was written to since.
   */
  get saved(): readonly Saved[] {
    if (this.#saved === undefined && this.backward) {
      throw new ComputeError(
        "E_GRAPH",
        this.op,
        "its values were released by an earlier backward; pass retainGraph to that one, or compute it again",
      );
    }
    for (const { storage, version, layout } of this.#saved ?? []) {
      if (storage && storage.version !== version) {
        throw new ComputeError(
          "E_VERSION",
          this.op,
          `a value of [${layout.shape}] that its gradient needs was written to since: version ${storage.version}, not ${version}; clone it before`,
        );
      }
    }
    return this.#saved ?? [];
  }

  /** One more holds it. */
  hold(): void {
    this.#holders++;
  }

  /** One holds it no more. */
  drop(): void {
    const left: Node[] = [this];
    for (let node = left.pop(); node; node = left.pop()) {
      if (--node.#holders > 0) continue;
      left.push(...node.#forget(), ...node.operands.filter((one) => one !== undefined));
    }
  }

  /** Gives up what was saved. */
  forget(): void {
    for (const node of this.#forget()) node.drop();
  }

  /** The same, and the nodes that are to be dropped. */
  #forget(): Node[] {
    const saved = this.#saved ?? [];
    this.#saved = undefined;
    for (const { storage } of saved) {
      if (!storage) continue;
      storage.saved--;
      this.#release(storage);
    }
    return saved.flatMap(({ node }) => node instanceof Node ? [node] : []);
  }
}
