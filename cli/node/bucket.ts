/**
 * The bucket of a configuration: where it is, and where the keys to it are. These are in the vault, or in a file that
 * nobody else may read; never in the configuration, nor in the environment.
 *
 * @module
 */
import type { BucketOptions } from "@alknet/handlers/fs";
import Type, { type Static } from "typebox";
import { certificatesOf, secretOf, type Service, type ServicePlace, wrong } from "./service.ts";

const BUCKET: Service = "handlers.fs.bucket";

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

/**
 * The options of a bucket. Its keys are read when they are needed, and again when the bucket takes them no more.
 *
 * @throws {AlknetError} `INVALID_CONFIG`: something in it is wrong.
 */
export async function bucketOf(config: BucketConfig, place: ServicePlace): Promise<BucketOptions> {
  const { BucketCredential, bucketUrl } = await import("@alknet/handlers/fs");
  const { credential, credential_file: file, ca_file: caFile } = config;
  if ((credential === undefined) === (file === undefined)) {
    throw wrong(BUCKET, place, "credential: a name in the vault is needed, or credential_file; one of them");
  }
  const options: BucketOptions = {
    endpoint: config.endpoint,
    bucket: config.bucket,
    region: config.region,
    prefix: config.prefix,
    mode: config.mode,
    cacheBytes: config.cache_bytes,
    pathStyle: config.path_style,
    ca: caFile === undefined ? undefined : await certificatesOf(caFile, BUCKET, place),
    credential: async () => BucketCredential.parse(await secretOf({ credential, file }, BUCKET, place)),
  };
  try {
    bucketUrl(options);
  } catch (cause) {
    throw wrong(BUCKET, place, (cause as Error).message, cause);
  }
  return options;
}
