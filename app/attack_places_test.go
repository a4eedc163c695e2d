package app_test

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"sheaf/app/internal/rawssh"
)

// through connects as a proxy does that says whose the connection is.
func (a *attacked) through(source string, c rawssh.Config) (*rawssh.Conn, error) {
	nc, err := a.silent(source)
	if err != nil {
		return nil, err
	}
	conn, err := rawssh.New(nc, c)
	if err != nil {
		nc.Close()
	}
	return conn, err
}

// silent connects the same way and says nothing more.
func (a *attacked) silent(source string) (net.Conn, error) {
	nc, err := net.DialTimeout("tcp", a.addr, 10*time.Second)
	if err != nil {
		return nil, err
	}
	a.Cleanup(func() { nc.Close() })
	family, to := "TCP4", "192.0.2.1"
	if strings.Contains(source, ":") {
		family, to = "TCP6", "2001:db8:ffff::1"
	}
	_, err = fmt.Fprintf(nc, "PROXY %s %s %s 50000 22\r\n", family, source, to)
	return nc, err
}

// Connections that are let in and then ask for nothing.
func TestAttackConnectionsWithoutASession(t *testing.T) {
	if effort(0, 0, 1) == 0 {
		t.Skip("takes half a minute")
	}
	t.Parallel()
	a := attack(t, notebook)
	for _, kind := range []string{"nothing", "keep-alives", "one session that is over", "one session that is over and not closed"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			c, err := rawssh.Dial(a.addr, rawssh.Config{User: "guest"})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			switch kind {
			case "one session that is over":
				_, err = output(c, "ls")
			case "one session that is over and not closed":
				var ch uint32
				if ch, err = c.Session(1 << 20); err == nil {
					err = c.Send(rawssh.Request(ch, "exec", false, ssh.Marshal(struct{ Command string }{"ls"})))
				}
			}
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			timer := time.AfterFunc(40*time.Second, func() { c.Close() })
			defer timer.Stop()
			if kind == "keep-alives" {
				tick := time.NewTicker(time.Second)
				defer tick.Stop()
				go func() {
					for range tick.C {
						if c.Send(rawssh.Message(rawssh.MsgGlobalRequest, struct {
							Kind string
							Want bool
						}{"keepalive@openssh.com", true})) != nil {
							return
						}
					}
				}()
			}
			for {
				if _, err := c.Receive(); err != nil {
					break
				}
			}
			if took := time.Since(began); took < 25*time.Second || took > 35*time.Second {
				t.Errorf("it has ended after %v", took)
			}
		})
	}
}

// Somebody who has a large network of the new kind, and each connection comes
// from another part of it.
func TestAttackFromALargeNetwork(t *testing.T) {
	a := attack(t, notebook, proxied)
	guest := rawssh.Config{User: "guest"}
	enter := func(n int, source func(i int) string) (in int) {
		for i := range n {
			if _, err := a.through(source(i), guest); err == nil {
				in++
			}
		}
		return in
	}
	if n := enter(40, func(int) string { return "2001:db8:1:1::1" }); n == 0 || n > 16 {
		t.Errorf("%d connections of a /64", n)
	}
	if n := enter(120, func(i int) string { return fmt.Sprintf("2001:db8:2:%x::1", i) }); n == 0 || n > 32 {
		t.Errorf("%d connections of a /56", n)
	}
	if n := enter(200, func(i int) string { return fmt.Sprintf("2001:db8:3:%x::1", i<<8) }); n == 0 || n > 64 {
		t.Errorf("%d connections of a /48", n)
	}
	if n := enter(4, func(i int) string { return fmt.Sprintf("2001:db8:%x::1", 4+i) }); n != 4 {
		t.Errorf("%d of 4 others are let in", n)
	}
}

// Readers of many addresses take all places; those of the authors stay.
func TestAttackAllPlaces(t *testing.T) {
	a := attack(t, notebook, proxied, "--max-connections", "40")
	readers := 0
	for i := range 60 {
		c, err := a.through(fmt.Sprintf("198.51.100.%d", i), rawssh.Config{User: "guest"})
		if err != nil {
			continue
		}
		if said, err := output(c, "ls"); err == nil && said != "" {
			readers++
			a.started(c, 1<<20, "shell", "") // and stays
		}
	}
	if readers < 16 || readers > 32 {
		t.Errorf("%d readers are in, of 40 places", readers)
	}
	for i := range 60 { // and some who never say who they are
		if nc, err := a.silent(fmt.Sprintf("203.0.113.%d", i)); err == nil {
			fmt.Fprint(nc, "SSH-2.0-x\r\n")
			_, _ = nc.Read(make([]byte, 8)) // what the server begins with
		}
	}
	for range 3 {
		c, err := a.through("192.0.2.99", rawssh.Config{User: "ada", Signer: a.signer})
		if err != nil {
			t.Fatalf("the author is not let in: %v", err)
		}
		if said, err := output(c, "log"); err != nil || said == "" {
			t.Errorf("%q %v", said, err)
		}
	}
}
