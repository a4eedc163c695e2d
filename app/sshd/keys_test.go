package sshd

import (
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	gossh "golang.org/x/crypto/ssh"
)

// unwilling is a key whose owner does not want to be asked to sign.
type unwilling struct {
	gossh.Signer
	t *testing.T
}

func (s unwilling) Sign(r io.Reader, data []byte) (*gossh.Signature, error) {
	s.t.Error("a reader was asked to sign")
	return s.Signer.Sign(r, data)
}

// Readers are let in with as many keys as they have, and touch none: a
// hardware key does not blink.
func TestReadersAreNotAskedToSign(t *testing.T) {
	t.Parallel()
	b := startServer(t, Limits{})
	b.authorise(newKey(t).PublicKey())
	for _, n := range []int{0, 1, 7, 40} {
		var keys []gossh.Signer
		for range n {
			keys = append(keys, unwilling{newKey(t), t})
		}
		c := b.client(keys...)
		if out, _, _ := b.run(c, "whoami"); !strings.HasPrefix(out, "reader") {
			t.Errorf("%d keys: %q", n, out)
		}
		c.Close()
	}
}

// forgedKey offers a public key of any kind, and signs with nothing.
type forgedKey struct{ public gossh.PublicKey }

func (f forgedKey) PublicKey() gossh.PublicKey { return f.public }
func (f forgedKey) Sign(io.Reader, []byte) (*gossh.Signature, error) {
	return &gossh.Signature{Format: f.public.Type(), Blob: make([]byte, 2048)}, nil
}

// dssKey is a key of a kind that the library has forgotten.
type dssKey struct{}

func (dssKey) Type() string                          { return "ssh-dss" }
func (dssKey) Verify([]byte, *gossh.Signature) error { return errors.New("never") }
func (dssKey) Marshal() []byte {
	long := new(big.Int).SetBit(big.NewInt(1), 1023, 1)
	short := new(big.Int).SetBit(big.NewInt(1), 159, 1)
	return gossh.Marshal(struct {
		Name       string
		P, Q, G, Y *big.Int
	}{"ssh-dss", long, short, big.NewInt(2), big.NewInt(3)})
}

// Keys and algorithms of the past, and keys that are made to cost time,
// are refused at once, and their owner is a reader.
func TestOldAndHugeKeysAreRefusedAtOnce(t *testing.T) {
	b := startServer(t, Limits{})
	real, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := gossh.NewSignerFromKey(real)
	if err != nil {
		t.Fatal(err)
	}
	b.authorise(signer.PublicKey())
	if out, _, _ := b.run(b.client(signer), "whoami"); !strings.HasPrefix(out, "author") {
		t.Fatalf("with SHA-2: %q", out)
	}
	sha1, err := gossh.NewSignerWithAlgorithms(signer.(gossh.AlgorithmSigner), []string{gossh.KeyAlgoRSA})
	if err != nil {
		t.Fatal(err)
	}
	huge := new(big.Int).SetBit(big.NewInt(1), 16383, 1)
	public := func(k any) gossh.PublicKey {
		p, err := gossh.NewPublicKey(k)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	// quickest is the best of some logins: the machine has other work too.
	quickest := func(keys ...gossh.Signer) time.Duration {
		best := time.Hour
		for range 5 {
			began := time.Now()
			c, err := b.dial("reader", keys...)
			best = min(best, time.Since(began))
			if err != nil {
				continue // refused altogether
			}
			if out, _, _ := b.run(c, "whoami"); !strings.HasPrefix(out, "reader") {
				t.Errorf("%q", out)
			}
			c.Close()
		}
		return best
	}
	bare := quickest()
	for name, k := range map[string]gossh.Signer{
		"certificate": certified(t, signer), // of the author's own key
		"ssh-rsa":     sha1,
		"RSA-16384":   forgedKey{public(&rsa.PublicKey{N: huge, E: 65537})},
		"ssh-dss":     forgedKey{dssKey{}},
	} {
		t.Run(name, func(t *testing.T) {
			more := quickest(k) - bare
			if t.Logf("%v more than without a key", more.Round(time.Microsecond)); more > 100*time.Millisecond {
				t.Errorf("takes %v", more)
			}
		})
	}
}

// A peer that is gone without a word is noticed by TCP, in three minutes
// at most.
func TestVanishedPeerIsNoticed(t *testing.T) {
	t.Parallel()
	b := startServer(t, Limits{})
	b.client()
	for _, c := range b.srv.gate.all() {
		raw, err := c.Conn.(*net.TCPConn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		option := func(level, name int) (n int) {
			_ = raw.Control(func(fd uintptr) {
				if n, err = syscall.GetsockoptInt(int(fd), level, name); err != nil {
					t.Fatal(err)
				}
			})
			return n
		}
		const idle, interval, count, user = 4, 5, 6, 18 // TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_USER_TIMEOUT of Linux
		if option(syscall.SOL_SOCKET, syscall.SO_KEEPALIVE) == 0 {
			t.Fatal("TCP does not ask")
		}
		gone := option(syscall.IPPROTO_TCP, idle) + option(syscall.IPPROTO_TCP, interval)*option(syscall.IPPROTO_TCP, count)
		if gone > 180 {
			t.Errorf("noticed after %d s", gone)
		}
		if ms := option(syscall.IPPROTO_TCP, user); ms < 1000 || ms > 180_000 {
			t.Errorf("with bytes under way, noticed after %d ms", ms)
		}
	}
}
