/**
 * Reads what foreign services offer and makes operations of this node of it: open to those who have a scope for it, and
 * calling out with the credential of the entry.
 *
 * @module
 */
import { AlknetError, logger } from "@alknet/core/handler";
import type { NodeKey } from "@alknet/core/identity";
import { capabilitiesOf, type HandlerRegistration } from "@alknet/core/operations";
import { fromCall } from "@alknet/handlers/call";
import { fromMcp, fromOpenApi, type LeftOut, OutboundClient } from "@alknet/handlers/http";
import { readDocument } from "./document.ts";
import { entryFault, type ImportEntry, type ImportPlace, pathOf, readCredential, scopesOf } from "./entry.ts";
import { NodeLink } from "./node_link.ts";

/** What imports are made with. */
export interface ImportParts extends ImportPlace {
  /** As whom other nodes are called. */
  readonly key?: NodeKey;
}

/** Operations that were imported. Disposing of them ends their connections. */
export interface Imported extends AsyncDisposable {
  /** For the registry of the node. */
  readonly registrations: readonly HandlerRegistration[];
  /** What a document describes and this node cannot do as it is described. */
  readonly leftOut: readonly LeftOut[];
}

/** Milliseconds that a service has to say what it offers: a node does not wait for others longer than that. */
export const IMPORT_TIMEOUT = 10_000;

/** Milliseconds that a service has to end a session: a shutdown does not wait for others longer than that. */
const GOODBYE_TIMEOUT = 1000;

const log = logger("import");

/**
 * Imports of each entry what can be had. One that fails is logged and left out: a node starts whether or not others run.
 *
 * @param taken Names that are there already.
 */
