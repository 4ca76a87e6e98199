/**
 * Origins that a guest may reach: scheme, host and port, each exactly.
 *
 * @module
 */
import { parseIp } from "@alknet/core/handler";
import { GuestError } from "../../errors.ts";
import { isNobodysAddress } from "./addresses.ts";

/**
 * An origin as `URL` writes it.
 *
 * @param text As `https://example.com` or `http://127.0.0.1:8080`.
 * @throws {GuestError} `E_REFUSED`: it is no origin, or none that can be granted.
 */
export function parseOrigin(text: string): string {
  const shown = JSON.stringify(text.slice(0, 200));
  const url = URL.parse(text);
  if (!url || !/^https?:\/\/[^/?#@\\\s]+\/?$/i.test(text) || url.pathname !== "/") {
    throw new GuestError(
      "E_REFUSED",
      `origin ${shown} cannot be granted: write scheme, host and port, as https://example.com`,
    );
  }
  if (url.hostname.includes("*")) {
    throw new GuestError("E_REFUSED", `origin ${shown} cannot be granted: each host is named, there are no patterns`);
  }
  if (/(?:^|\.)localhost\.?$/.test(url.hostname)) {
    const port = url.port && `:${url.port}`;
    throw new GuestError(
      "E_REFUSED",
      `origin ${shown} cannot be granted: name the address itself, as ${url.protocol}//127.0.0.1${port}`,
    );
  }
  if (isNobodysAddress(literalOf(url) ?? "")) {
    throw new GuestError("E_REFUSED", `origin ${shown} cannot be granted: it is the address of no single machine`);
  }
  return url.origin;
}

/** The address that a URL names itself, if it names one; `URL` has read decimal, octal and short spellings by then. */
export function literalOf({ hostname }: URL): string | undefined {
  const bare = hostname.replace(/^\[|\]$/g, "");
  return parseIp(bare) ? bare : undefined;
}
