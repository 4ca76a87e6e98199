/**
 * Which version of git's protocol a client asks for (gitprotocol-v2, "Initial Client Request"): the front says where the
 * parameters stand.
 *
 * @module
 */

/** A version of the protocol. Pushes know the first two. */
export type ProtocolVersion = 0 | 1 | 2;

/** The highest version among parameters such as `version=2`; 0 where none of them names one that is known. */
export function protocolVersion(parameters: readonly string[]): ProtocolVersion {
  if (parameters.includes("version=2")) return 2;
  return parameters.includes("version=1") ? 1 : 0;
}
