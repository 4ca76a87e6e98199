/**
 * What the commands that run a guest may grant it: `--allow-fetch`, `--allow-fs`, `--allow-gpu`, `--op`, and its limits.
 *
 * @module
 */
import { parseTarget } from "@alknet/core/address";
import { message } from "@optique/core/message";
import { multiple, optional, withDefault } from "@optique/core/modifiers";
import type { Parser } from "@optique/core/parser";
import { flag, option } from "@optique/core/primitives";
import { integer, string } from "@optique/core/valueparser";
import { path } from "@optique/run/valueparser";
import { authoritiesOption, checked, homeOption, insecureFlag, passphraseFileOption } from "../grammar/arguments.ts";
import { TOKEN_FILE_TEXT } from "../reaching/reach.ts";
import { parseFolderGrant } from "../guests/folder_grants.ts";

/** What a command line grants. */
export interface GrantOptions {
  /** Origins of `fetch`. */
  readonly allowFetch: readonly string[];
  /** Folders of `fs`. */
  readonly allowFs: readonly string[];
  /** Whether it has a `gpu`. */
  readonly allowGpu: boolean;
  /** MiB that its buffers there may hold. */
  readonly gpuMemory: number;
  /** Names of operations. */
  readonly op: readonly string[];
  /** The node that offers them. */
  readonly node?: string;
  /** Do not check who answers there. */
  readonly insecure: boolean;
  /** File of certificate authorities. */
  readonly ca?: string;
  /** Home folder, whose key proves who we are. */
  readonly home?: string;
  /** File with the passphrase of the vault. */
  readonly passphraseFile?: string;
  /** File that holds a token. */
  readonly tokenFile?: string;
  /** MiB that the guest may use. */
  readonly memory: number;
  /** Seconds that a run may take. */
  readonly timeout: number;
}

/** The parsers behind {@linkcode GrantOptions}. */
export type GrantParsers = { readonly [Name in keyof GrantOptions]-?: Parser<"sync", GrantOptions[Name], unknown> };

/** Parsers of the shared options, to spread into a command's own. */
export function grantOptions(): GrantParsers {
  return {
    allowFetch: multiple(option("--allow-fetch", string({ metavar: "ORIGIN" }), {
      description: message`Origin that its fetch reaches, as https://example.com. Can be repeated.`,
    })),
    allowFs: multiple(option("--allow-fs", checked("FOLDER", "data", parseFolderGrant), {
      description:
        message`Folder that its fs reads, as /NAME there. FOLDER:write is for writing alone, FOLDER:readwrite for both. Can be repeated.`,
    })),
    allowGpu: withDefault(
      flag("--allow-gpu", { description: message`Let it compute on the GPU, by a device in another process.` }),
      false,
    ),
    gpuMemory: withDefault(
      option("--gpu-memory", integer({ metavar: "MIB", min: 1, max: 65_536 }), {
        description: message`Memory that its buffers there may hold. Default: 64.`,
      }),
      64,
    ),
    op: multiple(option("--op", string({ metavar: "NAME" }), {
      description: message`Operation that it may call, as node/info. Can be repeated.`,
    })),
    node: optional(option("--node", checked("ADDRESS", "localhost:4433", parseTarget), {
      description:
        message`Node that offers the operations: [NODEID@]HOST:PORT, or NODEID. Default: that of the home folder.`,
    })),
    insecure: insecureFlag(),
    ca: authoritiesOption(),
    home: homeOption(),
    passphraseFile: passphraseFileOption(),
    tokenFile: optional(option("--token-file", path({ metavar: "FILE", type: "file", mustExist: true }), {
      description: TOKEN_FILE_TEXT,
    })),
    memory: withDefault(
      option("--memory", integer({ metavar: "MIB", min: 18, max: 2048 }), {
        description: message`Memory that it may use, engine included. Default: 32.`,
      }),
      32,
    ),
    timeout: withDefault(
      option("--timeout", integer({ metavar: "SECONDS", min: 1, max: 86_400 }), {
        description: message`Time that it may take. Default: 10.`,
      }),
      10,
    ),
  };
}
