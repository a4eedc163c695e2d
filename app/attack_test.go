package app_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"sheaf/app/internal/rawssh"
)

// dropTime is how long a flood may go on before its connection is dropped.
const dropTime = 5 * time.Second

// One byte in a packet counts as one against the window of a channel, whatever
// it costs to keep.
func TestAttackOneByteInAPacket(t *testing.T) {
	one := []byte("x")
	for _, c := range []struct {
		name           string
		kind, argument string
		window         uint32
		connections    int
		packet         func(ch uint32) []byte
	}{
		{"data to nobody", "", "", 1 << 20, 2, func(ch uint32) []byte { return rawssh.Data(ch, one) }},
		{"data to a command that waits", "exec", "feed", 0, 2, func(ch uint32) []byte { return rawssh.Data(ch, one) }},
		{"stderr to a browser", "shell", "", 1 << 20, 2, func(ch uint32) []byte { return rawssh.ExtendedData(ch, rawssh.StderrData, one) }},
		{"data from all places of an address", "shell", "", 1 << 20, 16, func(ch uint32) []byte { return rawssh.Data(ch, one) }},
		{"stderr from all places of an address", "exec", "feed", 0, 16, func(ch uint32) []byte { return rawssh.ExtendedData(ch, rawssh.StderrData, one) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := attack(t, notebook)
			var conns []*rawssh.Conn
			var channels [][]uint32
			for range c.connections {
				conn := a.raw("127.0.0.5")
				var open []uint32
				for range 4 {
					open = append(open, a.started(conn, c.window, c.kind, c.argument))
				}
				conns, channels = append(conns, conn), append(channels, open)
			}
			var others []time.Duration
			used := a.during(func() {
				var wg sync.WaitGroup
				for i, conn := range conns {
					var packets [][]byte
					for _, ch := range channels[i] {
						packets = append(packets, again(256, c.packet(ch))...)
					}
					wg.Go(func() {
						sent, took, dropped := flood(conn, 2*dropTime, packets...)
						if i == 0 {
							t.Logf("%d packets in %v", sent, took.Round(time.Millisecond))
						}
						if !dropped || took > dropTime {
							t.Errorf("connection %d: dropped %v, after %v and %d packets", i, dropped, took, sent)
						}
					})
				}
				wg.Go(func() { others = a.reads(time.Second) })
				wg.Wait()
			})
			a.atMost("one address", used.grown(), 16<<20)
			a.othersRead(others)
		})
	}
}

// Packets that nobody has asked for and that bring nothing, a kind on each
// connection.
func TestAttackFloodsOfNothing(t *testing.T) {
	a := attack(t, notebook)
	fields := func(number byte, channel uint32) []byte {
		return rawssh.Message(number, struct{ Channel uint32 }{channel})
	}
	var others []time.Duration
	kinds := []struct {
		name    string
		packets func(ch uint32) [][]byte
	}{
		{"ignore", func(uint32) [][]byte { return again(512, rawssh.Message(rawssh.MsgIgnore, struct{ Data string }{})) }},
		{"large ignore", func(uint32) [][]byte {
			return again(4, rawssh.Message(rawssh.MsgIgnore, struct{ Data []byte }{make([]byte, 200<<10)}))
		}},
		{"window adjust", func(ch uint32) [][]byte { return again(512, rawssh.WindowAdjust(ch, 0)) }},
		{"empty data", func(ch uint32) [][]byte { return again(512, rawssh.Data(ch, nil)) }},
		{"empty stderr", func(ch uint32) [][]byte { return again(512, rawssh.ExtendedData(ch, rawssh.StderrData, nil)) }},
		{"stderr of no kind", func(ch uint32) [][]byte { return again(512, rawssh.ExtendedData(ch, 7, []byte("x"))) }},
		{"success", func(ch uint32) [][]byte { return again(512, fields(rawssh.MsgChannelSuccess, ch)) }},
		{"global success", func(uint32) [][]byte { return again(512, []byte{rawssh.MsgRequestSuccess}) }},
		{"ping", func(uint32) [][]byte { return again(512, rawssh.Message(rawssh.MsgPing, struct{ Data string }{"x"})) }},
		{"large ping", func(uint32) [][]byte {
			return again(8, rawssh.Message(rawssh.MsgPing, struct{ Data []byte }{make([]byte, 30<<10)}))
		}},
		{"requests", func(ch uint32) [][]byte { return again(256, rawssh.Request(ch, "nothing", true, nil)) }},
		{"large requests", func(ch uint32) [][]byte { return again(4, rawssh.Request(ch, "nothing", false, make([]byte, 200<<10))) }},
		{"global requests", func(uint32) [][]byte {
			return again(256, rawssh.Message(rawssh.MsgGlobalRequest, struct {
				Kind string
				Want bool
			}{"nothing", true}))
		}},
		{"end of data", func(ch uint32) [][]byte { return again(512, fields(rawssh.MsgChannelEOF, ch)) }},
		{"channels of no kind", func(uint32) [][]byte {
			return again(256, rawssh.Message(90, struct {
				Kind                     string
				Channel, Window, Largest uint32
			}{"nothing", 9, 1 << 20, 32 << 10}))
		}},
	}
	used := a.during(func() {
		var wg sync.WaitGroup
		for _, c := range kinds {
			conn := a.raw("127.0.0.5")
			ch := a.started(conn, 1<<20, "shell", "")
			wg.Go(func() {
				sent, took, dropped := flood(conn, 2*dropTime, c.packets(ch)...)
				t.Logf("%s: %d packets in %v", c.name, sent, took.Round(time.Millisecond))
				if !dropped || took > dropTime {
					t.Errorf("%s: dropped %v, after %v", c.name, dropped, took)
				}
			})
		}
		wg.Go(func() { others = a.reads(2 * time.Second) })
		wg.Wait()
	})
	a.atMost("one address", used.grown(), 16<<20)
	a.othersRead(others)
}

