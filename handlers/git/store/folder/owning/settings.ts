/**
 * The settings of a repository that its owner changes: those of the section `alknet` of its config.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import type { RepositorySettings } from "../../types.ts";
import type { Holder } from "../holder.ts";
import { readSettings } from "../repository.ts";
import { type ConfigValues, editConfig } from "./config_edit.ts";

/** What an owner sets of a repository. */
export interface OwnedSettings {
  /** For people, up to 1024 bytes. */
  readonly description: string;
  /** Whether everyone that is known may read it. */
  readonly public: boolean;
  /** Id of the identity whose it is. */
  readonly owner?: string;
  /** Bytes of all of its packs; absent where the node's own limit holds. */
  readonly quota?: number;
  /** Whether pushes need a certificate. */
  readonly requireSigned: boolean;
  /** Patterns of protected refs beside `HEAD`. */
  readonly protected: readonly string[];
}

/** What is to change; `null` sets what holds without a setting. */
export type SettingChanges = { readonly [Name in keyof OwnedSettings]?: OwnedSettings[Name] | null };

const MOST_TEXT = 1024;
const MOST_PATTERNS = 256;
// deno-lint-ignore no-control-regex -- those are what is looked for.
const UNPRINTABLE = /[\x00-\x1f\x7f-\x9f]/;

/** The settings, as their owner sees them. */
export function ownedSettings({ description, public: isPublic, owner, push }: RepositorySettings): OwnedSettings {
  return {
    description,
    public: isPublic,
    ...(owner !== undefined && { owner }),
    ...(push.quota !== undefined && { quota: push.quota }),
    requireSigned: push.requireSigned,
    protected: push.protected.slice(1),
  };
}

/**
 * Changes the settings of a folder.
 *
 * @returns The settings from now on.
 * @throws {AlknetError} `INVALID_SETTING`: a value is none; `REPOSITORY_BUSY`, `GIT_CORRUPT`.
 */
export async function changeSettings(folder: string, changes: SettingChanges, holder: Holder): Promise<OwnedSettings> {
  const values: Record<string, readonly string[]> = {};
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined) continue;
    values[key] = value === null ? [] : (Array.isArray(value) ? value : [value]).map(String);
  }
  check(values);
  if (Object.keys(values).length > 0) await editConfig(folder, "alknet", values, holder);
  return ownedSettings(readSettings(folder));
}

function check({ description = [], owner = [], quota = [], protected: patterns = [] }: ConfigValues): void {
  for (const text of [...description, ...owner, ...patterns]) {
    if (new TextEncoder().encode(text).byteLength > MOST_TEXT || UNPRINTABLE.test(text)) {
      throw new AlknetError("INVALID_SETTING", `a setting is one line of up to ${MOST_TEXT} bytes`);
    }
  }
  if (owner.includes("")) throw new AlknetError("INVALID_SETTING", "the owner is the id of an identity");
  if (quota.some((bytes) => !/^[1-9][0-9]{0,14}$/.test(bytes))) {
    throw new AlknetError("INVALID_SETTING", "the quota is a whole number of bytes above 0");
  }
  if (patterns.length > MOST_PATTERNS || patterns.some((pattern) => !/^!?(?:HEAD|refs\/\S+)$/.test(pattern))) {
    throw new AlknetError(
      "INVALID_SETTING",
      `protected are up to ${MOST_PATTERNS} patterns such as refs/heads/release/*, or !HEAD`,
    );
  }
}
