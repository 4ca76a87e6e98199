/**
 * The table of operations on WebGPU, beside PyTorch.
 *
 * @module
 */
import { ELEMENTS } from "./elements.ts";
import { FOLDING } from "./folding.ts";
import { INDEXING } from "./indexing.ts";
import { LAYERS } from "./layers.ts";
import { SHAPES } from "./shapes.ts";
import { torchSuite } from "./suite.ts";

const GPU = { device: "gpu" } as const;
await torchSuite("elements", ELEMENTS, GPU, "vulkan");
await torchSuite("shapes", SHAPES, GPU, "vulkan");
await torchSuite("folding", FOLDING, GPU, "vulkan");
await torchSuite("indexing", INDEXING, GPU, "vulkan");
await torchSuite("layers", LAYERS, GPU, "vulkan");
