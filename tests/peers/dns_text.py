"""Text of records to wire form and back, by dnspython: lines of JSON, [TYPE, TEXT] to [HEX, TEXT] or an error."""

import json
import sys

import dns.name
import dns.rdata
import dns.rdataclass

for line in sys.stdin:
    kind, text = json.loads(line)
    try:
        rdata = dns.rdata.from_text(dns.rdataclass.IN, kind, text, origin=dns.name.root, relativize=False)
        print(json.dumps({"wire": rdata.to_wire().hex(), "text": rdata.to_text()}))
    except Exception as error:
        print(json.dumps({"error": str(error)}))
