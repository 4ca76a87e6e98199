"""A master file through dnspython: standard input in, its records out, a line each: NAME TTL TYPE and data as it reads them."""

import sys

import dns.rdatatype
import dns.zone

zone = dns.zone.from_text(sys.stdin.read(), origin=sys.argv[1], relativize=False)
for name, ttl, rdata in zone.iterate_rdatas():
    print(f"{name} {ttl} {dns.rdatatype.to_text(rdata.rdtype)} {rdata.to_wire().hex()}")
