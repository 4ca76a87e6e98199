/**
 * URLs of repositories elsewhere that are followed.
 *
 * @module
 */
import { parseAddress } from "@alknet/core/address";
import { AlknetError } from "@alknet/core/handler";
import { repositoryName } from "../../../wire/names.ts";

/** Where a mirror's URL leads. */
export type MirrorUrl =
  | { readonly kind: "https"; readonly host: string; readonly url: string }
  | { readonly kind: "alknet"; readonly host: string; readonly address: string; readonly path: string };

/** Port of nodes, where a URL names none. */
const PORT = 4433;
const ALKNET = /^alknet:\/\/((?:[^@/]+@)?)(\[[^\]/]+\]|[^:/[\]@]+)(?::(\d+))?(\/.+)$/;

/**
 * Reads the URL of a mirror. Credentials are none of it: they are kept in the vault.
 *
 * @throws {AlknetError} `INVALID_MIRROR`.
 */
export function parseMirrorUrl(text: string): MirrorUrl {
  const shown = JSON.stringify(text.slice(0, 200));
  const [, id, name, port = `${PORT}`, path] = ALKNET.exec(text) ?? [];
  if (path !== undefined) {
    if (repositoryName(path) === undefined) throw invalid(`URL ${shown} names no repository`);
    const host = `${name}:${port}`;
    try {
      parseAddress(`${id}${host}`);
    } catch {
      throw invalid(`URL ${shown}: write alknet://[NODEID@]HOST[:PORT]/NAME`);
    }
    return { kind: "alknet", host, address: `${id}${host}`, path };
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "https:") {
    throw invalid(`URL ${shown}: write https://HOST/PATH or alknet://[NODEID@]HOST[:PORT]/NAME`);
  }
  if (url.username !== "" || url.password !== "") {
    throw invalid("a URL of a mirror holds no user and no password: alknet vault seal git/HOST:PORT keeps them");
  }
  if (url.search !== "" || url.hash !== "") throw invalid(`URL ${shown} has more than a host and a path`);
  const host = `${url.hostname}:${url.port || 443}`;
  return { kind: "https", host, url: url.href.replace(/\/+$/, "") };
}

function invalid(why: string): AlknetError {
  return new AlknetError("INVALID_MIRROR", why);
}
