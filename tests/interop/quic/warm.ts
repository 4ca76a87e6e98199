/**
 * Loads the libraries of QUIC, which stay loaded for the life of the process: within a test they would count as leaked.
 *
 * @module
 */
import { loadQuiche } from "../../../core/transports/quic/engine/binding.ts";
import { hasLibc } from "../../../core/transports/quic/linux/call_table.ts";

await loadQuiche();
hasLibc();
