/**
 * The certificate of a push (gitprotocol-pack, "Push Certificate"): lines as the client signed them, and the signature.
 *
 * ```text
 * certificate version 0.1
 * pusher SHA256:… 1700000000 +0000
 * pushee https://n.example:4433/notes       absent where the client does not say it
 * nonce 1700000000-…
 * push-option reviewed                      none or more
 *
 * <old> <new> refs/heads/main               one or more
 * -----BEGIN SSH SIGNATURE-----
 * ```
 *
 * @module
 */
import { malformed } from "../../errors.ts";

/** A certificate. */
export interface PushCertificate {
  /** All of it, as it came. */
  readonly bytes: Uint8Array;
  /** What was signed. */
  readonly signed: Uint8Array;
  /** The signature in its armour, with its lines; empty where there is none. */
  readonly signature: string;
  /** When it was signed, as it says: Unix seconds. */
  readonly seconds: number;
  /** What the node gave the client to sign; absent where the client left it out. */
  readonly nonce?: string;
  /** Options of the push. */
  readonly options: readonly string[];
  /** The lines of commands, without line ends. */
  readonly commands: readonly string[];
}

/** Where a signature begins. */
const BEGIN = "-----BEGIN ";

/** Takes the lines of a certificate. */
export class CertificateLines {
  readonly #lines: Uint8Array[] = [];

  /** Takes one, with its line end. */
  add(line: Uint8Array): void {
    this.#lines.push(line.slice());
  }

  /**
   * The certificate.
   *
   * @throws {GitRequestError} `GIT_PROTOCOL`: it is none.
   */
  end(): PushCertificate {
    const texts = this.#lines.map((line) => textOf(line));
    const begins = texts.findIndex((text) => text.startsWith(BEGIN));
    const end = begins < 0 ? texts.length : begins;
    const empty = texts.indexOf("");
    if (texts[0] !== "certificate version 0.1" || empty < 0 || empty > end) {
      throw malformed("a push-cert has no header");
    }
    const fields = texts.slice(1, empty).map((text) => {
      const at = text.indexOf(" ");
      return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
    });
    const all = (name: string): string[] => fields.filter(([key]) => key === name).map(([, value]) => value);
    const [seconds] = /(?<= )[0-9]{1,12}(?= [+-][0-9]{4}$)/.exec(all("pusher")[0] ?? "") ?? [];
    if (seconds === undefined) throw malformed("a push-cert names no pusher");
    return {
      bytes: joined(this.#lines),
      signed: joined(this.#lines.slice(0, end)),
      signature: texts.slice(end).join("\n"),
      seconds: Number(seconds),
      nonce: all("nonce")[0],
      options: all("push-option"),
      commands: texts.slice(empty + 1, end),
    };
  }
}

function textOf(line: Uint8Array): string {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(line);
    return text.endsWith("\n") ? text.slice(0, -1) : text;
  } catch {
    throw malformed("a push-cert is not UTF-8");
  }
}

function joined(lines: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(lines.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const line of lines) {
    whole.set(line, at);
    at += line.byteLength;
  }
  return whole;
}
