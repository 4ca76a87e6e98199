"""A TLS 1.3 peer that signs its handshake with whatever key it is given (tlslite-ng), beside an honest one.

    tls_rogue.py server CERTIFICATE KEY ALPN          prints {"port": N}, then {"handshake": bool, "received": hex} for each
    tls_rogue.py client CERTIFICATE KEY ALPN PORT SNI prints {"handshake": bool, "received": hex}

The certificate is DER in a PEM envelope and is sent as it is, well-formed or not.
"""
import json
import socket
import sys

from tlslite.api import HandshakeSettings, TLSConnection, X509, X509CertChain, parsePEMKey


def say(**fields):
    print(json.dumps(fields), flush=True)


def load(certificate, key):
    from tlslite.utils.pem import dePem

    with open(key) as file:
        private = parsePEMKey(file.read(), private=True)
    with open(certificate) as file:
        der = dePem(file.read(), "CERTIFICATE")
    leaf = X509()
    try:
        leaf.parseBinary(der)
    except Exception:
        with open(key + ".crt") as file:
            leaf.parse(file.read())
        leaf.bytes = der
    return X509CertChain([leaf]), private


def talk(connection, handshake):
    try:
        handshake(connection)
        connection.write(b"x")
        received = connection.read(min=1, max=100)
        say(handshake=True, received=bytes(received).hex())
    except Exception as error:
        say(handshake=False, error=repr(error))


def main():
    role, certificate, key, alpn = sys.argv[1:5]
    chain, private = load(certificate, key)
    protocols = [bytearray(alpn.encode())]
    settings = HandshakeSettings()
    settings.certificate_compression_send = []
    if role == "client":
        connection = TLSConnection(socket.create_connection(("127.0.0.1", int(sys.argv[5]))))
        talk(connection, lambda it: it.handshakeClientCert(
            chain, private, settings=settings, alpn=protocols, serverName=sys.argv[6]))
        return
    listener = socket.create_server(("127.0.0.1", 0))
    say(port=listener.getsockname()[1])
    while True:
        accepted, _ = listener.accept()
        accepted.settimeout(10)
        talk(TLSConnection(accepted), lambda it: it.handshakeServer(
            certChain=chain, privateKey=private, alpn=protocols, settings=settings))
        accepted.close()


main()
