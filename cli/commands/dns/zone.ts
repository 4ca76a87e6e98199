/**
 * `alknet dns zone`: makes and lists the zones of a home folder, with or without a running node.
 *
 * @module
 */
import { object, or } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, multiple, optional } from "@optique/core/modifiers";
import { argument, command, option } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import type { ZonesChoice } from "../../dns/zones.ts";
import type { Action, Command } from "../../grammar/action.ts";
import { configOption, homeOption, jsonFlag } from "../../grammar/arguments.ts";
import { ExitCode, note, print, printJson, UsageError } from "../../terminal/output.ts";

interface Shared extends ZonesChoice {
  readonly json: boolean;
}

interface CreateOptions extends Shared {
  readonly name: string;
  readonly servers: readonly string[];
  readonly mail?: string;
}

const SHARED = { home: homeOption(), config: configOption(), json: jsonFlag() };

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
      ...SHARED,
    }),
    (options): Action => () => create(options),
  ),
  { brief: message`Make a zone.` },
);

const listCommand: Command = command("list", map(object(SHARED), (options): Action => () => list(options)), {
  brief: message`List the zones: name, kind, serial, records.`,
});

/** `alknet dns zone create|list`. */
export const zoneCommand: Command = command("zone", or(createCommand, listCommand), { brief: message`Zones.` });

async function create(options: CreateOptions): Promise<number> {
  const [{ openZones, servesZones, shown, zoneName }, { isWithin, newZone, parseName }] = await Promise.all([
    import("../../dns/zones.ts"),
    import("@alknet/handlers/dns"),
  ]);
  const name = zoneName(options.name);
  const servers = options.servers.map((server) => wellFormed(() => parseName(server, name)));
  const apex = wellFormed(() =>
    newZone(name, { servers: servers.length > 0 ? servers : undefined, mail: options.mail })
  );
  using opened = await openZones(options);
  const zone = opened.store.zones.create(apex, "primary");
  if (options.json) printJson(fieldsOf(zone, shown(zone.name)));
  else print(`created ${shown(zone.name)}, serial ${zone.serial}`);
  const own = servers.length === 0 ? [parseName("ns", name)] : servers.filter((server) => isWithin(server, name));
  for (const server of own) {
    const label = shown(server).slice(0, -shown(name).length - 1) || "@";
    note(`alknet: note: give ${shown(server)} an address: alknet dns record add ${shown(name)} ${label} A 192.0.2.1`);
  }
  if (!await servesZones(opened.home, options)) {
    const file = options.config ?? opened.home.configFile;
    note(`alknet: note: no handlers.dns in ${file}, so the node does not serve it; add "dns": {}`);
  }
  return ExitCode.DONE;
}

async function list(options: Shared): Promise<number> {
  const { openZones, shown } = await import("../../dns/zones.ts");
  using opened = await openZones(options);
  for (const zone of opened.store.zones.list()) {
    const { kind, serial, records } = zone;
    if (options.json) printJson(fieldsOf(zone, shown(zone.name)));
    else print(`${shown(zone.name)}  ${kind}  serial ${serial}  ${records} ${records === 1 ? "record" : "records"}`);
  }
  return ExitCode.DONE;
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
