/**
 * `alknet serve`: runs a node until it is told to stop.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, multiple, optional, withDefault } from "@optique/core/modifiers";
import { command, flag, option } from "@optique/core/primitives";
import { choice } from "@optique/core/valueparser";
import type { Action, Command } from "../../grammar/action.ts";
import { configOption, homeOption, jsonFlag, listenAddress, passphraseFileOption } from "../../grammar/arguments.ts";

/** `alknet serve`. */
export const serveCommand: Command = command(
  "serve",
  map(
    object({
      listen: multiple(option("--listen", listenAddress(), {
        description:
          message`Address to listen on, over UDP and TCP; port 0 picks one. Repeat for more. Default: what the configuration says.`,
      })),
      transport: optional(option("--transport", choice(["quic", "tls"], { metavar: "TRANSPORT" }), {
        description: message`Serve this transport alone. Default: both.`,
      })),
      verbose: withDefault(flag("-v", "--verbose", { description: message`Log debugging lines too.` }), false),
      passphraseFile: passphraseFileOption(),
      json: jsonFlag(),
      home: homeOption(),
      config: configOption(),
    }),
    (options): Action => async () => {
      const { serve } = await import("../../serving/serve.ts");
      return await serve(options);
    },
  ),
  {
    brief: message`Run a node.`,
    description:
      message`Run a node until ctrl-C or SIGTERM. Its vault is opened with vault.key, with --passphrase-file, or by asking. Without a vault, makes one first: sealed by the passphrase file if there is one, else by a vault.key beside it.`,
  },
);
