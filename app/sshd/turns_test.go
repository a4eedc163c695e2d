package sshd

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestCommandsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns(2)
		network := netip.MustParsePrefix
		take := func(n string) (*turn, error) {
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errManyCommands)
			defer cancel()
			return turns.take(ctx, network(n))
		}
		var held []*turn
		for _, n := range []string{"192.0.2.1/32", "192.0.2.1/32", "192.0.2.2/32", "2001:db8:1:100::/64", "2001:db8:1:1ff::/64", "2001:db8:1:200::/64"} {
			one, err := take(n)
			if err != nil {
				t.Fatalf("%s: %v", n, err)
			}
			held = append(held, one)
		}
		for _, n := range []string{"192.0.2.1/32", "2001:db8:1:180::/64"} {
			if _, err := take(n); !errors.Is(err, errManyCommands) {
				t.Errorf("one more of %s: %v", n, err)
			}
		}
		// One that waits has its turn when another is done.
		got := make(chan error)
		go func() {
			one, err := take("192.0.2.1/32")
			if err == nil {
				one.done()
			}
			got <- err
		}()
		synctest.Wait()
		held[0].done()
		if err := <-got; err != nil {
			t.Errorf("after one is done: %v", err)
		}
		for _, one := range held[1:] {
			one.done()
		}
		if len(turns.runs) != 0 {
			t.Errorf("%d networks are kept in mind", len(turns.runs))
		}
	})
}

// A command whose client does not read gives its turn to others, and has it
// back before it goes on.
func TestACommandYieldsWhileItsClientDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns, network := newTurns(1), netip.MustParsePrefix("192.0.2.1/32")
		slow, err := turns.take(t.Context(), network)
		if err != nil {
			t.Fatal(err)
		}
		r, w := io.Pipe()
		var written atomic.Bool
		go func() {
			defer w.Close()
			out := turnWriter{w: w, ctx: t.Context(), srv: &Server{}, turn: slow}
			if _, err := io.WriteString(out, "all of it"); err != nil {
				t.Error(err)
			}
			written.Store(true)
			slow.done()
		}()
		other, err := turns.take(t.Context(), network) // hangs if it is not yielded
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			if b, err := io.ReadAll(r); string(b) != "all of it" || err != nil {
				t.Errorf("%q %v", b, err)
			}
		}()
		synctest.Wait()
		if written.Load() {
			t.Error("it goes on without a turn")
		}
		other.done()
		synctest.Wait()
		if !written.Load() {
			t.Error("it does not go on")
		}
		if len(turns.runs) != 0 {
			t.Errorf("%d networks are kept in mind", len(turns.runs))
		}
	})
}

// Many commands of one reader are all answered, one after the other; an author
// waits for nobody.
func TestCommandsOfOneNetworkAreAllAnswered(t *testing.T) {
	t.Parallel()
	d := startBlog(t, Limits{Commands: 1, Queue: patience})
	done := make(chan string)
	c := d.client()
	for range 4 {
		go func() {
			s, err := c.NewSession()
			if err != nil {
				done <- err.Error()
				return
			}
			out, _ := s.CombinedOutput("ls")
			done <- string(out)
		}()
	}
	for range 4 {
		if out := <-done; !strings.Contains(out, "arriving") {
			t.Errorf("%q", out)
		}
	}
}
