/**
 * `dns/zones/…`: zones listed, made, removed, and as master files.
 *
 * @module
 */
import { type HandlerRegistration, operation, provide } from "@alknet/core/operations";
import Type from "typebox";
import { parseName } from "../codec/name.ts";
import { importMaster } from "../zones/master/importing.ts";
import { writeMaster } from "../zones/master/writer.ts";
import { newZone } from "../zones/new_zone.ts";
import {
  changedSchema,
  closed,
  ERRORS,
  nothing,
  type OperationsParts,
  READERS,
  told,
  wholeName,
  WRITERS,
  zoneFields,
  zoneNamed,
  zoneSchema,
  zoneText,
} from "./shared.ts";

const { NO_SUCH_ZONE, ZONE_EXISTS, DNS_RULE, DNS_SYNTAX, DNS_BUSY } = ERRORS;
/** Characters of the longest master file that comes in one call. */
const MAX_TEXT = 6 * 1024 * 1024;

const list = operation({
  name: "dns/zones/list",
  type: "query",
  description: "The zones of this node.",
  input: nothing,
  output: Type.Object({ zones: Type.Array(zoneSchema) }, closed),
  access: READERS,
});

const exported = operation({
  name: "dns/zones/export",
  type: "subscription",
  description: "A zone as a master file, as of one moment, in texts of whole lines.",
  input: Type.Object({ zone: zoneText }, closed),
  output: Type.String(),
  errors: { NO_SUCH_ZONE, DNS_SYNTAX, DNS_BUSY },
  access: READERS,
});

const create = operation({
  name: "dns/zones/create",
  type: "mutation",
  description: "Makes a zone with its SOA and name servers.",
  input: Type.Object({
    name: zoneText,
    ns: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 1024 }), {
        minItems: 1,
        maxItems: 32,
        description: "name servers; default: ns in the zone",
      }),
    ),
    mail: Type.Optional(
      Type.String({ minLength: 1, maxLength: 512, description: "who is responsible, a@host; default: hostmaster" }),
    ),
    kind: Type.Optional(
      Type.Enum(["primary", "pkarr"], { description: "pkarr: names of it are keys, answered out of signed packets" }),
    ),
  }, closed),
  output: zoneSchema,
  errors: { ZONE_EXISTS, DNS_RULE, DNS_SYNTAX, DNS_BUSY },
  access: WRITERS,
});

const remove = operation({
  name: "dns/zones/remove",
  type: "mutation",
  description: "Removes a zone with its records; says how many they were.",
  input: Type.Object({ zone: zoneText }, closed),
  output: Type.Object({ records: Type.Integer() }, closed),
  errors: { NO_SUCH_ZONE, DNS_SYNTAX, DNS_BUSY },
  access: WRITERS,
});

const imported = operation({
  name: "dns/zones/import",
  type: "mutation",
  description:
    "Puts a master file in place of a zone's records, whole or not at all; the zone is made if there is none.",
  input: Type.Object({
    zone: zoneText,
    text: Type.String({ maxLength: MAX_TEXT, description: "the master file (RFC 1035 §5)" }),
    dryRun: Type.Optional(Type.Boolean({ description: "whether nothing is to be changed" })),
  }, closed),
  output: changedSchema,
  errors: { DNS_RULE, DNS_SYNTAX, DNS_BUSY },
  access: WRITERS,
});

/** The operations of `dns/zones/`. */
export function zoneOperations({ zones }: OperationsParts): HandlerRegistration[] {
  return [
    provide(list, () => ({ zones: zones.list().map(zoneFields) })),
    provide(exported, async function* ({ zone }) {
      using snapshot = told(() => zones.snapshot(zoneNamed(zones, zone)));
      yield* writeMaster(function* () {
        yield snapshot.soa;
        yield* snapshot.others;
      }());
    }),
    provide(create, ({ name, ns, mail, kind = "primary" }) =>
      told(() => {
        const apex = wholeName(name);
        const servers = ns?.map((server) => parseName(server, apex));
        return zoneFields(zones.create(newZone(apex, { servers, mail }), kind));
      })),
    provide(remove, ({ zone }) =>
      told(() => {
        const found = zoneNamed(zones, zone);
        zones.remove(found);
        return { records: found.records };
      })),
    provide(imported, ({ zone, text, dryRun = false }) =>
      told(() => {
        const { added, removed, serial } = importMaster(zones, wholeName(zone), () => [text], { dryRun });
        return { added, removed, serial };
      })),
  ];
}
