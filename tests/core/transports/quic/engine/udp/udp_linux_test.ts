import { bindLinuxUdp } from "../../../../../../core/transports/quic/engine/udp/udp_linux.ts";
import { udpSuite } from "../../../../../suites/udp_suite.ts";

for (const gso of [true, false]) {
  for (const gro of [true, false]) {
    const name = `linux, ${gso ? "GSO" : "no GSO"}, ${gro ? "GRO" : "no GRO"}`;
    udpSuite(name, "linux", (address, options) => bindLinuxUdp(address, { ...options, gso, gro }));
  }
}
