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
import { nodeOption, type PlaceOptions, placeOptions } from "../../dns/options.ts";
import type { Action, Command } from "../../grammar/action.ts";
import { jsonFlag } from "../../grammar/arguments.ts";
import { ExitCode, print, printJson, UsageError, writeText } from "../../terminal/output.ts";

interface ImportOptions extends PlaceOptions {
  readonly name: string;
  readonly file: string;
  readonly dryRun: boolean;
}

interface ExportOptions extends PlaceOptions {
  readonly name: string;
}

interface CheckOptions {
  readonly node?: string;
  readonly json: boolean;
  readonly file: string;
}

const NAME = argument(string({ metavar: "NAME" }), { description: message`The zone: home.example.` });
const FILE = argument(string({ metavar: "FILE" }), { description: message`A master file; - is stdin.` });
const SHARED = placeOptions();

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
  map(
    object({ file: FILE, node: nodeOption(message`Refused: no node is asked.`), json: jsonFlag() }),
    (options): Action => () => check(options),
  ),
  { brief: message`Look whether a master file is a zone.` },
);

async function importZone({ name, file, dryRun, ...options }: ImportOptions): Promise<number> {
  const [{ atZones }, { shown, zoneName }] = await Promise.all([
    import("../../dns/places/at_zones.ts"),
    import("../../dns/zones.ts"),
  ]);
  const zone = zoneName(name);
  const onLine = options.json ? () => {} : print;
  return await atZones(options, async (zones) => {
    const { added, removed, serial } = await zones.import(zone, file, { dryRun, onLine });
    if (options.json) printJson({ added, removed, ...(!dryRun && { serial }) });
    else print(`${shown(zone)}: ${added} added, ${removed} removed${dryRun ? "" : `, serial ${serial}`}`);
    return ExitCode.DONE;
  });
}

async function exportZone({ name, ...options }: ExportOptions): Promise<number> {
  const [{ atZones }, { writeMaster }, { fieldsOf }] = await Promise.all([
    import("../../dns/places/at_zones.ts"),
    import("@alknet/handlers/dns"),
    import("../../dns/records.ts"),
  ]);
  return await atZones(options, async (zones) => {
    for await (const some of zones.records(await zones.named(name))) {
      // Text of records has nothing but printable ASCII.
      if (options.json) { for (const record of some) printJson(fieldsOf(record)); }
      else for (const piece of writeMaster(some)) writeText(piece);
    }
    return ExitCode.DONE;
  });
}

async function check({ file, node, json }: CheckOptions): Promise<number> {
  if (node !== undefined) {
    throw new UsageError("zone check looks at a file of this machine and asks no node; give it without --node");
  }
  const [{ shown }, { checkFile }] = await Promise.all([
    import("../../dns/zones.ts"),
    import("../../dns/masters.ts"),
  ]);
  const { name, records } = await checkFile(file);
  if (json) printJson({ name: shown(name), records });
  else print(`${file}: ${shown(name)}, ${records} ${records === 1 ? "record" : "records"}`);
  return ExitCode.DONE;
}