export async function importAll(
  entries: readonly ImportEntry[],
  taken: Iterable<string>,
  parts: ImportParts,
): Promise<Imported> {
  const stack = new AsyncDisposableStack();
  const names = new Set(taken);
  const registrations: HandlerRegistration[] = [];
  const results = await Promise.allSettled(entries.map((entry) => importOne(entry, parts)));
  for (const [at, result] of results.entries()) {
    const { namespace, kind } = entries[at];
    if (result.status === "rejected") {
      const reason = (result.reason as Error).message;
      log.error("import {namespace} failed, its operations are missing until the next start: {reason}", {
        namespace,
        reason,
      });
      continue;
    }
    stack.use(result.value);
    const fresh = result.value.registrations.filter(({ spec }) => !names.has(spec.name));
    const dropped = result.value.registrations.length - fresh.length;
    if (dropped > 0) log.warn("import {namespace}: {dropped} names are taken already", { namespace, dropped });
    for (const { spec } of fresh) names.add(spec.name);
    registrations.push(...fresh);
    log.info("imported {count} operations of {kind} {namespace}", { count: fresh.length, kind, namespace });
    // Each by name only where somebody looks: the command that made the entry has said them.
    const left = result.value.leftOut;
    if (left.length > 0) log.warn("import {namespace}: {count} operations left out", { namespace, count: left.length });
    for (const { method = "", path, reason } of left) {
      log.debug("import {namespace}: left out {method} {path}: {reason}", { namespace, method, path, reason });
    }
  }
  return { registrations, leftOut: [], [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/**
 * Imports of one entry.
 *
 * @throws {AlknetError} `IMPORT_FAILED` or the code of what went wrong: the service, its description, the credential.
 */
export async function importOne(entry: ImportEntry, parts: ImportParts): Promise<Imported> {
  await using stack = new AsyncDisposableStack();
  const fault = entryFault(entry);
  if (fault !== undefined) throw failed(entry, fault);
  const credential = await readCredential(entry, parts);
  const leftOut: LeftOut[] = [];
  const all = await within(entry, () => registrationsOf({ entry, credential, parts, stack, leftOut }));
  const wanted = entry.only && new Set(entry.only.map((name) => `${entry.namespace}/${name}`));
  const missing = [...wanted ?? []].find((name) => !all.some(({ spec }) => spec.name === name));
  if (missing !== undefined) throw failed(entry, `it offers no ${missing}`);
  const capabilities = capabilitiesOf(credential === undefined ? {} : { [entry.namespace]: credential });
  const registrations = all.filter(({ spec }) => wanted?.has(spec.name) ?? true).map((one): HandlerRegistration => ({
    ...one,
    // An import from a connection ends with it; this one dials again, and so is an operation of this node.
    provenance: one.provenance === "from_call" ? "local" : one.provenance,
    spec: Object.freeze({
      ...one.spec,
      visibility: "external" as const,
      access_control: { required_scopes: [], required_scopes_any: scopesOf(entry) },
    }),
    capabilities,
  }));
  const kept = stack.move();
  return { registrations, leftOut, [Symbol.asyncDispose]: () => ended(kept) };
}

/** Says goodbye to the service, which may take its time but not ours. */
async function ended(kept: AsyncDisposableStack): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, GOODBYE_TIMEOUT);
  await Promise.race([kept.disposeAsync().catch(() => {}), late]);
  clearTimeout(timer);
}

/** An import under way. */
interface Importing {
  readonly entry: ImportEntry;
  readonly credential: string | undefined;
  readonly parts: ImportParts;
  /** Takes what is to be disposed of with the import. */
  readonly stack: AsyncDisposableStack;
  /** Takes what is left out. */
  readonly leftOut: LeftOut[];
}

async function registrationsOf(importing: Importing): Promise<readonly HandlerRegistration[]> {
  const { entry, credential, parts, stack, leftOut } = importing;
  const { kind, namespace, url } = entry;
  const authorities = entry.ca === undefined ? undefined : await Deno.readTextFile(pathOf(entry.ca, parts));
  if (kind === "node") {
    const { connect, prepareDial } = await import("@alknet/core/dial");
    // QUIC would bring the binding into the process of the node, which is kept free of it.
    const transport = "tls";
    await prepareDial(transport);
    const options = { transport, key: parts.key, authorities, timeout: IMPORT_TIMEOUT } as const;
    const link = stack.use(new NodeLink((alpn, signal) => connect(url, alpn, { ...options, signal }), credential));
    return await fromCall(link.peer, { prefix: namespace, signal: AbortSignal.timeout(IMPORT_TIMEOUT) });
  }
  const client = stack.use(new OutboundClient(authorities === undefined ? {} : { ca: [authorities] }));
  const auth = credential === undefined ? undefined : entry.auth ?? { type: "bearer" as const };
  if (kind === "mcp") {
    const capabilities = capabilitiesOf(credential === undefined ? {} : { [namespace]: credential });
    return stack.use(await fromMcp({ url, namespace, client, capabilities, ...(auth && { auth: { type: "bearer" } }) }))
      .registrations;
  }
  const { base_url: baseUrl = "" } = entry;
  const config = { namespace, baseUrl, client, ...(auth && { auth }) };
  return fromOpenApi(await readDocument(entry, client, parts), config, { onLeftOut: (one) => leftOut.push(one) });
}

/** Gives up after the time that an import has; what goes on in the background is disposed of with the rest. */
async function within<T>(entry: ImportEntry, work: () => Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(failed(entry, `no answer in ${IMPORT_TIMEOUT / 1000} s`)), IMPORT_TIMEOUT);
  try {
    return await Promise.race([work(), late]);
  } catch (error) {
    if (error instanceof AlknetError && error.code === "IMPORT_FAILED") throw error;
    const { message, code } = error as { message: string; code?: string };
    throw new AlknetError(
      error instanceof AlknetError && code ? code : "IMPORT_FAILED",
      `${titleOf(entry)}: ${message}`,
      {
        cause: error,
      },
    );
  } finally {
    clearTimeout(timer);
  }
}

/** An import that cannot be made: `IMPORT_FAILED`. */
function failed(entry: ImportEntry, why: string, options?: ErrorOptions): AlknetError {
  return new AlknetError("IMPORT_FAILED", `${titleOf(entry)}: ${why}`, options);
}

function titleOf({ kind, namespace }: ImportEntry): string {
  return `import ${namespace} (${kind})`;
}
