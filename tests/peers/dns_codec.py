"""dnspython as a codec: each line is a message in hexadecimal digits, and comes back as dnspython writes what it read."""

import sys

import dns.message

for line in sys.stdin:
    message = dns.message.from_wire(bytes.fromhex(line))
    sys.stdout.write(message.to_wire(max_size=65535).hex() + "\n")
