/**
 * `alknet dns zone import|export|check`: zones as master files.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, withDefault } from "@optique/core/modifiers";
import { argument, command, flag } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import type { ZonesChoice } from "../../dns/zones.ts";
import type { Action, Command } from "../../grammar/action.ts";
import { configOption, homeOption, jsonFlag } from "../../grammar/arguments.ts";
import { ExitCode, print, printJson, writeText } from "../../terminal/output.ts";

interface ImportOptions extends ZonesChoice {
  readonly json: boolean;
  readonly name: string;
  readonly file: string;
  readonly dryRun: boolean;
}

interface ExportOptions extends ZonesChoice {
  readonly json: boolean;
  readonly name: string;
}

interface CheckOptions {
  readonly json: boolean;
  readonly file: string;
}

const NAME = argument(string({ metavar: "NAME" }), { description: message`The zone: home.example.` });
const FILE = argument(string({ metavar: "FILE" }), { description: message`A master file; - is stdin.` });
const SHARED = { home: homeOption(), config: configOption(), json: jsonFlag() };

/** `alknet dns zone import`. */
export const importCommand: Command = command(
  "import",
  map(
    object({
      name: NAME,
      file: FILE,
      dryRun: withDefault(
        flag("--dry-run", { description: message`Print what would go and come; change nothing.` }),
        false,
      ),
      ...SHARED,
    }),
    (options): Action => () => importZone(options),
  ),
  { brief: message`Put a master file in place of a zone's records; the zone is made if it is not there.` },
);

/** `alknet dns zone export`. */
export const exportCommand: Command = command(
  "export",
  map(object({ name: NAME, ...SHARED }), (options): Action => () => exportZone(options)),
  { brief: message`Print a zone as a master file.` },
);

/** `alknet dns zone check`. */
export const checkCommand: Command = command(
  "check",
  map(object({ file: FILE, json: jsonFlag() }), (options): Action => () => check(options)),
  { brief: message`Look whether a master file is a zone.` },
);

async function importZone({ name, file, dryRun, json, ...choice }: ImportOptions): Promise<number> {
  const [{ openZones, shown, zoneName }, { importFile }] = await Promise.all([
    import("../../dns/zones.ts"),
    import("../../dns/masters.ts"),
  ]);
  const zone = zoneName(name);
  using opened = await openZones(choice);
  const onLine = json ? () => {} : print;
  const { added, removed, serial } = await importFile(opened.store, zone, file, { dryRun, onLine });
  if (json) printJson({ added, removed, ...(!dryRun && { serial }) });
  else print(`${shown(zone)}: ${added} added, ${removed} removed${dryRun ? "" : `, serial ${serial}`}`);
  return ExitCode.DONE;
}

async function exportZone({ name, json, ...choice }: ExportOptions): Promise<number> {
  const [{ openZones, zoneNamed }, { writeMaster }, { fieldsOf }] = await Promise.all([
    import("../../dns/zones.ts"),
    import("@alknet/handlers/dns"),
    import("../../dns/records.ts"),
  ]);
  using opened = await openZones(choice);
  using snapshot = opened.store.zones.snapshot(zoneNamed(opened.store, name));
  const records = function* () {
    yield snapshot.soa;
    yield* snapshot.others;
  };
  // Text of records has nothing but printable ASCII.
  if (json) { for (const record of records()) printJson(fieldsOf(record)); }
  else for (const piece of writeMaster(records())) writeText(piece);
  return ExitCode.DONE;
}

async function check({ file, json }: CheckOptions): Promise<number> {
  const [{ shown }, { checkFile }] = await Promise.all([
    import("../../dns/zones.ts"),
    import("../../dns/masters.ts"),
  ]);
  const { name, records } = await checkFile(file);
  if (json) printJson({ name: shown(name), records });
  else print(`${file}: ${shown(name)}, ${records} ${records === 1 ? "record" : "records"}`);
  return ExitCode.DONE;
}
