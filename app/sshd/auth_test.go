package sshd

import (
	"crypto/rand"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	gossh "golang.org/x/crypto/ssh"
)

func TestTheKeyAloneMakesAnAuthor(t *testing.T) {
	t.Parallel()
	b := startServer(t, Limits{})
	ada := newKey(t)
	b.authorise(ada.PublicKey())
	foreign := make([]gossh.Signer, 40)
	for i := range foreign {
		foreign[i] = newKey(t)
	}
	with := func(n int) []gossh.Signer { return append(append([]gossh.Signer{}, foreign[:n]...), ada) }
	for _, c := range []struct {
		name, user string
		keys       []gossh.Signer
		want       string
	}{
		{"no key", "reader", nil, "reader refused=0"},
		{"a stranger's keys", "reader", foreign[:7], "reader refused=7"},
		{"forty strangers' keys", "reader", foreign, "reader refused=40"},
		{"author", "reader", with(0), "author Ada 0 refused=0"},
		{"author second", "reader", with(1), "author Ada 0 refused=1"},
		{"author last of twenty", "reader", with(19), "author Ada 0 refused=19"},
		{"author last of forty", "reader", with(39), "author Ada 0 refused=39"},
		{"any user name", "root", with(0), "author Ada 0 refused=0"},
		{"guest, let in before a key is offered", "guest", with(0), "reader refused=0"},
		{"a name with a line and an escape", "x\n\x1b[2J", nil, "reader refused=0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl, err := b.dial(c.user, c.keys...)
			if err != nil {
				t.Fatal(err)
			}
			defer cl.Close()
			if out, _, _ := b.run(cl, "whoami"); out != c.want {
				t.Errorf("got %q, want %q", out, c.want)
			}
		})
	}
	if _, err := b.dial(strings.Repeat("u", 200_000)); err == nil {
		t.Error("a user name of 200 kB was let in")
	}
	for l := range strings.Lines(b.logs.String()) {
		if !strings.HasPrefix(l, "time=") || strings.ContainsRune(l, '\x1b') || strings.Contains(l, "ssh-ed25519") {
			t.Errorf("in the log: %q", l)
		}
	}
}

func TestGuestNeedsNoMethodAtAll(t *testing.T) {
	t.Parallel()
	b := startServer(t, Limits{})
	for user, want := range map[string]bool{"guest": true, "anonymous": true, "root": false, "": false} {
		c, err := gossh.Dial("tcp", b.addr, &gossh.ClientConfig{User: user, HostKeyCallback: gossh.InsecureIgnoreHostKey()})
		if (err == nil) != want {
			t.Errorf("%q: %v", user, err)
		}
		if err == nil {
			c.Close()
		}
	}
}

// publicHalf is a key of which the client has the public publicHalf only; other signs in
// its place when there is one.
type publicHalf struct {
	public gossh.PublicKey
	other  gossh.Signer
}

func (h publicHalf) PublicKey() gossh.PublicKey { return h.public }
func (h publicHalf) Sign(r io.Reader, data []byte) (*gossh.Signature, error) {
	if h.other == nil {
		return nil, errors.New("no private key")
	}
	return h.other.Sign(r, data)
}

func TestAKeyThatIsOfferedIsNotYetProven(t *testing.T) {
	t.Parallel()
	b := startServer(t, Limits{})
	ada := newKey(t)
	b.authorise(ada.PublicKey())
	c := b.client(publicHalf{public: ada.PublicKey()})
	if out, _, _ := b.run(c, "whoami"); out != "reader refused=0" {
		t.Errorf("the public half: %q", out)
	}
	if c, err := b.dial("reader", publicHalf{ada.PublicKey(), newKey(t)}); err == nil {
		t.Error("a foreign signature was taken")
		c.Close()
	}
}

// Offers the author's key without proving it, and then proves a foreign one.
func TestAnAuthorsKeyBeforeAnotherOnesSignature(t *testing.T) {
	t.Parallel()
	b := startServer(t, Limits{})
	ada, eve := newKey(t), newKey(t)
	b.authorise(ada.PublicKey())
	c := b.client(publicHalf{public: ada.PublicKey()}, eve)
	if out, _, _ := b.run(c, "whoami"); !strings.HasPrefix(out, "reader") {
		t.Errorf("got %q", out)
	}
}

// certified is a certificate of a key, signed by the key itself.
func certified(t *testing.T, key gossh.Signer) gossh.Signer {
	t.Helper()
	cert := &gossh.Certificate{Key: key.PublicKey(), CertType: gossh.UserCert, ValidPrincipals: []string{"reader"}, ValidBefore: gossh.CertTimeInfinity}
	if err := cert.SignCert(rand.Reader, key); err != nil {
		t.Fatal(err)
	}
	s, err := gossh.NewCertSigner(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestCertificatesAreNobodysKey(t *testing.T) {
	t.Parallel()
	b := startServer(t, Limits{})
	ada := newKey(t)
	b.authorise(ada.PublicKey())
	if out, _, _ := b.run(b.client(certified(t, ada)), "whoami"); out != "reader refused=1" {
		t.Errorf("got %q", out)
	}
}

func TestOnlyModernAlgorithms(t *testing.T) {
	t.Parallel()
	b := startServer(t, Limits{})
	for _, c := range []gossh.Config{
		{KeyExchanges: []string{gossh.KeyExchangeECDHP256}},
		{KeyExchanges: []string{gossh.InsecureKeyExchangeDH14SHA1}},
		{Ciphers: []string{gossh.CipherAES128CTR}, MACs: []string{gossh.HMACSHA1}},
		{Ciphers: []string{gossh.InsecureCipherAES128CBC}},
	} {
		cl, err := gossh.Dial("tcp", b.addr, &gossh.ClientConfig{Config: c, User: "guest", HostKeyCallback: gossh.InsecureIgnoreHostKey()})
		if err == nil {
			t.Errorf("%v was agreed on", c)
			cl.Close()
		}
	}
}

func TestAuthorsAreReadAgain(t *testing.T) {
	t.Parallel()
	b := startServer(t, Limits{})
	ada, eve := newKey(t), newKey(t)
	b.authorise(ada.PublicKey())
	old := b.client(ada)
	screen := b.terminal(old, 80, 24)
	b.authorise(eve.PublicKey(), newKey(t).PublicKey())
	if out, _, _ := b.run(b.client(eve), "whoami"); out != "author Ada 0 refused=0" {
		t.Errorf("the new key: %q", out)
	}
	if out, _, _ := b.run(b.client(ada), "whoami"); out != "reader refused=1" {
		t.Errorf("the old key: %q", out)
	}
	ended := make(chan struct{})
	go func() { old.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatal("a session of a removed key goes on")
	}
	if got := screen.out.String(); !strings.Contains(got, string(reasonKeyRemoved)) {
		t.Errorf("its visitor read %q", got)
	}
}
