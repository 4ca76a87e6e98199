/**
 * The bucket of a configuration: where it is, and where the keys to it are. These are in the vault, or in a file that
 * nobody else may read; never in the configuration, nor in the environment.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { readPrivateFile, reason } from "@alknet/core/private-file";
import type { BucketOptions } from "@alknet/handlers/fs";
import { dirname, resolve } from "node:path";
import Type, { type Static } from "typebox";
import { exists, type Home } from "../home/home.ts";

/** Bytes of a file of certificates. */
const MOST_CA = 1024 * 1024;

const bucketSchema = Type.Object({
  endpoint: Type.String({ minLength: 1, description: "https://HOST[:PORT]; http on this machine alone" }),
  bucket: Type.String({ minLength: 1, description: "its name there" }),
  region: Type.Optional(Type.String({ minLength: 1, description: "default: auto" })),
  prefix: Type.Optional(Type.String({ description: "what the names of its objects begin with" })),
  credential: Type.Optional(
    Type.String({ minLength: 1, description: "name in the vault of ACCESS-KEY:SECRET, or ACCESS-KEY:SECRET:TOKEN" }),
  ),
  credential_file: Type.Optional(
    Type.String({ minLength: 1, description: "file that holds it instead, which nobody else may read" }),
  ),
  mode: Type.Optional(
    Type.Union([Type.Literal("mirror"), Type.Literal("cold")], {
      description: "mirror: all is here too; cold: what was used last",
    }),
  ),
  cache_bytes: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      description: "what stays here in cold; default: 10 GiB",
    }),
  ),
  path_style: Type.Optional(
    Type.Boolean({ description: "false: the name of the bucket stands before that of the host" }),
  ),
  ca_file: Type.Optional(
    Type.String({ minLength: 1, description: "certificates, PEM, to believe beside the system's" }),
  ),
}, { additionalProperties: false });

/** The schema of `handlers.fs.bucket`. */
export const BUCKET_SCHEMA: typeof bucketSchema = bucketSchema;
/** Options of `handlers.fs.bucket`. */
export type BucketConfig = Static<typeof bucketSchema>;

/** Whose configuration it is. */
export interface BucketPlace {
  /** Relative paths are resolved against its folder. */
  readonly configFile: string;
  /** Has the vault. */
  readonly home: Home;
  /** File with the passphrase of the vault. */
  readonly passphraseFile?: string;
}

/**
 * The options of a bucket. Its keys are read when they are needed, and again when the bucket takes them no more.
 *
 * @throws {AlknetError} `INVALID_CONFIG`: something in it is wrong.
 */
export async function bucketOf(config: BucketConfig, place: BucketPlace): Promise<BucketOptions> {
  const { BucketCredential, bucketUrl } = await import("@alknet/handlers/fs");
  const { credential, credential_file: file, ca_file: caFile } = config;
  if ((credential === undefined) === (file === undefined)) {
    throw wrong(place, "credential: a name in the vault is needed, or credential_file; one of them");
  }
  const options: BucketOptions = {
    endpoint: config.endpoint,
    bucket: config.bucket,
    region: config.region,
    prefix: config.prefix,
    mode: config.mode,
    cacheBytes: config.cache_bytes,
    pathStyle: config.path_style,
    ca: caFile === undefined ? undefined : await certificates(pathOf(caFile, place), place),
    credential: async () => {
      const text = file === undefined
        ? await fromVault(credential!, place)
        : await readPrivateFile(pathOf(file, place), "credential file", { code: "CREDENTIAL_FILE" });
      return BucketCredential.parse(text);
    },
  };
  try {
    bucketUrl(options);
  } catch (cause) {
    throw wrong(place, (cause as Error).message, cause);
  }
  return options;
}

async function fromVault(name: string, { home, passphraseFile }: BucketPlace): Promise<string> {
  // Nobody may be there to be asked.
  if (passphraseFile === undefined && !await exists(home.vaultKeyFile)) {
    throw new AlknetError(
      "VAULT_LOCKED",
      `${name} of handlers.fs.bucket is in a vault with a passphrase; give --passphrase-file FILE to alknet serve, ` +
        "or name a credential_file",
    );
  }
  const { openVault, settledCredentials } = await import("../vault/vault_folder.ts");
  const { credentialOf, opening } = await import("../vault/credentials.ts");
  const sealed = credentialOf(await settledCredentials(home), name);
  using open = await openVault(home, { passphraseFile });
  return await opening(name, () => open.vault.open(sealed));
}

async function certificates(path: string, place: BucketPlace): Promise<string> {
  try {
    const { size } = await Deno.stat(path);
    if (size > MOST_CA) throw new Error(`it has ${size} bytes, more than certificates ever have`);
    const text = await Deno.readTextFile(path);
    if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
    throw new Error("it holds no certificate in PEM");
  } catch (cause) {
    throw wrong(place, `ca_file: cannot read ${path}: ${reason(cause)}`, cause);
  }
}

function pathOf(path: string, { configFile }: BucketPlace): string {
  return resolve(dirname(configFile), path);
}

function wrong({ configFile }: BucketPlace, why: string, cause?: unknown): AlknetError {
  return new AlknetError("INVALID_CONFIG", `config ${configFile}: handlers.fs.bucket.${why}`, { cause });
}