// New keys cost the server much more than they cost to ask for.
func TestAttackNewKeysAllTheTime(t *testing.T) {
	a := attack(t, notebook)
	conn := a.raw("127.0.0.5")
	a.started(conn, 1<<20, "shell", "")
	var others []time.Duration
	used := a.during(func() {
		var wg sync.WaitGroup
		wg.Go(func() {
			for {
				if _, err := conn.Receive(); err != nil {
					return
				}
			}
		})
		wg.Go(func() {
			timer := time.AfterFunc(2*dropTime, func() { conn.Close() })
			defer timer.Stop()
			began, n := time.Now(), 0
			for conn.Rekey() == nil {
				n++
			}
			took := time.Since(began)
			t.Logf("%d times new keys in %v, %.0f a second", n, took.Round(time.Millisecond), float64(n)/took.Seconds())
			if took > dropTime {
				t.Errorf("dropped after %v", took)
			}
		})
		wg.Go(func() { others = a.reads(time.Second) })
		wg.Wait()
	})
	a.atMost("one connection", used.grown(), 16<<20)
	a.othersRead(others)
}

// Who sends much in an honest way is not taken for a flood: a window that is
// dragged, keys that repeat, a paste, keep-alives, keys made anew now and then,
// and a file for a command that does not want it.
func TestAttackHonestClientsAreLetBe(t *testing.T) {
	a := attack(t, notebook)
	conn := a.raw("127.0.0.5")
	ch := a.started(conn, 1<<30, "shell", "")
	failed := make(chan error, 1)
	go func() {
		for {
			if _, err := conn.Receive(); err != nil {
				failed <- err
				return
			}
		}
	}()
	send := func(packets ...[]byte) {
		t.Helper()
		if err := conn.Send(packets...); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 150 { // 3 s
		send(rawssh.Data(ch, []byte("j")),
			rawssh.Message(rawssh.MsgPing, struct{ Data string }{"PING!"}), // what hides the time between keys
			rawssh.Request(ch, "window-change", false, ssh.Marshal(windowChange{Cols: uint32(60 + i), Rows: 24})),
			rawssh.Data(ch, fmt.Appendf(nil, "\x1b[<35;%d;%dM", i, i)), // the mouse
			rawssh.WindowAdjust(ch, 1024))
		if i%50 == 0 {
			send(rawssh.Message(rawssh.MsgGlobalRequest, struct {
				Kind string
				Want bool
			}{"keepalive@openssh.com", true}))
			if err := conn.Rekey(); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	paste := make([]byte, 200<<10)
	for i := range paste {
		paste[i] = 'a'
	}
	send(rawssh.Data(ch, []byte("\x1b[200~")))
	for len(paste) > 0 {
		n := min(len(paste), 32<<10)
		send(rawssh.Data(ch, paste[:n]))
		paste = paste[n:]
	}
	send(rawssh.Data(ch, []byte("\x1b[201~")))
	for range 20 {
		send(rawssh.Data(ch, []byte("k")))
		time.Sleep(100 * time.Millisecond)
	}
	select {
	case err := <-failed:
		t.Errorf("dropped: %v", err)
	default:
	}

	c := a.mustLogin("127.0.0.6")
	if out := a.says(c, "ls", string(make([]byte, 8<<20))); len(out) < 20 {
		t.Errorf("who sends a file reads %q", out)
	}
	if out := a.says(c, "ls", ""); len(out) < 20 {
		t.Errorf("afterwards: %q", out)
	}
}

// The client that sends anything is a client like others.
func TestAttackClientIsOne(t *testing.T) {
	a := attack(t, notebook)
	for who, c := range map[string]rawssh.Config{"reader": {User: "guest"}, "author": {User: "ada", Signer: a.signer}} {
		conn, err := rawssh.Dial(a.addr, c)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		for range 3 {
			// The log is the authors'.
			if said, err := output(conn, "log"); err != nil || strings.Contains(said, "arriving") != (who == "author") {
				t.Errorf("%s: %q %v", who, said, err)
			}
		}
	}
}
