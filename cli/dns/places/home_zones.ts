/**
 * The zones of a home folder, as commands work on them.
 *
 * @module
 */
import { newZone } from "@alknet/handlers/dns";
import { importFile } from "../masters.ts";
import { openZones, servesZones, zoneNamed, type ZonesChoice } from "../zones.ts";
import type { ZonesPlace } from "../place.ts";

/** Opens them; disposing of them closes the database. Throws as {@linkcode openZones} does. */
export async function openHomeZones(choice: ZonesChoice): Promise<ZonesPlace & Disposable> {
  const { store, home, [Symbol.dispose]: close } = await openZones(choice);
  const { zones } = store;
  return {
    list: () => Promise.resolve(zones.list()),
    named: (text) => Promise.try(zoneNamed, store, text),
    create: (name, { servers, mail, kind }) =>
      Promise.try(() => zones.create(newZone(name, { servers: servers.length > 0 ? servers : undefined, mail }), kind)),
    remove: (zone) =>
      Promise.try(() => {
        zones.remove(zone);
        return zone.records;
      }),
    async *records(zone) {
      using snapshot = zones.snapshot(zone);
      yield [snapshot.soa];
      yield snapshot.others;
    },
    import: (name, file, options) => importFile(store, name, file, options),
    at: (zone, name) => zones.at(zone, name),
    apply: (zone, change) => zones.apply(zone, change),
    unserved: async () => await servesZones(home, choice) ? undefined : choice.config ?? home.configFile,
    [Symbol.dispose]: close,
  };
}
