"""A DNS client of dnspython. Each JSON line is a question and how to ask it; each answer says what came back."""

import json
import sys

import dns.edns
import dns.flags
import dns.message
import dns.query
import dns.rcode


def ask(request):
    message = dns.message.make_query(request["name"], request.get("type", "A"))
    options = [
        dns.edns.GenericOption(code, bytes.fromhex(data)) for code, data in request.get("options", [])
    ]
    if request.get("edns", True):
        message.use_edns(0, options=options)
    way = {"tls": dns.query.tls, "quic": dns.query.quic}[request["via"]]
    answer = way(message, "127.0.0.1", port=request["port"], timeout=10, verify=False)
    return {
        "rcode": dns.rcode.to_text(answer.rcode()),
        "flags": dns.flags.to_text(answer.flags),
        "size": len(answer.wire),
        "answer": [str(record) for rrset in answer.answer for record in rrset],
        "owners": [rrset.name.to_text() for rrset in answer.answer],
        "options": [[int(option.otype), option.to_wire().hex()] for option in answer.options],
    }


for line in sys.stdin:
    print(json.dumps(ask(json.loads(line))), flush=True)
