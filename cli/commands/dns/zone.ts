/**
 * `alknet dns zone`: makes, shows and removes the zones of a home folder, with or without a running node, or those
 * of another node.
 *
 * @module
 */
import { object, or } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, multiple, optional, withDefault } from "@optique/core/modifiers";
import { argument, command, flag, option } from "@optique/core/primitives";
import { choice, string } from "@optique/core/valueparser";
import type { Zone } from "@alknet/handlers/dns";
import { type PlaceOptions, placeOptions } from "../../dns/options.ts";
import type { Action, Command } from "../../grammar/action.ts";
import { ExitCode, note, print, printJson, UsageError } from "../../terminal/output.ts";
import { counted } from "../../terminal/size.ts";
import { checkCommand, exportCommand, importCommand } from "./zone_files.ts";

interface Named extends PlaceOptions {
  readonly name: string;
}

interface CreateOptions extends PlaceOptions {
  readonly name: string;
  readonly servers: readonly string[];
  readonly mail?: string;
  readonly kind: "primary" | "pkarr";
}

const SHARED = placeOptions();

const createCommand: Command = command(
  "create",
  map(
    object({
      name: argument(string({ metavar: "NAME" }), { description: message`Its name: home.example.` }),
      servers: multiple(
        option("--ns", string({ metavar: "HOST" }), {
          description: message`A name server; may be given again. Default: ns in the zone.`,
        }),
      ),
      mail: optional(
        option("--mail", string({ metavar: "A@HOST" }), {
          description: message`Who is responsible. Default: hostmaster of the zone.`,
        }),
      ),
      kind: withDefault(
        option("--kind", choice(["primary", "pkarr"], { metavar: "KIND" }), {
          description: message`pkarr: names right below it are keys, answered out of signed packets. Default: primary.`,
        }),
        "primary" as const,
      ),
      ...SHARED,
    }),
    (options): Action => () => create(options),
  ),
  { brief: message`Make a zone.` },
);

const listCommand: Command = command("list", map(object(SHARED), (options): Action => () => list(options)), {
  brief: message`List the zones: name, kind, serial, records.`,
});

const NAME = argument(string({ metavar: "NAME" }), { description: message`The zone: home.example.` });
const showCommand: Command = command(
  "show",
  map(object({ name: NAME, ...SHARED }), (options): Action => () => show(options)),
  { brief: message`Show a zone: the records of its own name, and how many there are of each type.` },
);
const removeCommand: Command = command(
  "remove",
  map(
    object({
      name: NAME,
      yes: withDefault(flag("--yes", { description: message`Yes, with all its records.` }), false),
      ...SHARED,
    }),
    (options): Action => () => remove(options),
  ),
  { brief: message`Remove a zone and its records.` },
);

/** `alknet dns zone create|list|show|remove|import|export|check`. */
export const zoneCommand: Command = command(
  "zone",
  or(createCommand, listCommand, showCommand, removeCommand, importCommand, exportCommand, checkCommand),
  { brief: message`Zones.` },
);

async function create(options: CreateOptions): Promise<number> {
  const [{ atZones }, { shown, zoneName }, { isWithin, newZone, parseName }] = await Promise.all([
    import("../../dns/places/at_zones.ts"),
    import("../../dns/zones.ts"),
    import("@alknet/handlers/dns"),
  ]);
  const { mail, kind, node } = options;
  const name = zoneName(options.name);
  const servers = options.servers.map((server) => wellFormed(() => parseName(server, name)));
  wellFormed(() => newZone(name, { mail }));
  return await atZones(options, async (zones) => {
    const zone = await zones.create(name, { servers, mail, kind });
    if (options.json) printJson(fieldsOf(zone, shown(zone.name)));
    else print(`created ${shown(zone.name)}, serial ${zone.serial}`);
    const own = servers.length === 0 ? [parseName("ns", name)] : servers.filter((server) => isWithin(server, name));
    const there = node === undefined ? "" : ` --node ${node}`;
    for (const server of own) {
      const label = shown(server).slice(0, -shown(name).length - 1) || "@";
      const command = `alknet dns record add ${shown(name)} ${label} A 192.0.2.1${there}`;
      note(`alknet: note: give ${shown(server)} an address: ${command}`);
    }
    const unserved = await zones.unserved();
    if (unserved !== undefined) {
      note(`alknet: note: no handlers.dns in ${unserved}, so the node does not serve it; add "dns": {}`);
    }
    return ExitCode.DONE;
  });
}

async function list(options: PlaceOptions): Promise<number> {
  const [{ atZones }, { shown }] = await modules();
  return await atZones(options, async (zones) => {
    for (const zone of await zones.list()) {
      if (options.json) printJson(fieldsOf(zone, shown(zone.name)));
      else print(summary(zone, shown(zone.name)));
    }
    return ExitCode.DONE;
  });
}

async function show({ name, ...options }: Named): Promise<number> {
  const [[{ atZones }, { shown }], { formatRecord, formatType }] = await Promise.all([
    modules(),
    import("@alknet/handlers/dns"),
  ]);
  return await atZones(options, async (zones) => {
    const zone = await zones.named(name);
    if (options.json) {
      printJson(fieldsOf(zone, shown(zone.name)));
      return ExitCode.DONE;
    }
    print(summary(zone, shown(zone.name)));
    for (const record of await zones.at(zone, zone.name)) print(formatRecord(record));
    const counts = new Map<number, number>();
    for await (const some of zones.records(zone)) {
      for (const { type } of some) counts.set(type, (counts.get(type) ?? 0) + 1);
    }
    print([...counts].sort(([a], [b]) => a - b).map(([type, count]) => `${formatType(type)} ${count}`).join("  "));
    return ExitCode.DONE;
  });
}

async function remove({ name, yes, ...options }: Named & { readonly yes: boolean }): Promise<number> {
  const [{ atZones }, { shown }] = await modules();
  return await atZones(options, async (zones) => {
    const zone = await zones.named(name);
    if (!yes) {
      const has = counted(zone.records, "record");
      throw new UsageError(`${shown(zone.name)} has ${has}; give --yes to remove it with them`);
    }
    const records = await zones.remove(zone);
    if (options.json) printJson({ records });
    else print(`removed ${shown(zone.name)}, ${counted(records, "record")}`);
    return ExitCode.DONE;
  });
}

function modules() {
  return Promise.all([import("../../dns/places/at_zones.ts"), import("../../dns/zones.ts")]);
}

function summary({ kind, serial, records }: Pick<Zone, "kind" | "serial" | "records">, name: string): string {
  return `${name}  ${kind}  serial ${serial}  ${counted(records, "record")}`;
}

function fieldsOf({ kind, serial, records }: { kind: string; serial: number; records: number }, name: string) {
  return { name, kind, serial, records };
}

/** What somebody wrote is wrong usage where it is no name or address. */
function wellFormed<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
