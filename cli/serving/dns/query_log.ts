/**
 * A log of what is asked (`handlers.dns.log_queries`): names of questions are in no log but this one.
 *
 * @module
 */
import type { Logger } from "@alknet/core/handler";
import { type DnsCaller, type Engine, formatName, formatType, type Message, type Soon } from "@alknet/handlers/dns";

/** An engine that tells of each question, and says at once that it does. */
export function loggingQueries(engine: Engine, log: Logger): Engine {
  log.warn("handlers.dns.log_queries: names that are asked for are written to this log");
  const note = <T>(answer: T, { question }: Message, { front, address }: DnsCaller, rcode: number): T => {
    const name = question ? formatName(question.name) : "";
    const type = question ? formatType(question.type) : "";
    const facts = { name, type, rcode, src: address, proto: front };
    log.info("query {name} {type} rcode={rcode} src={src} proto={proto}", facts);
    return answer;
  };
  return {
    serves: (caller) => engine.serves(caller),
    stats: () => engine.stats(),
    resolve: (query, caller, signal) =>
      then(engine.resolve(query, caller, signal), (answer) => note(answer, query, caller, answer.rcode)),
    respond: (query, caller, options) =>
      then(engine.respond(query, caller, options), (bytes) => note(bytes, query, caller, bytes[3] & 0xf)),
  };
}

function then<T>(value: Soon<T>, next: (value: T) => T): Soon<T> {
  return value instanceof Promise ? value.then(next) : next(value);
}
