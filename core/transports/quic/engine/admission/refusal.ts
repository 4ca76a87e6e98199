/**
 * The answer to a client for whom there is no room: CONNECTION_REFUSED, without any state (RFC 9000 §5.2.2, §20.1).
 *
 * @module
 */
import { newConnectionId } from "./connection_ids.ts";
import { type LongHeader, QUIC_V1 } from "./packet_header.ts";
import { sealInitial, serverInitialKeys } from "./packet_protection.ts";

/** CONNECTION_CLOSE of the transport, code CONNECTION_REFUSED, caused by no frame, no reason (RFC 9000 §19.19). */
const FRAMES = Uint8Array.of(0x1c, 0x02, 0x00, 0x00);
const TAG_LENGTH = 16;
const PACKET_NUMBER_LENGTH = 1;

/** An Initial packet that refuses the client whose Initial had this header. */
export function encodeRefusal(header: LongHeader): Uint8Array {
  const { dcid, scid } = header;
  const own = newConnectionId();
  const length = PACKET_NUMBER_LENGTH + FRAMES.byteLength + TAG_LENGTH;
  const plain = Uint8Array.of(
    0xc0,
    0,
    0,
    0,
    QUIC_V1,
    scid.byteLength,
    ...scid,
    own.byteLength,
    ...own,
    0, // no token
    length,
    0, // packet number
  );
  return sealInitial(serverInitialKeys(dcid), plain, FRAMES);
}
