"""A second implementation of the agreement and the ratchet of msg.md, sections 2 and 3 with the parts, the signed lists and the attachments of 3.2, both suites, from its text alone.

Reads one JSON object a line: {"do": ..., ...}; bytes are hex. Answers one a line.
"""

import base64
import hashlib
import hmac as hmac_module
import json
import os
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

Z = bytes(32)
RAW = (serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def L(text):
    return b"alknet-msg-v1 " + text.encode()


def H(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def hmac(key, data):
    return hmac_module.new(key, data, hashlib.sha256).digest()


def expand(prk, info, length):
    out, block, n = b"", b"", 1
    while len(out) < length:
        block = hmac(prk, block + info + bytes([n]))
        out, n = out + block, n + 1
    return out[:length]


def hkdf(salt, ikm, info, length):
    return expand(hmac(salt, ikm), info, length)


def X(secret, public):
    return X25519PrivateKey.from_private_bytes(secret).exchange(X25519PublicKey.from_public_bytes(public))


def pub(secret):
    return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes(*RAW)


def kem_pub(seed):
    return MLKEM768PrivateKey.from_seed_bytes(seed).public_key().public_bytes_raw()


def u32(n):
    return n.to_bytes(4, "big")


class Person:
    def __init__(self, ed, ik):
        self.key = Ed25519PrivateKey.from_private_bytes(ed)
        self.ed = self.key.public_key().public_bytes(*RAW)
        self.secret, self.ik = ik, pub(ik)

    def sign(self, label, data):
        return self.key.sign(L(label) + b"\0" + data)

    def block(self):
        return self.ed + self.ik + self.sign("identity", self.ik)

    def bundle(self, spk_id, spk, day, pq):
        suite = b"\x02" if pq else b"\x01"
        body = b"\x01" + suite + self.block() + u32(spk_id) + pub(spk) + u32(day) + (kem_pub(pq) if pq else b"")
        return body + self.sign("prekey", body)


def transcript(open_part, ed, ik, spk, opk, pq):
    return H(L("first"), b"\0", open_part, ed, ik, spk, opk or Z, H(pq) if pq else Z)


def agree(t0, shared, idb, second):
    prk1 = hmac(expand(shared, L("chain"), 32), second)
    t1 = H(t0, idb)
    out = expand(prk1, L("session") + b"\0" + t1, 96)
    return out[:32], out[32:64], out[64:], t1


def cut(ident, content, room):
    """Section 3.2: 01, id 16, index u16, count u16, bytes; all but the last fill their envelope."""
    pieces = [content[at:at + room - 21] for at in range(0, len(content), room - 21)]
    assert len(ident) == 16 and len(pieces) <= 64 and len(content) <= 96 * 1024
    head = lambda i: b"\x01" + ident + i.to_bytes(2, "big") + len(pieces).to_bytes(2, "big")
    return [head(i) + piece for i, piece in enumerate(pieces)]


def join(parts):
    """In whatever order they come."""
    ident, count = parts[0][1:17], int.from_bytes(parts[0][19:21], "big")
    found = {}
    for part in parts:
        assert part[0] == 1 and part[1:17] == ident and int.from_bytes(part[19:21], "big") == count <= 64
        found[int.from_bytes(part[17:19], "big")] = part[21:]
    assert sorted(found) == list(range(count))
    return b"".join(found[i] for i in range(count))


def attach(key, content):
    """Section 3.2: chunks of 64 KiB in GCM, nonce 3 zeros, u64 index, last flag; zero-padded to whole chunks."""
    content += bytes(-len(content) % 65536 or (0 if content else 65536))
    count = len(content) // 65536
    nonce = lambda i: bytes(3) + i.to_bytes(8, "big") + bytes([i == count - 1])
    return b"".join(AESGCM(key).encrypt(nonce(i), content[i * 65536:][:65536], None) for i in range(count))


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jcs(value):
    """RFC 8785 of objects, lists, whole numbers and ASCII."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def devices(me, pairs):
    """Section 3.2: the list, signed `devices` by device 0."""
    return me.sign("devices", jcs([{"ik": b64(ik), "ed": b64(ed)} for ed, ik in pairs]))


def group(me, ident, version, eds):
    """Section 3.2: id, version, list, signed `group` by the admin; digest H(sorted eds)."""
    return me.sign("group", jcs({"version": version, "list": [b64(ed) for ed in eds], "id": b64(ident)})), H(*sorted(eds))


class Session:
    def kdf_rk(self, dh):
        out = hkdf(self.RK, dh, L("root"), 96)
        self.RK = out[:32]
        return out[32:64], out[64:]

    @staticmethod
    def begin(me, bundle, body, ek, dhs, kem):
        """`body`: what follows the bundle: 00, or 01, id, key. `kem`: ciphertext and secret that another drew."""
        ed, ik = bundle[2:34], bundle[34:66]
        Ed25519PublicKey.from_public_bytes(ed).verify(bundle[66:130], L("identity") + b"\0" + ik)
        Ed25519PublicKey.from_public_bytes(ed).verify(bundle[-64:], L("prekey") + b"\0" + bundle[:-64])
        assert (bundle[0], bundle[1], len(bundle)) in ((1, 1, 234), (1, 2, 1418))
        pq = bundle[170:-64]
        spk = bundle[134:166]
        opk = body[5:] if body[0] == 1 else None
        open_part = b"\x01" + bundle[1:2] + bundle[130:134] + (body[1:5] if opk else bytes(4)) + pub(ek)
        secret = b""
        if pq:
            if not kem:
                kem = tuple(reversed(MLKEM768PublicKey.from_public_bytes(pq).encapsulate()))
            ciphertext, secret = kem
            assert (len(ciphertext), len(secret)) == (1088, 32)
            open_part += ciphertext
        t0 = transcript(open_part, ed, ik, spk, opk, pq)
        prk0 = hmac(t0, X(ek, spk) + (X(ek, opk) if opk else b"") + secret)
        kid = expand(prk0, L("id"), 44)
        idb = me.block()
        self = Session()
        self.prefix = open_part + AESGCM(kid[:32]).encrypt(kid[32:], idb, open_part)
        self.RK, self.HKs, self.NHKr, self.AD = agree(t0, prk0, idb, X(me.secret, spk) + X(ek, ik))
        self.DHs, self.DHr = dhs, spk
        self.CKs, self.NHKs = self.kdf_rk(X(dhs, spk))
        self.CKr = self.HKr = None
        self.Ns = self.Nr = self.PN = 0
        self.skipped = {}
        return self

    @staticmethod
    def answer(me, spk, opk, pq, envelope):
        p = 1130 if envelope[1] == 2 else 42
        open_part, ek = envelope[:p], envelope[10:42]
        assert envelope[:2] == (b"\x01\x02" if pq else b"\x01\x01")
        t0 = transcript(open_part, me.ed, me.ik, pub(spk), pub(opk) if opk else None, kem_pub(pq) if pq else None)
        secret = MLKEM768PrivateKey.from_seed_bytes(pq).decapsulate(envelope[42:p]) if pq else b""
        prk0 = hmac(t0, X(spk, ek) + (X(opk, ek) if opk else b"") + secret)
        kid = expand(prk0, L("id"), 44)
        idb = AESGCM(kid[:32]).decrypt(kid[32:], envelope[p:p + 144], open_part)
        ed, ik = idb[:32], idb[32:64]
        Ed25519PublicKey.from_public_bytes(ed).verify(idb[64:], L("identity") + b"\0" + ik)
        self = Session()
        self.prefix = b""
        self.RK, self.NHKr, self.NHKs, self.AD = agree(t0, prk0, idb, X(spk, ik) + X(me.secret, ek))
        self.DHs, self.DHr = spk, None
        self.CKs = self.CKr = self.HKs = self.HKr = None
        self.Ns = self.Nr = self.PN = 0
        self.skipped = {}
        return self

    def seal(self, content, size, hn):
        mk, self.CKs = hmac(self.CKs, b"\x01"), hmac(self.CKs, b"\x02")
        before = self.prefix or b"\x02"
        header = pub(self.DHs) + u32(self.PN) + u32(self.Ns)
        head = hn + AESGCM(self.HKs).encrypt(hn, header, self.AD)
        plain = u32(len(content)) + content
        plain += bytes(size - len(before) - 68 - 16 - len(plain))
        key = expand(mk, L("body") + b"\0" + hn, 44)
        self.Ns += 1
        return before + head + AESGCM(key[:32]).encrypt(key[32:], plain, self.AD + head)

    def header(self, key, part):
        try:
            return AESGCM(key).decrypt(part[:12], part[12:68], self.AD)
        except InvalidTag:
            return None

    def body(self, mk, part):
        key = expand(mk, L("body") + b"\0" + part[:12], 44)
        plain = AESGCM(key[:32]).decrypt(key[32:], part[68:], self.AD + part[:68])
        length = int.from_bytes(plain[:4], "big")
        assert not any(plain[4 + length:])
        return plain[4:4 + length]

    def skip_to(self, n):
        while self.CKr is not None and self.Nr < n:
            self.skipped[(self.HKr, self.Nr)] = hmac(self.CKr, b"\x01")
            self.CKr = hmac(self.CKr, b"\x02")
            self.Nr += 1

    def open(self, envelope, dhs):
        part = envelope[1:] if envelope[0] == 2 else envelope[1130 + 144:] if envelope[1] == 2 else envelope[42 + 144:]
        for (hk, n), mk in self.skipped.items():
            header = self.header(hk, part)
            if header and int.from_bytes(header[36:], "big") == n:
                content = self.body(mk, part)
                del self.skipped[(hk, n)]
                return content
        header = self.HKr and self.header(self.HKr, part)
        if not header:
            header = self.header(self.NHKr, part)
            assert header, "no key fits"
            self.skip_to(int.from_bytes(header[32:36], "big"))
            self.PN, self.Ns, self.Nr = self.Ns, 0, 0
            self.HKs, self.HKr, self.DHr = self.NHKs, self.NHKr, header[:32]
            self.CKr, self.NHKr = self.kdf_rk(X(self.DHs, self.DHr))
            self.DHs = dhs
            self.CKs, self.NHKs = self.kdf_rk(X(self.DHs, self.DHr))
        n = int.from_bytes(header[36:], "big")
        assert n >= self.Nr, "came again"
        self.skip_to(n)
        mk, self.CKr = hmac(self.CKr, b"\x01"), hmac(self.CKr, b"\x02")
        self.Nr += 1
        self.prefix = b""
        return self.body(mk, part)


me, session = None, None
for line in sys.stdin:
    ask = json.loads(line)
    data = {name: bytes.fromhex(value) for name, value in ask.items() if isinstance(value, str) and name != "do"}
    answer = {}
    try:
        if ask["do"] == "person":
            me = Person(data["ed"], data["ik"])
            answer = {"ed": me.ed.hex(), "ik": me.ik.hex()}
        elif ask["do"] == "bundle":
            answer = {"bundle": me.bundle(ask["id"], data["spk"], ask["day"], data.get("pq")).hex()}
        elif ask["do"] == "begin":
            ek, dhs = data.get("ek") or os.urandom(32), data.get("dhs") or os.urandom(32)
            kem = (data["ciphertext"], data["secret"]) if "secret" in data else None
            session = Session.begin(me, data["bundle"], data["rest"], ek, dhs, kem)
        elif ask["do"] == "answer":
            session = Session.answer(me, data["spk"], data.get("opk"), data.get("pq"), data["envelope"])
        elif ask["do"] == "seal":
            answer = {"envelope": session.seal(data["content"], ask["size"], data.get("hn") or os.urandom(12)).hex()}
        elif ask["do"] == "cut":
            answer = {str(i): part.hex() for i, part in enumerate(cut(data["id"], data["content"], ask["room"]))}
        elif ask["do"] == "join":
            answer = {"content": join([data[str(i)] for i in range(ask["parts"])]).hex()}
        elif ask["do"] == "devices":
            eds, iks = ([bytes.fromhex(one) for one in ask[name]] for name in ("eds", "iks"))
            answer = {"signature": devices(me, zip(eds, iks)).hex()}
        elif ask["do"] == "attach":
            answer = {"sealed": attach(data["key"], data["content"]).hex()}
        elif ask["do"] == "group":
            signature, digest = group(me, data["id"], ask["version"], [bytes.fromhex(one) for one in ask["eds"]])
            answer = {"signature": signature.hex(), "digest": digest.hex()}
        elif ask["do"] == "open":
            answer = {"content": session.open(data["envelope"], data.get("dhs") or os.urandom(32)).hex()}
    except Exception as error:  # What went wrong is the answer.
        answer = {"error": repr(error)}
    print(json.dumps(answer), flush=True)
