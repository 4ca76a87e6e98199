/**
 * Which of this machine's addresses a datagram was sent to, and so must be answered from: a socket bound to all of them is
 * told by control messages, and tells by the same (ip(7), ipv6(7), RFC 3542 §6).
 *
 * ```text
 * struct cmsghdr       len @0 (16 + data)  level i32 @8  type i32 @12  data @16, padded to a multiple of 8
 * struct in_pktinfo    interface i32 @0  local address[4] @4  address in the header[4] @8        12 bytes, IP_PKTINFO
 * struct in6_pktinfo   address[16] @0  interface u32 @16                                         20 bytes, IPV6_PKTINFO
 * ```
 *
 * On a socket of family `AF_INET6` the second serves IPv4 too, with `::ffff:a.b.c.d`.
 *
 * @module
 */
import { setOption } from "../../linux/calls.ts";
import { AF_INET6 } from "./socket_name.ts";

const IPPROTO_IP = 0;
const IP_PKTINFO = 8;
const IPPROTO_IPV6 = 41;
const IPV6_RECVPKTINFO = 49;
const IPV6_PKTINFO = 50;
/** Bytes of a control message before its data. */
const CMSG_HEADER = 16;

/** How a family says it. */
export interface PacketInfoForm {
  /** Level of the control message. */
  readonly level: number;
  /** Its type. */
  readonly type: number;
  /** Bytes of data. */
  readonly size: number;
  /** Bytes of the whole message, padded. */
  readonly space: number;
}

const IPV4_FORM: PacketInfoForm = { level: IPPROTO_IP, type: IP_PKTINFO, size: 12, space: 32 };
const IPV6_FORM: PacketInfoForm = { level: IPPROTO_IPV6, type: IPV6_PKTINFO, size: 20, space: 40 };

/** How the sockets of a family say it. */
export function packetInfoForm(family: number): PacketInfoForm {
  return family === AF_INET6 ? IPV6_FORM : IPV4_FORM;
}

/** Asks the kernel to tell, on a socket that is bound to every address. Where it does not, answers go by the route. */
export function askForPacketInfo(fd: number, family: number): void {
  if (family === AF_INET6) setOption(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  else setOption(fd, IPPROTO_IP, IP_PKTINFO, 1);
}

/** Whether a socket bound to this IP address is bound to all of them. */
export function isWildcard(hostname: string): boolean {
  return hostname === "0.0.0.0" || hostname === "::";
}

/** Writes the control message but for its data, at the beginning of `control`. */
export function writePacketInfoHeader(form: PacketInfoForm, control: DataView): void {
  control.setUint32(0, CMSG_HEADER + form.size, true);
  control.setInt32(8, form.level, true);
  control.setInt32(12, form.type, true);
}
