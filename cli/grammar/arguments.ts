/**
 * Options and arguments that several commands share, so that they read and complete alike.
 *
 * @module
 */
import { parseListenAddress, parseTarget } from "@alknet/core/address";
import { AlknetError } from "@alknet/core/handler";
import { type Message, message, text } from "@optique/core/message";
import { optional, withDefault } from "@optique/core/modifiers";
import type { Parser } from "@optique/core/parser";
import { argument, flag, option } from "@optique/core/primitives";
import { choice, type ValueParser } from "@optique/core/valueparser";
import { path } from "@optique/run/valueparser";
import { formatDuration, parseDuration } from "./duration.ts";

/** How a command reaches a node. */
export type TransportChoice = "quic" | "tls" | "auto";

/** `--home DIR`. */
export function homeOption(): Parser<"sync", string | undefined, unknown> {
  return optional(option("--home", path({ metavar: "DIR", type: "directory" }), {
    description: message`Home folder. Default: $ALKNET_HOME, or the platform's data folder.`,
  }));
}

/** `--config FILE`. */
export function configOption(): Parser<"sync", string | undefined, unknown> {
  return optional(option("--config", path({ metavar: "FILE", type: "file" }), {
    description: message`Configuration file. Default: config.json in the home folder.`,
  }));
}

/** `--passphrase-file FILE`. */
export function passphraseFileOption(): Parser<"sync", string | undefined, unknown> {
  return secretFileOption(
    "--passphrase-file",
    message`File with the passphrase of the vault, for its owner alone. Default: vault.key, else asks.`,
  );
}

/** An option that names a file with a secret. A pipe will do, as a password manager or a shell's `<(…)` makes it. */
export function secretFileOption(
  name: `--${string}`,
  description: Message,
): Parser<"sync", string | undefined, unknown> {
  return optional(option(name, path({ metavar: "FILE", type: "either", mustExist: true }), { description }));
}

/** `--json`. */
export function jsonFlag(): Parser<"sync", boolean, unknown> {
  return withDefault(flag("--json", { description: message`Print one JSON object a line.` }), false);
}

/** `ADDRESS`, checked for form. */
export function addressArgument(): Parser<"sync", string, unknown> {
  return argument(checked("ADDRESS", "localhost:4433", parseTarget), {
    description:
      message`Node to reach: [NODEID@]HOST:PORT, or NODEID alone, of which relays are asked. An id pins the node's key.`,
  });
}

/** `--transport`. */
export function transportOption(): Parser<"sync", TransportChoice, unknown> {
  return withDefault(
    option("--transport", choice(["auto", "quic", "tls"], { metavar: "TRANSPORT" }), {
      description: message`quic, tls, or auto: QUIC, and TLS over TCP when UDP does not answer. Default: auto.`,
    }),
    "auto",
  );
}

/** `--insecure`. */
export function insecureFlag(): Parser<"sync", boolean, unknown> {
  return withDefault(flag("--insecure", { description: message`Do not check who answers.` }), false);
}

/** `--ca FILE`. */
export function authoritiesOption(): Parser<"sync", string | undefined, unknown> {
  return optional(option("--ca", path({ metavar: "FILE", type: "file", mustExist: true }), {
    description: message`Certificate authorities to trust instead of the system's, PEM.`,
  }));
}

/** An address to listen on. */
export function listenAddress(): ValueParser<"sync", string> {
  return checked("HOST:PORT", "[::]:4433", parseListenAddress);
}

/** A duration; its value is milliseconds. */
export function duration(): ValueParser<"sync", number> {
  return {
    mode: "sync",
    metavar: "DURATION",
    placeholder: 1000,
    parse(input) {
      const value = parseDuration(input);
      if (value !== undefined) return { success: true, value };
      return {
        success: false,
        error: message`Duration ${input} needs a number and a unit: 250ms, 30s, 12h, 30d; 100 years at most.`,
      };
    },
    format: formatDuration,
  };
}

/** Text that `check` accepts; its complaint is the error of the command line. The value stays the text. */
export function checked(
  metavar: ValueParser["metavar"],
  placeholder: string,
  check: (input: string) => unknown,
): ValueParser<"sync", string> {
  return {
    mode: "sync",
    metavar,
    placeholder,
    parse(input) {
      try {
        check(input);
        return { success: true, value: input };
      } catch (error) {
        if (!(error instanceof AlknetError)) throw error;
        const reason: Message = [text(error.message)];
        return { success: false, error: reason };
      }
    },
    format: (value) => value,
  };
}
