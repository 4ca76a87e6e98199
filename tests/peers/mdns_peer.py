"""Services on the loopback interface, by zeroconf: registers one for a node's id, and finds those of others.

Lines in: {"register": ID}, or {"find": ID}; out: {}, or what was found.
"""

import json
import socket
import sys

from zeroconf import IPVersion, ServiceInfo, Zeroconf

TYPE = "_alknet._udp.local."


def main():
    with Zeroconf(interfaces=["127.0.0.1"], ip_version=IPVersion.V4Only) as network:
        for line in sys.stdin:
            asked = json.loads(line)
            if "register" in asked:
                own = asked["register"]
                here = [socket.inet_aton("127.0.0.1")]
                network.register_service(ServiceInfo(TYPE, f"{own}.{TYPE}", 4434, addresses=here, server=f"{own}.local."))
                print("{}")
                continue
            found = network.get_service_info(TYPE, f"{asked['find']}.{TYPE}", timeout=10_000)
            print(json.dumps({} if not found else {"port": found.port, "addresses": found.parsed_addresses()}))


if __name__ == "__main__":
    main()
