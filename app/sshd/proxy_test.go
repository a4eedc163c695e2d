package sshd

import (
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	gossh "golang.org/x/crypto/ssh"
)

// proxied logs in from an address of this machine, with a header in front.
func (b *testServer) proxied(ip, header string) (*gossh.Client, error) {
	nc, err := b.from(ip)
	if err != nil {
		b.Skipf("this machine has no %s: %v", ip, err)
	}
	b.Cleanup(func() { nc.Close() })
	fmt.Fprint(nc, header)
	c, chans, reqs, err := gossh.NewClientConn(nc, b.addr, &gossh.ClientConfig{User: "guest", HostKeyCallback: gossh.InsecureIgnoreHostKey()})
	if err != nil {
		return nil, err
	}
	return gossh.NewClient(c, chans, reqs), nil
}

func TestOnlyANamedProxyTellsWhoseAConnectionIs(t *testing.T) {
	t.Parallel()
	b := &testServer{T: t, keys: t.TempDir(), logs: &syncBuffer{}, proxies: prefixes("127.0.0.2/32")}
	b.start(Limits{PerIPv4: 2, PerIPv6: 1, Handshake: time.Second})
	const header4 = "PROXY TCP4 %s 192.0.2.1 4000 22\r\n"
	v4 := func(ip string) string { return fmt.Sprintf(header4, ip) }
	v2 := "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xcb\x00\x71\x09\xc0\x00\x02\x01\x0f\xa0\x00\x16" // 203.0.113.9
	where := func() (s []string) {
		for _, c := range b.srv.gate.all() {
			s = append(s, c.from.String())
		}
		return s
	}
	for _, c := range []struct {
		name, from, header string
		ok                 bool
		whose              string
	}{
		{"the proxy, for a reader", "127.0.0.2", v4("198.51.100.7"), true, "198.51.100.7/32"},
		{"the proxy, in the binary form", "127.0.0.2", v2, true, "203.0.113.9/32"},
		{"the proxy, for a reader with IPv6", "127.0.0.2", "PROXY TCP6 2001:db8::7 2001:db8::1 4000 22\r\n", true, "2001:db8::/64"},
		{"the proxy, for nobody", "127.0.0.2", "", false, ""},
		{"a stranger with a header", "127.0.0.3", v4("198.51.100.7"), true, "127.0.0.3/32"},
		{"a stranger without", "127.0.0.3", "", true, "127.0.0.3/32"},
	} {
		t.Run(c.name, func(t *testing.T) {
			eventually(t, "all others are gone", func() bool { return b.connections() == 0 })
			cl, err := b.proxied(c.from, c.header)
			if (err == nil) != c.ok {
				t.Fatalf("let in: %v (%v), want %v", err == nil, err, c.ok)
			}
			if err == nil {
				defer cl.Close()
				if got := strings.Join(where(), " "); got != c.whose {
					t.Errorf("counted for %s, want %s", got, c.whose)
				}
			}
		})
	}
	eventually(t, "all are gone", func() bool { return b.connections() == 0 })
	// Limits and penalties are the reader's, not the proxy's.
	for range 2 {
		if _, err := b.proxied("127.0.0.2", v4("198.51.100.7")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.proxied("127.0.0.2", v4("198.51.100.7")); err == nil {
		t.Error("a third of one reader was let in")
	}
	for range 20 {
		nc, err := b.from("127.0.0.2")
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(nc, v4("198.51.100.66"), "noise\r\n\r\n")
		closes(t, nc)
		nc.Close()
	}
	eventually(t, "the noise is kept away", func() bool { return b.srv.penalties.refuses(net4("198.51.100.66")) })
	if _, err := b.proxied("127.0.0.2", v4("198.51.100.8")); err != nil {
		t.Errorf("another reader: %v", err)
	}
}

func TestASilentProxyIsNotWaitedForForEver(t *testing.T) {
	t.Parallel()
	b := &testServer{T: t, keys: t.TempDir(), logs: &syncBuffer{}, proxies: prefixes("127.0.0.0/8")}
	b.start(Limits{Handshake: 300 * time.Millisecond})
	closes(t, b.tcp())
}

func TestOneAddressForEverybodyIsToldOnce(t *testing.T) {
	at := func(s string) *conn { return &conn{from: netip.MustParsePrefix(s)} }
	for name, c := range map[string]struct {
		from func(i int) string
		want int
	}{
		"a proxy's":      {func(int) string { return "172.17.0.1/32" }, 1},
		"this machine's": {func(int) string { return "127.0.0.1/32" }, 0},
		"a proxy's and the health check": {func(i int) string {
			return []string{"172.17.0.1/32", "127.0.0.1/32"}[i%2]
		}, 1},
		"two readers": {func(i int) string { return []string{"192.0.2.1/32", "192.0.2.2/32"}[i%2] }, 0},
		"one reader more": {func(i int) string {
			if i == soleNetworkCount-2 {
				return "192.0.2.1/32"
			}
			return "172.17.0.1/32"
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var logs syncBuffer
			g := newGate(DefaultLimits(), slog.New(slog.NewTextHandler(&logs, nil)))
			for i := range 3 * soleNetworkCount {
				c := at(c.from(i))
				if ok, _, _ := g.enter(c, false); ok {
					g.leave(c)
				}
			}
			if n := strings.Count(logs.String(), "--proxy-protocol"); n != c.want {
				t.Errorf("told %d times, want %d", n, c.want)
			}
		})
	}
}
