/**
 * The configuration file of a node: one JSON file with a static part, which takes effect at the next start, and a dynamic
 * part, which a running node takes over when the file changes.
 *
 * @example Follow a file, and resolve identities from it
 * ```ts
 * import { limitsOf, watchConfig } from "@alknet/core/config";
 * import { configProvider } from "@alknet/core/identity";
 *
 * const path = await Deno.makeTempFile();
 * await Deno.writeTextFile(path, JSON.stringify({ listen: "127.0.0.1:4433" }));
 * {
 *   await using config = await watchConfig(path, { onInvalid: (error) => console.error(error.message) });
 *   const identityProvider = configProvider(() => config.snapshot());
 *   console.assert(identityProvider.resolveToken("alk_unknown") === undefined);
 *   const limits = limitsOf({ static: config.static, dynamic: config.snapshot() });
 *   console.assert(limits.maxConnectionsPerAddress === 100);
 * }
 * await Deno.remove(path);
 * ```
 *
 * @module
 */
export { AlknetError } from "../errors.ts";
export type { ApiKeyEntry, PeerEntry } from "../identity/provider.ts";
export type { Limits } from "../limits/limits.ts";
export { checkSchema, InvalidConfigError } from "./check.ts";
export { type ConfigFile, type ReloadResult, watchConfig, type WatchOptions } from "./config_file.ts";
export { type FollowedFiles, followFiles, type FollowOptions } from "./follow_files.ts";
export { editConfig, type EditOptions } from "./edit.ts";
export { limitsOf } from "./limits_of.ts";
export { loadConfig } from "./load.ts";
export { parseConfig, type ParsedConfig, type ParseOptions } from "./parse.ts";
export { configSchema } from "./schema.ts";
export { assertTrusted } from "./trust.ts";
export type {
  ApiKeyConfig,
  ApiKeyDocument,
  CertificateDocument,
  Config,
  ConfigDocument,
  DynamicConfig,
  LimitsDocument,
  ListenDocument,
  PeerConfig,
  PeerDocument,
  QuicDocument,
  Schema,
  StaticConfig,
} from "./types.ts";
