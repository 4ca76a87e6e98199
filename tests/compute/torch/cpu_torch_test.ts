/**
 * The table of operations on the processor, beside PyTorch.
 *
 * @module
 */
import { ELEMENTS } from "./elements.ts";
import { FOLDING } from "./folding.ts";
import { INDEXING } from "./indexing.ts";
import { LAYERS } from "./layers.ts";
import { SHAPES } from "./shapes.ts";
import { torchSuite } from "./suite.ts";

const CPU = { device: "cpu", threads: 2 } as const;
await torchSuite("elements", ELEMENTS, CPU);
await torchSuite("shapes", SHAPES, CPU);
await torchSuite("folding", FOLDING, CPU);
await torchSuite("indexing", INDEXING, CPU);
await torchSuite("layers", LAYERS, CPU);
