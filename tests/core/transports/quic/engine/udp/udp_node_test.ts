import { bindNodeUdp } from "../../../../../../core/transports/quic/engine/udp/udp_node.ts";
import { udpSuite } from "../../../../../suites/udp_suite.ts";

udpSuite("node", "node", bindNodeUdp);
