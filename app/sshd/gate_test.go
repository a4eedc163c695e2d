package sshd

import (
	"fmt"
	"log/slog"
	"net/netip"
	"testing"
	"time"
)

// queue is a gate, and the connections that come to it one after the other.
type queue struct {
	*testing.T
	*gate
	n int
}

func newQueue(t *testing.T, l Limits) *queue {
	return &queue{T: t, gate: newGate(l.withDefaults(DefaultLimits()), slog.New(slog.DiscardHandler))}
}

// come lets a connection of an address try to enter.
func (q *queue) come(addr string) (c *conn, ok bool, limit string, away *conn) {
	q.Helper()
	a := netip.MustParseAddr(addr)
	bits := 64
	if a.Is4() {
		bits = 32
	}
	q.n++
	c = &conn{from: netip.PrefixFrom(a, bits).Masked(), since: time.Unix(int64(q.n), 0)}
	ok, limit, away = q.enter(c, false)
	return c, ok, limit, away
}

func (q *queue) must(addr string) *conn {
	q.Helper()
	c, ok, limit, away := q.come(addr)
	if !ok || away != nil {
		q.Fatalf("%s: %v %s, away %v", addr, ok, limit, away)
	}
	return c
}

// How many connections somebody may have who has a large network.
func TestConnectionsOfLargeNetworks(t *testing.T) {
	for name, c := range map[string]struct {
		addr func(i int) string
		want int
	}{
		"an IPv4 address": {func(int) string { return "192.0.2.1" }, 4},
		"a /64":           {func(i int) string { return fmt.Sprintf("2001:db8:1:1::%x", i+1) }, 5},
		"a /56":           {func(i int) string { return fmt.Sprintf("2001:db8:1:1%02x::1", i) }, 10},
		"a /48":           {func(i int) string { return fmt.Sprintf("2001:db8:1:%x00::1", i) }, 20},
		"all /48s":        {func(i int) string { return fmt.Sprintf("2001:db8:%x::1", i) }, 100},
	} {
		q := newQueue(t, Limits{PerIPv4: 4, PerIPv6: 5, Unauthenticated: 1000})
		var in []*conn
		for i := range 100 {
			c, ok, limit, _ := q.come(c.addr(i))
			if ok {
				in = append(in, c)
			} else if limit != limitAddress {
				t.Errorf("%s: refused for %s", name, limit)
			}
		}
		if len(in) != c.want {
			t.Errorf("%d of %s, want %d", len(in), name, c.want)
		}
		q.must("2001:db8:ffff::1") // somebody else
		for _, c := range in {
			if excused := q.leave(c); excused {
				t.Errorf("%s: excused", name)
			}
			q.leave(c) // a second time
		}
		if q.must(c.addr(0)); len(q.conns) != 2 || q.unauthenticated() != 2 {
			t.Errorf("%s: %d are left in, %v", name, len(q.conns), q.count)
		}
	}
}

// Waiting takes nobody's place: the first to go are those who have not even
// exchanged keys, of the network that has the most waiting; in the end whoever
// has waited longest.
func TestWhoMakesRoom(t *testing.T) {
	q := newQueue(t, Limits{Unauthenticated: 6})
	asking := q.must("192.0.2.1") // somebody looks at a fingerprint
	q.exchanged(asking)
	q.authenticated(q.must("192.0.2.2"), false)
	alone := q.must("192.0.2.3")
	first, second := q.must("192.0.2.4"), q.must("192.0.2.4")
	later := q.must("192.0.2.5")
	last := q.must("192.0.2.6")
	for i, want := range []*conn{first, alone, second, later, last} {
		c, ok, limit, away := q.come("192.0.2.7")
		if !ok || away != want {
			t.Fatalf("%d: %v %q, %+v goes, want the one of %v", i, ok, limit, away, want.from)
		}
		if !q.leave(away) {
			t.Error("who is sent away is charged for it")
		}
		q.exchanged(c) // keeps this one from being the next
	}
	if _, _, _, away := q.come("192.0.2.8"); away == nil || away.from.Addr().String() != "192.0.2.7" {
		t.Errorf("of those who exchanged keys %+v goes, not one of the network with the most", away)
	}
	if len(q.conns) != 7 || q.unauthenticated() != 6 {
		t.Errorf("%d are in, %v", len(q.conns), q.count)
	}
}

// The last places are for authors who have proven that they are.
func TestPlacesOfAuthors(t *testing.T) {
	q := newQueue(t, Limits{Connections: 40, PerIPv4: 100})
	readers := 0
	for i := range 50 {
		c, ok, _, _ := q.come(fmt.Sprintf("192.0.2.%d", i))
		if ok && q.authenticated(c, false) {
			readers++
		}
	}
	if readers != 32 {
		t.Errorf("%d readers have a place of 40", readers)
	}
	authors := 0
	for range 20 {
		if c, ok, _, _ := q.come("198.51.100.1"); ok {
			if !q.authenticated(c, true) {
				t.Error("there is no place for an author")
			}
			authors++
		}
	}
	if authors != 8 {
		t.Errorf("%d authors are in", authors)
	}
	if _, ok, limit, _ := q.come("192.0.2.200"); ok || limit != limitConnections {
		t.Errorf("a full house: %v %q", ok, limit)
	}
	if len(q.conns) != 40 {
		t.Errorf("%d are in", len(q.conns))
	}
}

// A reader for whom there is no place is told, and goes.
func TestAReaderTooManyIsTold(t *testing.T) {
	t.Parallel()
	b := startServer(t, Limits{Connections: 4})
	ada := newKey(t)
	b.authorise(ada.PublicKey())
	for range 3 {
		b.run(b.client(), "whoami")
	}
	c := b.client()
	if out, errs, status := b.run(c, "whoami"); out != "" || status != 1 || errs != "sheaf: too many readers at the moment; try again a little later\n" {
		t.Errorf("%q %q %d", out, errs, status)
	}
	_ = c.Wait()
	for range 2 { // nobody has left
		c, err := b.dial("ada", ada)
		if err != nil {
			t.Fatal(err)
		}
		if out, _, _ := b.run(c, "whoami"); out == "" {
			t.Error("the author is not answered")
		}
		c.Close()
		eventually(t, "the author has left", func() bool { return b.connections() == 3 })
	}
}
