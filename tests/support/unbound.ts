/**
 * Unbound, a resolver of others, that answers names of `example.org` over TLS on loopback. It agrees on no protocol.
 *
 * @module
 */
import { type Child, runProgram, start } from "./process.ts";
import { type TemporaryFolder, temporaryFolder } from "./temp.ts";

/** The name in its certificate. */
export const UNBOUND_NAME = "dns.example.test";

/** A resolver that runs. */
export interface Unbound extends AsyncDisposable {
  /** Its port, TCP and TLS. */
  readonly port: number;
  /** The fingerprint of its certificate. */
  readonly fingerprint: string;
  /** Its certificate, PEM, which is its own authority. */
  readonly certificate: string;
  /** Its process. */
  readonly child: Child;
}

/**
 * Starts one.
 *
 * @param records Records in `example.org`, as lines of master files.
 * @param more Clauses of its configuration; `FOLDER` is where its certificate lies.
 */
export async function startUnbound(records: readonly string[] = [], more = ""): Promise<Unbound> {
  await using made = await Started.prepare();
  const { folder } = made;
  const port = freeTcpPort();
  const file = await folder.write(
    "unbound.conf",
    `server:
  interface: 127.0.0.1@${port}
  tls-port: ${port}
  tls-service-key: "${folder.join("tls.key")}"
  tls-service-pem: "${folder.join("tls.pem")}"
  access-control: 127.0.0.0/8 allow
  do-not-query-localhost: no
  module-config: "iterator"
  num-threads: 1
  do-daemonize: no
  use-syslog: no
  logfile: ""
  verbosity: 1
  username: ""
  chroot: ""
  directory: "${folder.path}"
  pidfile: "${folder.join("unbound.pid")}"
  incoming-num-tcp: 1000
  local-zone: "example.org." static
  local-data: "example.org. 3600 IN SOA ns.example.org. mail.example.org. 1 3600 600 86400 300"
${records.map((record) => `  local-data: '${record}'`).join("\n")}
${more.replaceAll("FOLDER", folder.path)}
remote-control:
  control-enable: no
`,
  );
  const child = made.child = start("unbound", ["-d", "-c", file]);
  await child.errorLine("start of service");
  const certificate = await Deno.readTextFile(folder.join("tls.pem"));
  const fingerprint = await fingerprintOf(folder);
  const own = made.move();
  return { port, fingerprint, certificate, child, [Symbol.asyncDispose]: () => own[Symbol.asyncDispose]() };
}

/** What is to be undone where the start fails, and at the end. */
class Started implements AsyncDisposable {
  readonly folder: TemporaryFolder;
  child: Child | undefined;
  #moved = false;

  private constructor(folder: TemporaryFolder, child?: Child) {
    this.folder = folder;
    this.child = child;
  }

  static async prepare(): Promise<Started> {
    const folder = await temporaryFolder();
    const { code, stderr } = await runProgram("openssl", [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"],
      ...["-subj", `/CN=${UNBOUND_NAME}`, "-addext", `subjectAltName=DNS:${UNBOUND_NAME}`],
      ...["-addext", "basicConstraints=critical,CA:FALSE"],
      ...["-keyout", folder.join("tls.key"), "-out", folder.join("tls.pem")],
    ]);
    if (code !== 0) throw new Error(stderr);
    return new Started(folder);
  }

  move(): AsyncDisposable {
    this.#moved = true;
    return new Started(this.folder, this.child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#moved) return;
    await this.child?.[Symbol.asyncDispose]();
    await this.folder[Symbol.asyncDispose]();
  }
}

async function fingerprintOf(folder: TemporaryFolder): Promise<string> {
  const args = ["x509", "-in", folder.join("tls.pem"), "-noout", "-fingerprint", "-sha256"];
  const { stdout } = await runProgram("openssl", args);
  return `SHA256:${stdout.split("=")[1].trim().replaceAll(":", "").toLowerCase()}`;
}

/** A port that nobody has, for TCP. */
export function freeTcpPort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
