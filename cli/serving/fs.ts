/**
 * The fs handler as the configuration has it: where its store is, who may read, and its limits.
 *
 * @module
 */
import { parseAddress } from "@alknet/core/address";
import { AlknetError, type Handler } from "@alknet/core/handler";
import type { NodeKey } from "@alknet/core/identity";
import type { HandlerRegistration } from "@alknet/core/operations";
import type { FsLimits, Provider, TreeFs } from "@alknet/handlers/fs";
import type { HttpApp } from "@alknet/handlers/http";
import { dirname, join, resolve } from "node:path";
import Type, { type Static, type TSchema } from "typebox";
import { BUCKET_SCHEMA, bucketOf } from "../node/bucket.ts";
import { POSTGRES_SCHEMA, postgresOf } from "../node/postgres.ts";
import type { Home } from "../home/home.ts";

/** Milliseconds in which a provider answers. */
const DIAL_TIME = 10_000;
const closed = { additionalProperties: false };

const schema = Type.Object({
  folder: Type.Optional(
    Type.String({ minLength: 1, description: "folder of the store; default: fs in the home folder" }),
  ),
  addresses: Type.Optional(
    Type.Array(Type.String({ minLength: 1 }), {
      description: "HOST:PORTs that tickets name; default: where it listens",
    }),
  ),
  public_blobs: Type.Optional(Type.Boolean({ description: "whether whoever knows a hash may read the blob" })),
  durability: Type.Optional(
    Type.Union([Type.Literal("full"), Type.Literal("normal")], {
      description: "full: what was acknowledged is there even when the power goes; normal: when the process dies",
    }),
  ),
  history_days: Type.Optional(
    Type.Number({
      minimum: 0,
      maximum: 1e6,
      description: "for how many days versions of branches are kept; default: 30",
    }),
  ),
  quotas: Type.Optional(
    Type.Record(
      Type.String({ minLength: 1 }),
      Type.Object({
        bytes: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
        files: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
      }, closed),
      {
        description:
          "how much each identity may keep under tags and in its branches; local is the commands', * each that has no entry",
      },
    ),
  ),
  providers: Type.Optional(
    Type.Array(Type.String({ minLength: 1 }), {
      description:
        "[NODEID@]HOST:PORTs of the nodes that are asked for what a branch has and is not here, and that blobs/fetch may ask; default: none",
    }),
  ),
  bucket: Type.Optional(BUCKET_SCHEMA),
  postgres: Type.Optional(POSTGRES_SCHEMA),
  limits: Type.Optional(
    Type.Record(Type.String(), Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }), {
      description: "limits by their names; bytes, milliseconds or counts",
    }),
  ),
}, closed);

/** The schema of `handlers.fs`. */
export const FS_SCHEMA: TSchema = schema;
/** Options of `handlers.fs`. */
export type FsConfig = Static<typeof schema>;

/** Whose configuration it is. */
export interface FsConfigPlace {
  /** Relative folders are resolved against its own. */
  readonly configFile: string;
  /** Has the store, where the configuration names no other folder. */
  readonly home: Home;
  /** File with the passphrase of the vault, which may have the keys of the bucket, and the password of the database. */
  readonly passphraseFile?: string;
}

/** What serves it. */
export interface FsNode extends FsConfigPlace {
  /** Key of the node: tickets name it, and with it the node dials others. */
  readonly key: NodeKey;
}

/** The store of a node that serves it. */
export interface ServedFs extends AsyncDisposable {
  /** It. */
  readonly files: TreeFs;
  /** Serves its blobs. */
  readonly handler: Handler;
  /** Adds what HTTP serves of it. */
  addRoutes(app: HttpApp): void;
  /** The operations on it. */
  readonly operations: readonly HandlerRegistration[];
  /** Says where the node listens. */
  announce(addresses: readonly string[]): Promise<void>;
}

/** The folder of a store. */
export function storeFolder(config: FsConfig, { configFile, home }: FsConfigPlace): string {
  return config.folder === undefined ? join(home.folder, "fs") : resolve(dirname(configFile), config.folder);
}

