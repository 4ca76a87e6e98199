"""A second implementation of the packet of msg.md, section 5.1, from its text alone.

Reads one JSON object a line: {"do": ..., ...}; bytes are hex. Answers one a line.
"""

import hashlib
import hmac as hmac_module
import json
import sys

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

HOPS, HOP, BODY = 5, 82, 2692
RAW = (serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def hmac(key, *data):
    return hmac_module.new(key, b"".join(data), hashlib.sha256).digest()


def hkdf(ikm, info, length):
    prk, out, block, n = hmac(bytes(32), ikm), b"", b"", 1
    while len(out) < length:
        block = hmac(prk, block, info, bytes([n]))
        out, n = out + block, n + 1
    return out[:length]


def X(secret, public):
    return X25519PrivateKey.from_private_bytes(secret).exchange(X25519PublicKey.from_public_bytes(public))


def pub(secret):
    return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes(*RAW)


def ctr(key, iv, data):
    return Cipher(algorithms.AES(key), modes.CTR(iv)).encryptor().update(data)


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


class Keys:
    """HKDF(no salt, s, ..., 176) = mac 32, stream 32, iv 16, payload 32, unused 16, blinding 32, tag 16."""

    def __init__(self, s):
        k = hkdf(s, b"alknet-mix-v1 hop", 176)
        self.mac, self.stream, self.iv, self.payload = k[:32], k[32:64], k[64:80], k[80:112]
        self.b, self.tag = k[128:160], k[160:]


def wide(key, block, forth):
    k = hkdf(key, b"alknet-mix-v1 wide", 128)
    k1, k2, k3, k4 = k[:32], k[32:64], k[64:96], k[96:]
    l, r = block[:32], block[32:]
    left = lambda key, l, r: xor(l, hmac(key, r))
    right = lambda key, l, r: ctr(hmac(key, l), bytes(16), r)
    if forth:
        r = right(k1, l, r)
        l = left(k2, l, r)
        r = right(k3, l, r)
        l = left(k4, l, r)
    else:
        l = left(k4, l, r)
        r = right(k3, l, r)
        l = left(k2, l, r)
        r = right(k1, l, r)
    return l + r


def header(epoch, x, hops, delays, recipient, surb, filling):
    """`hops`: (id, key) each. The header, the payload keys, and what lies between: alphas, keys."""
    n, alphas, keys = len(hops), [pub(x)], []
    for i, (_, key) in enumerate(hops):
        s = X(x, key)
        for k in keys:
            s = X(k.b, s)
        keys.append(Keys(s))
        if i + 1 < n:
            alphas.append(X(keys[i].b, alphas[i]))
    streams = [ctr(k.stream, k.iv, bytes(HOP * (HOPS + 1))) for k in keys]
    filler = [b""]
    for i, stream in enumerate(streams):
        own = stream[-HOP * (i + 1):]
        filler.append(xor(own, filler[i]) + own[len(filler[i]):])
    ad = bytes([0, epoch % 256])
    assert len(filling) == HOP * (HOPS - n)
    beta = (b"\x02" + recipient + (b"\x03" + surb if surb else b"")).ljust(HOP, b"\0") + filling
    for i in range(n - 1, -1, -1):
        if i < n - 1:
            commands = b"\x80" + delays[i].to_bytes(4, "big") + b"\x01" + hops[i + 1][0] + gamma
            beta = commands.ljust(HOP, b"\0") + beta
        beta = xor(beta, streams[i])
        gamma = hmac(keys[i].mac, ad, alphas[i], beta, filler[i])
    return ad + alphas[0] + beta + gamma, keys, alphas


def packet(head, keys, body):
    delta = bytes(32) + body
    for k in reversed(keys):
        delta = wide(k.payload, delta, True)
    return head + delta


seen = {}


def unwrap(secret, packet, epoch):
    assert len(packet) == 3200 and packet[0] == 0 and packet[1] == epoch % 256, "epoch"
    try:
        s = X(secret, packet[2:34])
    except ValueError:
        raise AssertionError("key")
    k = Keys(s)
    assert hmac_module.compare_digest(hmac(k.mac, packet[:444]), packet[444:476]), "mac"
    tags = seen.setdefault((secret, epoch), set())
    assert k.tag not in tags, "replay"
    tags.add(k.tag)
    beta = ctr(k.stream, k.iv, packet[34:444] + bytes(HOP))
    c, delta = beta[:HOP], wide(k.payload, packet[476:], False)
    if c[0] == 0x80 and c[5] == 1 and not any(c[70:]):
        alpha = X(k.b, packet[2:34])
        out = packet[:2] + alpha + beta[HOP:] + c[38:70] + delta
        return {"packet": out.hex(), "next": c[6:38].hex(), "delay": int.from_bytes(c[1:5], "big")}
    assert c[0] == 2, "command"
    if c[33] == 3 and not any(c[50:]):
        return {"recipient": c[1:33].hex(), "surbId": c[34:50].hex(), "delta": delta.hex()}
    assert not any(c[33:]), "command"
    assert delta[:32] == bytes(32), "tag"
    return {"recipient": c[1:33].hex(), "body": delta[32:].hex()}


for line in sys.stdin:
    ask = json.loads(line)
    data = {name: bytes.fromhex(value) for name, value in ask.items() if isinstance(value, str) and name != "do"}
    answer = {}
    try:
        if ask["do"] in ("packet", "surb"):
            hops = [(bytes.fromhex(one["id"]), bytes.fromhex(one["key"])) for one in ask["hops"]]
            head, keys, alphas = header(
                ask["epoch"], data["x"], hops, ask["delays"], data["recipient"], data.get("surbId"), data["filling"])
            answer = {"alphas": [one.hex() for one in alphas], "tags": [one.tag.hex() for one in keys]}
            if ask["do"] == "packet":
                answer["packet"] = packet(head, keys, data["body"]).hex()
            else:
                answer["surb"] = (head + hops[0][0] + data["payload"]).hex()
                answer["kept"] = (b"".join(one.payload for one in keys) + data["payload"]).hex()
        elif ask["do"] == "unwrap":
            answer = unwrap(data["secret"], data["packet"], ask["epoch"])
        elif ask["do"] == "answer":
            surb = data["surb"]
            answer = {"packet": (surb[:476] + wide(surb[508:], bytes(32) + data["body"], True)).hex()}
        elif ask["do"] == "open":
            kept, delta = data["kept"], data["delta"]
            for at in range(len(kept) - 64, -1, -32):
                delta = wide(kept[at:at + 32], delta, True)
            delta = wide(kept[-32:], delta, False)
            assert delta[:32] == bytes(32)
            answer = {"body": delta[32:].hex()}
    except Exception as error:  # What went wrong is the answer.
        answer = {"error": str(error) or repr(error)}
    print(json.dumps(answer), flush=True)
