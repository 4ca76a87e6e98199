/**
 * Servers that speak S3, each of a test of its own, on the loopback, with one bucket.
 *
 * @module
 */
import { BucketCredential, type BucketOptions } from "@alknet/handlers/fs";
import { type Child, start } from "./process.ts";
import { VERSITYGW, WEED } from "./python.ts";
import { temporaryFolder } from "./temp.ts";

/** The keys of every such server. */
export const ACCESS_KEY = "AKTESTKEY";
/** See {@linkcode ACCESS_KEY}. */
export const SECRET = "secret-of-the-tests-0123456789";
/** The bucket. */
export const BUCKET = "blobs";

/** Which server. */
export type S3Kind = "versitygw" | "seaweedfs";

/** A server that runs. */
export interface S3Server extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`. */
  readonly endpoint: string;
  /** Where it keeps what it has: of versitygw `BUCKET/KEY`, each object a file. */
  readonly folder: string;
  /** Options of its bucket. */
  options(changes?: Partial<BucketOptions>): BucketOptions;
  /** Ends it, as a machine that loses its power. */
  kill(): Promise<void>;
  /** Starts it again where it was. */
  again(): Promise<void>;
}

/** Options of the bucket of a server. */
export function bucketAt(endpoint: string): BucketOptions {
  const credential = (): BucketCredential => new BucketCredential(ACCESS_KEY, SECRET);
  return { endpoint, bucket: BUCKET, region: "us-east-1", credential };
}

/** Files of a certificate, with which versitygw speaks TLS. */
export interface S3Certificate {
  /** The certificate. */
  readonly cert: string;
  /** Its key. */
  readonly key: string;
}

/**
 * Starts one.
 *
 * @param domain Where versitygw takes the name of a bucket to stand before this one, in the host.
 */
export async function startS3(kind: S3Kind = "versitygw", tls?: S3Certificate, domain?: string): Promise<S3Server> {
  const temporary = await temporaryFolder();
  const folder = temporary.join("data");
  await Deno.mkdir(folder);
  if (kind === "versitygw") await Deno.mkdir(`${folder}/${BUCKET}`);
  let running = await launch({ kind, folder, home: temporary.path, tls, domain });
  const server: S3Server = {
    endpoint: `${tls ? "https" : "http"}://127.0.0.1:${running.port}`,
    folder,
    options: (changes) => ({ ...bucketAt(server.endpoint), ...changes }),
    async kill() {
      running.child.kill("SIGKILL");
      await running.child[Symbol.asyncDispose]();
    },
    async again() {
      running = await launch({ kind, folder, home: temporary.path, tls, domain }, running.port);
    },
    async [Symbol.asyncDispose]() {
      await running.child[Symbol.asyncDispose]();
      await temporary[Symbol.asyncDispose]();
    },
  };
  return server;
}

interface Running {
  readonly child: Child;
  readonly port: number;
}

/** How often another port is tried: somebody else may take one that was free. */
const TRIES = 5;

interface Launch {
  readonly kind: S3Kind;
  readonly folder: string;
  readonly home: string;
  readonly tls?: S3Certificate;
  readonly domain?: string;
}

async function launch({ kind, folder, home, tls, domain }: Launch, port?: number): Promise<Running> {
  for (let tried = 1;; tried++) {
    const chosen = port ?? freePort();
    const child = kind === "versitygw" ? versitygw(folder, chosen, tls, domain) : await seaweedfs(folder, home, chosen);
    if (await answers(chosen, child, tls !== undefined)) return { child, port: chosen };
    const { errors, output } = child;
    await child[Symbol.asyncDispose]();
    if (tried === TRIES) throw new Error(`${kind} does not start: ${errors || output}`);
  }
}

function versitygw(folder: string, port: number, tls?: S3Certificate, domain?: string): Child {
  const env = { ROOT_ACCESS_KEY: ACCESS_KEY, ROOT_SECRET_KEY: SECRET };
  const secured = tls ? ["--cert", tls.cert, "--key", tls.key] : [];
  const named = domain === undefined ? [] : ["--virtual-domain", domain];
  const args = ["--quiet", "--port", `127.0.0.1:${port}`, ...secured, ...named, "posix", folder];
  return start(VERSITYGW, args, { env, grace: 500 });
}

async function seaweedfs(folder: string, home: string, port: number): Promise<Child> {
  const config = `${home}/s3.json`;
  const credentials = [{ accessKey: ACCESS_KEY, secretKey: SECRET }];
  await Deno.writeTextFile(
    config,
    JSON.stringify({ identities: [{ name: "test", credentials, actions: ["Admin", "Read", "Write", "List"] }] }),
  );
  // Each of its parts takes a port, and the one 10,000 above it.
  const [master, volume, filer] = [freePort(50_000), freePort(50_000), freePort(50_000)];
  return start(WEED, [
    "server",
    `-dir=${folder}`,
    "-ip=127.0.0.1",
    "-ip.bind=127.0.0.1",
    `-master.port=${master}`,
    `-volume.port=${volume}`,
    `-filer.port=${filer}`,
    "-s3",
    `-s3.port=${port}`,
    `-s3.port.grpc=${freePort()}`,
    `-s3.config=${config}`,
    "-volume.max=20",
    "-master.volumeSizeLimitMB=64",
  ], { grace: 500 });
}

/** A port that nobody has now, below a bound. */
function freePort(below = 65_536): number {
  for (;;) {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    if (listener.addr.port < below) return listener.addr.port;
  }
}

/** Waits until it answers, or, where it speaks TLS, listens; or until it ended. */
async function answers(port: number, child: Child, isTls: boolean): Promise<boolean> {
  let ended = false;
  child.status.then(() => ended = true);
  while (!ended) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      if (isTls) return true;
      const { status, body } = await fetch(`http://127.0.0.1:${port}`);
      await body?.cancel();
      if (status < 500) return true;
    } catch {
      // Not yet.
    }
    await new Promise((done) => setTimeout(done, 20));
  }
  return false;
}
