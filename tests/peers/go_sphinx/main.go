// Packets as Katzenpost makes them, from the text of msg.md section 5.1: its cross-check, payloads in AEZ. Reads one JSON
// object a line and writes one; bytes are hex. With arguments `encrypt KEY BLOCK` or `decrypt KEY BLOCK` it is AEZ alone.
package main

import (
	"bufio"
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"gitlab.com/yawning/aez.git"
	"golang.org/x/crypto/chacha20"
)

const (
	hops       = 5
	perHop     = 82
	beta       = hops * perHop
	gammaAt    = 34 + beta
	headerSize = gammaAt + 32
	zeroSize   = 32
)

type hopKeys struct{ mac, stream, iv, payload, blinding []byte }

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return value
}

func random(n int) []byte {
	out := make([]byte, n)
	must(rand.Read(out))
	return out
}

func x(secret, public []byte) ([]byte, error) {
	k, err := ecdh.X25519().NewPrivateKey(secret)
	if err != nil {
		return nil, err
	}
	p, err := ecdh.X25519().NewPublicKey(public)
	if err != nil {
		return nil, err
	}
	return k.ECDH(p)
}

func public(secret []byte) []byte {
	return must(ecdh.X25519().NewPrivateKey(secret)).PublicKey().Bytes()
}

func keysOf(shared []byte) hopKeys {
	k := must(hkdf.Expand(sha256.New, shared, "katzenpost-kdf-v0-hkdf-sha256", 160))
	b := make([]byte, 32)
	must(chacha20.NewUnauthenticatedCipher(k[128:160], make([]byte, 12))).XORKeyStream(b, b)
	return hopKeys{k[:32], k[32:64], k[64:80], k[80:128], b}
}

func mac(key []byte, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, key)
	for _, part := range parts {
		h.Write(part)
	}
	return h.Sum(nil)
}

func xorStream(k hopKeys, data []byte) {
	cipher.NewCTR(must(aes.NewCipher(k.stream)), k.iv).XORKeyStream(data, data)
}

func makePacket(secrets, ids [][]byte, recipient, payload []byte) []byte {
	n := len(secrets)
	secret := random(32)
	alphas := [][]byte{public(secret)}
	keys := []hopKeys{}
	for i := range secrets {
		shared := must(x(secret, public(secrets[i])))
		for _, k := range keys {
			shared = must(x(k.blinding, shared))
		}
		k := keysOf(shared)
		keys = append(keys, k)
		if i+1 < n {
			alphas = append(alphas, must(x(k.blinding, alphas[i])))
		}
	}
	streams := make([][]byte, n)
	fillers := [][]byte{{}}
	for i, k := range keys {
		streams[i] = make([]byte, beta+perHop)
		xorStream(k, streams[i])
		filler := bytes.Clone(streams[i][len(streams[i])-perHop*(i+1):])
		for j, b := range fillers[i] {
			filler[j] ^= b
		}
		fillers = append(fillers, filler)
	}
	ad := []byte{0, 0}
	info := append(make([]byte, perHop), random(perHop*(hops-n))...)
	info[0] = 2
	copy(info[1:], recipient)
	var gamma []byte
	for i := n - 1; i >= 0; i-- {
		if i < n-1 {
			commands := make([]byte, perHop)
			commands[0], commands[4] = 0x80, byte(i+1)
			commands[5] = 1
			copy(commands[6:], ids[i+1])
			copy(commands[38:], gamma)
			info = append(commands, info...)
		}
		for j := range info {
			info[j] ^= streams[i][j]
		}
		gamma = mac(keys[i].mac, ad, alphas[i], info, fillers[i])
	}
	delta := append(make([]byte, zeroSize), payload...)
	for i := n - 1; i >= 0; i-- {
		delta = aez.Encrypt(keys[i].payload, keys[i].iv, nil, 0, delta, nil)
	}
	return bytes.Join([][]byte{ad, alphas[0], info, gamma, delta}, nil)
}

var errMac = errors.New("mac")

// The next packet, or what the last hop has of the body; no replay is looked for.
func unwrap(secret, packet []byte) ([]byte, bool, error) {
	shared, err := x(secret, packet[2:34])
	if err != nil {
		return nil, false, err
	}
	k := keysOf(shared)
	if !hmac.Equal(mac(k.mac, packet[:gammaAt]), packet[gammaAt:headerSize]) {
		return nil, false, errMac
	}
	info := append(bytes.Clone(packet[34:gammaAt]), make([]byte, perHop)...)
	xorStream(k, info)
	delta, ok := aez.Decrypt(k.payload, k.iv, nil, 0, packet[headerSize:], nil)
	if !ok {
		return nil, false, errMac
	}
	if info[0] == 2 {
		return delta[zeroSize:], true, nil
	}
	alpha, err := x(k.blinding, packet[2:34])
	if err != nil {
		return nil, false, err
	}
	return bytes.Join([][]byte{packet[:2], alpha, info[perHop:], info[38:70], delta}, nil), false, nil
}

func many(count int) (out [][]byte) {
	for range count {
		out = append(out, random(32))
	}
	return
}

func hexes(all [][]byte) (out []string) {
	for _, one := range all {
		out = append(out, hex.EncodeToString(one))
	}
	return
}

func rate(seconds float64, work func()) map[string]any {
	begun := time.Now()
	done := 0
	for time.Since(begun).Seconds() < seconds {
		for range 10 {
			work()
		}
		done += 10
	}
	return map[string]any{"value": float64(done) / time.Since(begun).Seconds()}
}

type ask struct {
	Do, Task, Secret, Packet string
	Count, Length            int
	Seconds                  float64
}

func main() {
	if len(os.Args) == 4 {
		key, block := must(hex.DecodeString(os.Args[2])), must(hex.DecodeString(os.Args[3]))
		if os.Args[1] == "encrypt" {
			block = aez.Encrypt(key[:48], key[48:], nil, 0, block, nil)
		} else {
			block, _ = aez.Decrypt(key[:48], key[48:], nil, 0, block, nil)
		}
		fmt.Print(hex.EncodeToString(block))
		return
	}
	secrets, ids, body := many(hops), many(hops), random(2692)
	packet := makePacket(secrets, ids, ids[0], body)
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var a ask
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			must(0, err)
		}
		var answer any
		switch a.Do + a.Task {
		case "make":
			if a.Seconds > 0 {
				answer = rate(a.Seconds, func() { makePacket(secrets, ids, ids[0], body) })
				break
			}
			s, i, p := many(a.Count), many(a.Count), random(a.Length)
			made := makePacket(s, i, i[0], p)
			answer = map[string]any{
				"secrets": hexes(s), "ids": hexes(i), "payload": hex.EncodeToString(p), "packet": hex.EncodeToString(made),
			}
		case "unwrap":
			if a.Seconds > 0 {
				answer = rate(a.Seconds, func() { _, _, err := unwrap(secrets[0], packet); must(0, err) })
				break
			}
			out, last, err := unwrap(must(hex.DecodeString(a.Secret)), must(hex.DecodeString(a.Packet)))
			if err != nil {
				answer = map[string]any{"error": err.Error()}
			} else {
				answer = map[string]any{"out": hex.EncodeToString(out), "last": last}
			}
		}
		fmt.Println(string(must(json.Marshal(answer))))
	}
}
