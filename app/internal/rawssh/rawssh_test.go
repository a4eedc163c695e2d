package rawssh_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"sheaf/app/internal/rawssh"
)

// serve is the server of x/crypto, which lets in whoever is called guest or has
// the key, echoes what a channel brings and says no more.
func serve(t *testing.T, author ssh.PublicKey, rekeyAfter uint64) string {
	t.Helper()
	config := &ssh.ServerConfig{
		Config:       ssh.Config{RekeyThreshold: rekeyAfter},
		NoClientAuth: true,
		NoClientAuthCallback: func(m ssh.ConnMetadata) (*ssh.Permissions, error) {
			if m.User() != "guest" {
				return nil, errors.New("not without a key")
			}
			return nil, nil
		},
		PublicKeyCallback: func(_ ssh.ConnMetadata, k ssh.PublicKey) (*ssh.Permissions, error) {
			if !bytes.Equal(k.Marshal(), author.Marshal()) {
				return nil, errors.New("not this key")
			}
			return nil, nil
		},
	}
	config.AddHostKey(newSigner(t))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer nc.Close()
				_, chans, reqs, err := ssh.NewServerConn(nc, config)
				if err != nil {
					return
				}
				go ssh.DiscardRequests(reqs)
				for open := range chans {
					ch, reqs, err := open.Accept()
					if err != nil {
						return
					}
					go func() {
						for r := range reqs {
							r.Reply(r.Type == "exec", nil)
						}
					}()
					go io.Copy(ch, ch)
				}
			}()
		}
	}()
	return l.Addr().String()
}

func newSigner(t *testing.T) ssh.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// echoed receives until a channel has brought so many bytes.
func echoed(t *testing.T, c *rawssh.Conn, n int) string {
	t.Helper()
	var all []byte
	for len(all) < n {
		p, err := c.Receive()
		if err != nil {
			t.Fatal(err)
		}
		if p[0] == rawssh.MsgChannelData {
			all = append(all, p[9:]...)
		}
	}
	return string(all)
}

func TestWhoIsLetIn(t *testing.T) {
	author, stranger := newSigner(t), newSigner(t)
	addr := serve(t, author.PublicKey(), 0)
	for name, c := range map[string]struct {
		rawssh.Config
		ok bool
	}{
		"guest":    {rawssh.Config{User: "guest"}, true},
		"nobody":   {rawssh.Config{User: "nobody"}, false},
		"author":   {rawssh.Config{User: "ada", Signer: author}, true},
		"stranger": {rawssh.Config{User: "ada", Signer: stranger}, false},
		"from":     {rawssh.Config{User: "guest", Local: "127.0.0.7"}, true},
	} {
		conn, err := rawssh.Dial(addr, c.Config)
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil {
			continue
		}
		ch, err := conn.Session(1 << 20)
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.Start(ch, "subsystem", "none"); err == nil {
			t.Errorf("%s: a subsystem that is not there", name)
		}
		if err := conn.Start(ch, "exec", "echo"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		// Packets of every length, so that every padding comes.
		want := ""
		for n := range 40 {
			piece := strings.Repeat("x", n)
			want += piece
			if err := conn.Send(rawssh.Data(ch, []byte(piece))); err != nil {
				t.Fatal(err)
			}
		}
		if got := echoed(t, conn, len(want)); got != want {
			t.Errorf("%s: %q came back", name, got)
		}
		conn.Close()
	}
}

// Both sides ask for new keys, again and again, while data is on its way.
func TestNewKeys(t *testing.T) {
	addr := serve(t, newSigner(t).PublicKey(), 64<<10)
	c, err := rawssh.Dial(addr, rawssh.Config{User: "guest"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ch, err := c.Session(1 << 30)
	if err != nil {
		t.Fatal(err)
	}
	const pieces, size = 200, 8 << 10
	done := make(chan error, 1)
	go func() {
		for i := range pieces {
			if err := c.Send(rawssh.Data(ch, bytes.Repeat([]byte{'a' + byte(i%26)}, size))); err != nil {
				done <- err
				return
			}
			if i%20 == 0 {
				if err := c.Rekey(); err != nil {
					done <- err
					return
				}
			}
		}
		done <- nil
	}()
	got := echoed(t, c, pieces*size)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	for i := range pieces {
		if p := got[i*size : (i+1)*size]; p != strings.Repeat(string('a'+byte(i%26)), size) {
			t.Fatalf("piece %d is %.20q", i, p)
		}
	}
}

// What no client sends arrives, and what the server thinks of it is told.
func TestWhatNoClientSends(t *testing.T) {
	addr := serve(t, newSigner(t).PublicKey(), 0)
	c, err := rawssh.Dial(addr, rawssh.Config{User: "guest"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ch, err := c.Session(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Send(
		rawssh.Message(rawssh.MsgIgnore, struct{ Data string }{"x"}),
		rawssh.WindowAdjust(ch, 0),
		rawssh.Data(ch, nil),
		rawssh.ExtendedData(ch, rawssh.StderrData, []byte("x")),
		rawssh.Message(rawssh.MsgChannelSuccess, struct{ Channel uint32 }{ch}),
		[]byte{rawssh.MsgRequestSuccess},
		rawssh.Data(ch, []byte("still there")),
	); err != nil {
		t.Fatal(err)
	}
	if got := echoed(t, c, 11); got != "still there" {
		t.Errorf("%q came back", got)
	}
	if err := c.Send(rawssh.Data(ch+99, []byte("x"))); err != nil {
		t.Fatal(err)
	}
	if p, err := c.Receive(); err == nil {
		t.Errorf("message %d after data for no channel", p[0])
	}
	if err := c.Send(rawssh.Data(ch, nil)); err == nil {
		t.Error("a connection that has ended takes more")
	}
}

// A server that refuses says why, in a line before its version.
func TestARefusalIsTold(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		if nc, err := l.Accept(); err == nil {
			io.WriteString(nc, "too many of you\r\n")
			nc.Close()
		}
	}()
	if _, err := rawssh.Dial(l.Addr().String(), rawssh.Config{User: "guest"}); err == nil || !strings.Contains(err.Error(), "too many of you") {
		t.Errorf("%v", err)
	}
}