/**
 * Opens the store of a configuration.
 *
 * @throws {AlknetError} `INVALID_CONFIG`: a limit or an address is none. `STORE_NEWER`, `INVALID_STORE`.
 */
export async function openStore(
  config: FsConfig,
  place: FsConfigPlace,
  providers: readonly Provider[] = [],
): Promise<TreeFs> {
  for (const address of config.addresses ?? []) {
    try {
      if (parseAddress(address).nodeId !== undefined) throw new AlknetError("INVALID_ADDRESS", "it names a node");
    } catch (cause) {
      throw wrong(place, `addresses: ${(cause as Error).message}; HOST:PORT is needed`, cause);
    }
  }
  for (const address of config.providers ?? []) {
    try {
      parseAddress(address);
    } catch (cause) {
      throw wrong(place, `providers: ${(cause as Error).message}; [NODEID@]HOST:PORT is needed`, cause);
    }
  }
  const { fsLimitsWith, openFs } = await import("@alknet/handlers/fs");
  try {
    fsLimitsWith(limitsOf(config.limits));
  } catch (cause) {
    throw wrong(place, `limits: ${(cause as Error).message}`, cause);
  }
  const bucket = config.bucket && await bucketOf(config.bucket, place);
  const postgres = config.postgres && await postgresOf(config.postgres, place);
  return await openFs({
    bucket,
    postgres,
    providers,
    folder: storeFolder(config, place),
    durability: config.durability,
    quotas: config.quotas,
    historyDays: config.history_days,
    limits: limitsOf(config.limits),
  });
}

/**
 * The fs handler and its store.
 *
 * @throws {AlknetError} `INVALID_CONFIG`: a limit or an address is none. `STORE_NEWER`, `INVALID_STORE`.
 */
export async function fsOf(config: FsConfig, place: FsNode): Promise<ServedFs> {
  const [{ fs, fsOperations, fsWeb }, { formatTicket }, { addFiles }] = await Promise.all([
    import("@alknet/handlers/fs"),
    import("@alknet/handlers/fs/bao"),
    import("../mounts/web.ts"),
  ]);
  const providers = providersOf(config.providers ?? [], place);
  const files = await openStore(config, place, [...providers.values()]);
  let addresses: readonly string[] = config.addresses ?? [];
  return {
    files,
    handler: fs(files, { limits: limitsOf(config.limits), publicBlobs: config.public_blobs }),
    addRoutes: (app) => addFiles(app, fsWeb(files, { publicBlobs: config.public_blobs })),
    operations: fsOperations(files, {
      publicBlobs: config.public_blobs,
      ticketOf: (content) => formatTicket({ kind: "alknet", nodeKey: place.key.publicKey, addresses, ...content }),
      providerOf: providers.size > 0 ? (address) => providers.get(address) : undefined,
      maxBlobSize: limitsOf(config.limits).maxBlobSize,
    }),
    announce: (listening) => {
      addresses = config.addresses ?? listening;
      return files.announce(listening);
    },
    [Symbol.asyncDispose]: () => files[Symbol.asyncDispose](),
  };
}

/** Those who may be asked for blobs, by their addresses as they are written; dialled as this node. */
function providersOf(addresses: readonly string[], { key }: FsNode): ReadonlyMap<string, Provider> {
  return new Map(addresses.map((address) => [address, {
    address,
    async dial(signal) {
      const [{ connect }, { BLOBS_ALPN }] = await Promise.all([
        import("@alknet/core/dial"),
        import("@alknet/handlers/fs"),
      ]);
      return await connect(address, BLOBS_ALPN, { key, timeout: DIAL_TIME, signal });
    },
  }]));
}

/** `request_time` to `requestTime`. */
function limitsOf(limits: Readonly<Record<string, number>> = {}): Partial<FsLimits> {
  return Object.fromEntries(
    Object.entries(limits).map(([name, value]) => [name.replaceAll(/_([a-z])/g, (_, c) => c.toUpperCase()), value]),
  );
}

function wrong({ configFile }: FsConfigPlace, reason: string, cause?: unknown): AlknetError {
  return new AlknetError("INVALID_CONFIG", `config ${configFile}: handlers.fs.${reason}`, { cause });
}
