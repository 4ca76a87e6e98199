/**
 * What a thread that receives packs is told, and what it tells.
 *
 * @module
 */
import type { Ingested, IngestOptions } from "../../types.ts";
import type { IngestPlace } from "./place.ts";

/** What it is told first. */
export interface Begin extends Pick<IngestPlace, "folder" | "limit" | "settings"> {
  /** Folder of the quarantine's packs. */
  readonly into: string;
  /** See {@linkcode IngestOptions}. */
  readonly bounds: IngestOptions["bounds"];
  /** See {@linkcode IngestOptions}. */
  readonly toEnd: boolean;
}

/** What it is told. */
export type ToThread =
  | { readonly begin: Begin }
  | { readonly bytes: Uint8Array | undefined }
  | { readonly turn: true };

/** An error, of which only so much crosses. */
export interface Failure {
  /** Whether the pack is refused, with the words for its client as message. */
  readonly refused: boolean;
  /** Its code, if it has one. */
  readonly code?: string;
  /** What it says. */
  readonly message: string;
}

/** What it tells: that it is there, what it needs, how far it is, and what came of it. */
export type FromThread =
  | "ready"
  | "more"
  | "turn"
  | { readonly warn: string }
  | { readonly progress: Parameters<NonNullable<IngestOptions["progress"]>> }
  | { readonly step: string }
  | { readonly done: Ingested }
  | { readonly failed: Failure };
