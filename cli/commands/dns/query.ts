/**
 * `alknet dns query`: asks a server for records, this home's node or any other.
 *
 * @module
 */
import type { Message as DnsMessage } from "@alknet/handlers/dns";
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, multiple, optional, withDefault } from "@optique/core/modifiers";
import { argument, command, flag, option } from "@optique/core/primitives";
import { choice, string } from "@optique/core/valueparser";
import type { AskOptions } from "../../dns/asking/ask.ts";
import type { Server, Via } from "../../dns/asking/server.ts";
import type { Action, Command } from "../../grammar/action.ts";
import {
  authoritiesOption,
  configOption,
  duration,
  homeOption,
  insecureFlag,
  jsonFlag,
  passphraseFileOption,
} from "../../grammar/arguments.ts";
import { ExitCode, note, print, printJson, UsageError } from "../../terminal/output.ts";
import { StopSignals } from "../../terminal/signals.ts";

interface QueryOptions extends AskOptions {
  readonly name: string;
  readonly rest: readonly string[];
  readonly via?: Via;
  readonly dnssec: boolean;
  readonly short: boolean;
  readonly json: boolean;
  readonly config?: string;
}

/** `alknet dns query NAME [TYPE] [@SERVER]`. */
export const queryCommand: Command = command(
  "query",
  map(
    object({
      name: argument(string({ metavar: "NAME" }), { description: message`Whose records: www.home.example.` }),
      rest: multiple(argument(string({ metavar: "TYPE|@SERVER" })), { max: 2 }),
      via: optional(option("--via", choice(["dot", "doq", "doh", "alknet", "udp"], { metavar: "WAY" }), {
        description: message`By which way. Default: alknet where a node id is known, else dot.`,
      })),
      dnssec: withDefault(flag("--dnssec", { description: message`Ask for signatures too.` }), false),
      short: withDefault(flag("--short", { description: message`Print the data alone.` }), false),
      timeout: withDefault(
        option("--timeout", duration(), { description: message`Time for all of it. Default: 5s.` }),
        5000,
      ),
      insecure: insecureFlag(),
      ca: authoritiesOption(),
      home: homeOption(),
      config: configOption(),
      passphraseFile: passphraseFileOption(),
      json: jsonFlag(),
    }),
    (options): Action => () => query(options as QueryOptions),
  ),
  {
    brief: message`Ask for records of a name.`,
    description:
      message`Ask for records of a name: the node of the home folder, or @SERVER, which is HOST[:PORT], ID@HOST:PORT or https://…. TYPE is A unless it is given.`,
  },
);

async function query(options: QueryOptions): Promise<number> {
  const [{ parseName, parseType, plainQuery, answerTo, jsonOf }, { ask }, { homeServer, serverOf }] = await Promise.all(
    [
      import("@alknet/handlers/dns"),
      import("../../dns/asking/ask.ts"),
      import("../../dns/asking/server.ts"),
    ],
  );
  const { type, at } = words(options.rest);
  const { name, number } = wellFormed(() => ({
    name: parseName(options.name.endsWith(".") ? options.name : `${options.name}.`),
    number: parseType(type),
  }));
  const server = at === undefined ? await homeServer(options, options.via) : serverOf(at, options.via);
  // On QUIC the stream tells whose answer it is (RFC 9250 §4.2.1), over HTTPS the request.
  const id = server.via === "doq" || server.via === "doh" ? 0 : crypto.getRandomValues(new Uint16Array(1))[0];
  const asked: DnsMessage = { ...plainQuery({ name, type: number, class: 1 }, { dnssec: options.dnssec }), id };
  using signals = new StopSignals();
  const interrupted = new AbortController();
  signals.first.then(() => interrupted.abort());
  const began = performance.now();
  let bytes: Uint8Array;
  try {
    bytes = await ask(server, asked, options, interrupted.signal);
  } catch (error) {
    if (interrupted.signal.aborted) return ExitCode.INTERRUPTED;
    throw error;
  }
  const answer = answerTo(asked, bytes);
  if (options.json) printJson({ ...jsonOf(answer) });
  else {await show(answer, server, {
      type,
      short: options.short,
      ms: performance.now() - began,
      size: bytes.byteLength,
    });}
  return answer.rcode === 0 || answer.rcode === 3 ? ExitCode.DONE : ExitCode.FAILED;
}

async function show(
  answer: DnsMessage,
  { address, via }: Server,
  { type, short, ms, size }: { type: string; short: boolean; ms: number; size: number },
): Promise<void> {
  const { extendedErrors, formatName, formatRdata, formatType, Rcode } = await import("@alknet/handlers/dns");
  const { rcode, flags, question } = answer;
  const word = Object.entries(Rcode).find(([, code]) => code === rcode)?.[0] ?? `RCODE${rcode}`;
  if (short) {
    for (const { type, data } of answer.answer) print(formatRdata(type, data));
    if (rcode !== 0) note(`alknet: ${word}`);
    return;
  }
  const name = question ? formatName(question.name) : ".";
  const from = address.slice(address.indexOf("@") + 1);
  print(`;; ${name} ${type.toUpperCase()} from ${from} (${via}) in ${Math.round(ms)} ms, ${size} bytes`);
  const set = Object.entries(flags).filter(([, on]) => on).map(([flag]) => flag);
  const count = answer.answer.length;
  print(`;; ${[word, ...set].join(" ")}, ${count} ${count === 1 ? "answer" : "answers"}`);
  for (const { code, words } of extendedErrors(answer)) print(`;; EDE ${code}: ${words}`);
  for (const record of [...answer.answer, ...(count === 0 ? answer.authority : [])]) {
    const { name, ttl, type, data } = record;
    print([formatName(name), ttl, "IN", formatType(type), formatRdata(type, data)].join("  "));
  }
}

/** TYPE and @SERVER, in either order. */
function words(rest: readonly string[]): { readonly type: string; readonly at?: string } {
  const servers = rest.filter((word) => word.startsWith("@"));
  const types = rest.filter((word) => !word.startsWith("@"));
  if (servers.length > 1 || types.length > 1) throw new UsageError("one TYPE and one @SERVER stand behind NAME");
  return { type: types[0] ?? "A", at: servers[0]?.slice(1) };
}

function wellFormed<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
