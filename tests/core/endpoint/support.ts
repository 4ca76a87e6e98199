/**
 * Endpoints and certificate authorities for tests.
 *
 * @module
 */
import { prepareDial } from "../../../core/endpoint/dial.ts";
import type { Endpoint } from "../../../core/endpoint/endpoint.ts";
import type { BidiStream } from "../../../core/handler/stream.ts";
import type { Limits } from "../../../core/limits/limits.ts";
import type { CertificateKeyPair } from "../../../core/identity/key_pair.ts";
import type { NodeKey } from "../../../core/identity/node_key.ts";
import { runProgram } from "../../support/process.ts";
import type { TemporaryFolder } from "../../support/temp.ts";

// Native code is loaded once and stays; loaded within a test, it would count as that test's leak.
await prepareDial();

/** The transports that endpoint tests run over. */
export const TRANSPORTS = ["tls", "quic"] as const;

/** Limits under which a test is not refused for being quick. */
export const ROOMY: Partial<Limits> = {
  maxConnectionsPerAddress: 10_000,
  connectionRate: 100_000,
  connectionBurst: 100_000,
};

/** `NODEID@HOST:PORT` of an endpoint. */
export function addressOf(endpoint: Endpoint): string {
  return `${endpoint.nodeId}@${hostOf(endpoint)}`;
}

/** `HOST:PORT` of an endpoint. */
export function hostOf(endpoint: Endpoint): string {
  const [{ hostname, port }] = endpoint.addresses;
  return `${hostname}:${port}`;
}

/** Writes a text, half-closes, and reads the answer to its end. */
export async function ask(stream: BidiStream, question: string): Promise<string> {
  const writer = stream.writable.getWriter();
  await writer.write(new TextEncoder().encode(question));
  await writer.close();
  return await readText(stream);
}

/** Reads a stream to its end. */
export function readText({ readable }: BidiStream): Promise<string> {
  return new Response(readable as ReadableStream<Uint8Array<ArrayBuffer>>).text();
}

/** A certificate authority made by OpenSSL, and what it issues. */
export class Authority {
  readonly #folder: TemporaryFolder;

  /** The authority's certificate, PEM. */
  readonly certificate: string;

  private constructor(folder: TemporaryFolder, certificate: string) {
    this.#folder = folder;
    this.certificate = certificate;
  }

  /** Makes one in a folder. */
  static async make(folder: TemporaryFolder): Promise<Authority> {
    await openssl(folder, [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"],
      ...["-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test authority"],
    ]);
    return new Authority(folder, await Deno.readTextFile(folder.join("ca.pem")));
  }

  /**
   * Issues a certificate for a DNS name.
   *
   * @param days Validity from now; negative for one that is over.
   */
  async issue(name: string, days = 20): Promise<CertificateKeyPair> {
    const [key, request, leaf] = [`${name}.key`, `${name}.csr`, `${name}.pem`];
    const extensions = await this.#folder.write(
      `${name}.ext`,
      `subjectAltName=DNS:${name}\nextendedKeyUsage=serverAuth\n`,
    );
    await openssl(this.#folder, [
      ...[
        "req",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-keyout",
        key,
        "-out",
        request,
      ],
      ...["-subj", `/CN=${name}`],
    ]);
    await openssl(this.#folder, [
      ...["x509", "-req", "-in", request, "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", leaf],
      ...["-days", String(days), "-extfile", extensions],
    ]);
    return {
      certificate: await Deno.readTextFile(this.#folder.join(leaf)),
      privateKey: await Deno.readTextFile(this.#folder.join(key)),
    };
  }
}

/** A node key that presents another certificate. */
export function withCertificate(key: NodeKey, pair: CertificateKeyPair): NodeKey {
  return new Proxy(key, {
    get(target, property) {
      if (property === "certificate") return () => pair;
      const value = Reflect.get(target, property, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

async function openssl(folder: TemporaryFolder, args: readonly string[]): Promise<void> {
  const { code, stderr } = await runProgram("openssl", args, { cwd: folder.path });
  if (code !== 0) throw new Error(`openssl ${args[0]}: ${stderr}`);
}
