package sshd

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	gossh "golang.org/x/crypto/ssh"
)

// fakeClock is a time that passes when it is told to.
type fakeClock struct{ time.Time }

func (c *fakeClock) now() time.Time       { return c.Time }
func (c *fakeClock) pass(d time.Duration) { c.Time = c.Add(d) }
func net4(s string) netip.Prefix          { return netip.MustParsePrefix(s + "/32") }
func newClock() *fakeClock                { return &fakeClock{time.Unix(1_700_000_000, 0)} }
func prefixes(s string) []netip.Prefix    { return []netip.Prefix{netip.MustParsePrefix(s)} }

func TestPenaltiesAddUpAndPass(t *testing.T) {
	c := newClock()
	p := newPenalties(prefixes("192.0.2.0/24"), c.now)
	eve, other := net4("198.51.100.7"), net4("198.51.100.8")
	for i := range 14 {
		if p.charge(eve, penaltyNoAuth); p.refuses(eve) {
			t.Fatalf("refused after %d seconds", i+1)
		}
	}
	if !p.charge(eve, penaltyNoAuth) || !p.refuses(eve) {
		t.Fatal("not refused after 15 s")
	}
	if p.charge(eve, penaltyNoAuth) {
		t.Error("refused anew")
	}
	if p.refuses(other) {
		t.Error("a neighbour is refused")
	}
	c.pass(15 * time.Second)
	if !p.refuses(eve) {
		t.Error("let in before all has passed")
	}
	c.pass(time.Second)
	if p.refuses(eve) {
		t.Error("refused for ever")
	}
	for range 1000 { // one a second passes as fast as it is charged
		p.charge(eve, penaltyNoAuth)
		c.pass(time.Second)
	}
	if p.refuses(eve) {
		t.Error("refused for a failure a second")
	}
	for range 100 {
		p.charge(eve, penaltyAbuse)
	}
	c.pass(penaltyMax - time.Second)
	if !p.refuses(eve) || p.refused() != 1 {
		t.Error("let in too early")
	}
	c.pass(time.Second)
	if p.refuses(eve) || p.refused() != 0 {
		t.Error("refused for longer than the most")
	}
	if p.charge(net4("192.0.2.1"), penaltyAbuse) || p.refuses(net4("192.0.2.1")) {
		t.Error("an exempt network is refused")
	}
	if p.charge(netip.Prefix{}, penaltyAbuse) {
		t.Error("nobody is refused")
	}
}

func TestPenaltiesAreBounded(t *testing.T) {
	c := newClock()
	p := newPenalties(nil, c.now)
	at := func(i int) netip.Prefix {
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 32)
	}
	for i := range 3 * maxPenalised {
		p.charge(at(i), penaltyAbuse)
		if !p.refuses(at(i)) {
			t.Fatal("the last one is let in")
		}
	}
	if n := len(p.byNetwork); n > maxPenalised {
		t.Errorf("%d are kept in mind", n)
	}
	c.pass(penaltyAbuse)
	p.charge(at(1<<23), penaltyNoAuth)
	if n := len(p.byNetwork); n > maxPenalised-32 {
		t.Errorf("%d are kept in mind, all of which owe nothing", n)
	}
}

// from dials as another address of this machine.
func (b *testServer) from(ip string) (net.Conn, error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}, Timeout: 5 * time.Second}
	return d.Dial("tcp", b.addr)
}

// visits logs in as a reader from another address of this machine.
func (b *testServer) visits(ip string) (*gossh.Client, error) {
	nc, err := b.from(ip)
	if err != nil {
		b.Skipf("this machine has no %s: %v", ip, err)
	}
	b.Cleanup(func() { nc.Close() })
	c, chans, reqs, err := gossh.NewClientConn(nc, b.addr, &gossh.ClientConfig{User: "reader",
		Auth: []gossh.AuthMethod{gossh.PublicKeys(newKey(b), newKey(b)), noQuestions()}, HostKeyCallback: gossh.InsecureIgnoreHostKey()})
	if err != nil {
		return nil, err
	}
	return gossh.NewClient(c, chans, reqs), nil
}

func TestWhoFailsAgainAndAgainIsKeptAway(t *testing.T) {
	t.Parallel()
	b := &testServer{T: t, keys: t.TempDir(), logs: &syncBuffer{}, exempt: prefixes("127.0.0.3/32")}
	b.start(Limits{})
	for range 40 { // refused keys and clean visits cost nothing
		c, err := b.visits("127.0.0.2")
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
	}
	noise := func(ip string) {
		for range 20 {
			nc, err := b.from(ip)
			if err != nil {
				t.Skipf("this machine has no %s: %v", ip, err)
			}
			fmt.Fprint(nc, "GET / HTTP/1.0\r\n\r\n")
			_ = nc.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, nc)
			nc.Close()
		}
	}
	noise("127.0.0.2")
	eventually(t, "it is kept away", func() bool { return b.srv.penalties.refused() == 1 })
	if _, err := b.visits("127.0.0.2"); err == nil {
		t.Error("let in")
	}
	noise("127.0.0.3")
	for _, ip := range []string{"127.0.0.1", "127.0.0.3"} {
		if _, err := b.visits(ip); err != nil {
			t.Errorf("%s: %v", ip, err)
		}
	}
	if n := b.srv.Stats().Refused["penalty"]; n == 0 {
		t.Error("nobody is counted as refused")
	}
}

// A flood of requests is an abuse.
func TestWhoIsDroppedIsKeptAway(t *testing.T) {
	t.Parallel()
	b := &testServer{T: t, keys: t.TempDir(), logs: &syncBuffer{}}
	b.start(Limits{})
	c := b.client()
	for range 2000 {
		if _, _, err := c.SendRequest("x", false, nil); err != nil {
			break
		}
	}
	eventually(t, "the connection is gone", func() bool { return b.connections() == 0 })
	if _, err := b.dial("guest"); err == nil {
		t.Error("let in again at once")
	}
}
