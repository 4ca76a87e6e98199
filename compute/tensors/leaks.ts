/**
 * Which tensors are alive, and which were forgotten.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { ELEMENT_BYTES } from "../values/dtype.ts";
import type { Buffers, Storage } from "./buffers.ts";
import type { GraphNode, Tensor } from "./tensor.ts";

/** A tensor that is alive. */
export interface LiveTensor {
  /** Number of the handle. */
  readonly id: number;
  /** The operation that made it. */
  readonly made: string;
  /** Its shape. */
  readonly shape: readonly number[];
  /** Bytes of its elements; views share them. */
  readonly bytes: number;
}

/** What is known of a tensor without holding it. */
interface Known {
  readonly live: LiveTensor;
  readonly storage: Storage | undefined;
  /** What made it, which it holds. */
  node?: GraphNode;
}

/** The tensors of one engine. A tensor that is collected without having been disposed is logged, and its buffer released. */
export class Register {
  readonly #known = new Map<number, Known>();
  readonly #collected: FinalizationRegistry<number>;

  /** @param buffers Where a collected tensor's buffer goes. */
  constructor(buffers: Buffers) {
    this.#collected = new FinalizationRegistry((id) => {
      const known = this.#known.get(id);
      if (known === undefined) return;
      this.#known.delete(id);
      const { made, shape } = known.live;
      getLogger(["alknet", "compute"]).warn("Tensor of {made} [{shape}] was collected without dispose", {
        made,
        shape: shape.join(),
      });
      if (known.storage) buffers.release(known.storage);
      known.node?.drop();
    });
  }

  /** A tensor was made. */
  add(tensor: Tensor, storage: Storage | undefined): void {
    const { id, made, shape, size } = tensor;
    this.#known.set(id, { live: { id, made, shape, bytes: size * ELEMENT_BYTES }, storage });
    this.#collected.register(tensor, id, tensor);
  }

  /** A tensor holds what made it. */
  follow(tensor: Tensor, node: GraphNode): void {
    const known = this.#known.get(tensor.id);
    if (known) known.node = node;
  }

  /** A tensor was disposed. */
  remove(tensor: Tensor): void {
    this.#known.delete(tensor.id);
    this.#collected.unregister(tensor);
  }

  /** What is alive, oldest first. */
  list(): LiveTensor[] {
    return [...this.#known.values()].map(({ live }) => live);
  }
}
