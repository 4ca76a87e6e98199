/**
 * `alknet dns record`: shows and changes records of a zone, with or without a running node, or at another one.
 *
 * @module
 */
import { object, or } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, multiple, optional } from "@optique/core/modifiers";
import { argument, command, option } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import { type PlaceOptions, placeOptions } from "../../dns/options.ts";
import type { RecordChange } from "../../dns/records.ts";
import type { Action, Command } from "../../grammar/action.ts";
import { ExitCode, print, printJson } from "../../terminal/output.ts";

interface Shared extends PlaceOptions {
  readonly zone: string;
}

interface ChangeOptions extends Shared {
  readonly name: string;
  readonly type: string;
  readonly data: readonly string[];
  readonly ttl?: string;
}

const SHARED = {
  zone: argument(string({ metavar: "ZONE" }), { description: message`The zone: home.example.` }),
  ...placeOptions(),
};
const CHANGED = {
  ...SHARED,
  name: argument(string({ metavar: "NAME" }), {
    description: message`Whose record: www, or www.home.example.; @ is the zone's own name.`,
  }),
  type: argument(string({ metavar: "TYPE" }), {
    description: message`A, AAAA, CAA, CNAME, HTTPS, MX, NS, SRV, SSHFP, SVCB, TLSA, TXT and others, or TYPE123.`,
  }),
};
const DATA = multiple(
  argument(string({ metavar: "DATA" }), {
    description: message`As in a master file: an address, a name, 10 mail. Of TXT each argument is one text.`,
  }),
);
const TTL = optional(
  option("--ttl", string({ metavar: "TIME" }), {
    description: message`For how long it may be kept: seconds, or 1h30m. Default: as the others of its kind, or 300.`,
  }),
);

const listCommand: Command = command("list", map(object(SHARED), (options): Action => () => list(options)), {
  brief: message`List the records, as a master file has them.`,
});
const addCommand: Command = command(
  "add",
  map(object({ ...CHANGED, data: DATA, ttl: TTL }), (options): Action => () => change("add", options)),
  { brief: message`Add a record.` },
);
const setCommand: Command = command(
  "set",
  map(object({ ...CHANGED, data: DATA, ttl: TTL }), (options): Action => () => change("set", options)),
  { brief: message`Put a record in place of all of its name and type.` },
);
const removeCommand: Command = command(
  "remove",
  map(object({ ...CHANGED, data: DATA }), (options): Action => () => change("remove", options)),
  { brief: message`Remove a record, or without DATA all of its name and type.` },
);

/** `alknet dns record list|add|set|remove`. */
export const recordCommand: Command = command("record", or(listCommand, addCommand, setCommand, removeCommand), {
  brief: message`Records of a zone.`,
});

async function list({ zone: name, ...options }: Shared): Promise<number> {
  const [{ atZones }, { fieldsOf }, { formatRecord }] = await Promise.all([
    import("../../dns/places/at_zones.ts"),
    import("../../dns/records.ts"),
    import("@alknet/handlers/dns"),
  ]);
  return await atZones(options, async (zones) => {
    for await (const some of zones.records(await zones.named(name))) {
      for (const record of some) {
        if (options.json) printJson(fieldsOf(record));
        else print(formatRecord(record));
      }
    }
    return ExitCode.DONE;
  });
}

async function change(what: RecordChange, { zone: name, ...options }: ChangeOptions): Promise<number> {
  const [{ atZones }, { changeRecords }] = await Promise.all([
    import("../../dns/places/at_zones.ts"),
    import("../../dns/records.ts"),
  ]);
  return await atZones(options, async (zones) => {
    const { said, added, removed, serial } = await changeRecords(zones, await zones.named(name), what, options);
    if (options.json) printJson({ added, removed, serial });
    else print(said);
    return ExitCode.DONE;
  });
}
