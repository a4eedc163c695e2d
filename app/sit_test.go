package app_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
	"github.com/rogpeppe/go-internal/testscript"
)

// A seat is somebody at a terminal: a client in a pseudo-terminal, with an
// emulator that shows what it would show.
type seat struct {
	cmd  *exec.Cmd
	tty  *os.File
	done chan error

	mu     sync.Mutex
	screen *vt.Emulator
}

func (s *seat) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.screen.Write(p)
}

func (s *seat) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	lines := strings.Split(s.screen.String(), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " \r")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
}

type seatsKey struct{}

func seatOf(ts *testscript.TestScript, name string) *seat {
	s := ts.Value(seatsKey{}).(map[string]*seat)[name]
	if s == nil {
		ts.Fatalf("nobody named %s sits at a terminal", name)
	}
	return s
}

func sitCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: sit NAME COLSxROWS CMD...")
	}
	var cols, rows int
	if _, err := fmt.Sscanf(args[1], "%dx%d", &cols, &rows); err != nil {
		ts.Fatalf("sit: size %q", args[1])
	}
	s := &seat{cmd: exec.Command(args[2], args[3:]...), done: make(chan error, 1), screen: vt.NewEmulator(cols, rows)}
	s.cmd.Dir = ts.MkAbs(".")
	s.cmd.Env = append(os.Environ(), "TERM=xterm-256color", "HOME="+ts.MkAbs("."))
	tty, err := pty.StartWithSize(s.cmd, &pty.Winsize{Cols: uint16(cols), Rows: uint16(rows)})
	ts.Check(err)
	s.tty = tty
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = io.Copy(tty, s.screen) }) // the terminal's answers
	wg.Go(func() {
		_, _ = io.Copy(s, tty)
		s.done <- s.cmd.Wait()
	})
	ts.Value(seatsKey{}).(map[string]*seat)[args[0]] = s
	ts.Defer(func() {
		_ = s.cmd.Process.Kill()
		_ = s.screen.InputPipe().(io.Closer).Close()
		_ = tty.Close()
		wg.Wait()
	})
}

func pressCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: press NAME KEYS")
	}
	keys, err := strconv.Unquote(`"` + strings.ReplaceAll(args[1], `"`, `\"`) + `"`)
	ts.Check(err)
	_, err = io.WriteString(seatOf(ts, args[0]).tty, keys)
	ts.Check(err)
}

func seeCommand(ts *testscript.TestScript, neg bool, args []string) {
	limit := 10 * time.Second
	if len(args) > 1 && args[0] == "-in" {
		d, err := time.ParseDuration(args[1])
		ts.Check(err)
		limit, args = d, args[2:]
	}
	if len(args) < 2 {
		ts.Fatalf("usage: see [-in TIME] NAME TEXT...")
	}
	s := seatOf(ts, args[0])
	for deadline := time.Now().Add(limit); ; time.Sleep(5 * time.Millisecond) {
		screen, wrong := s.text(), ""
		for _, w := range args[1:] {
			if strings.Contains(screen, w) == neg {
				wrong = w
			}
		}
		switch {
		case wrong == "":
			return
		case time.Now().After(deadline) && neg:
			ts.Fatalf("%q is still on the screen of %s:\n%s", wrong, args[0], screen)
		case time.Now().After(deadline):
			ts.Fatalf("no %q on the screen of %s:\n%s", wrong, args[0], screen)
		}
	}
}

func leaveCommand(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: leave NAME")
	}
	select {
	case err := <-seatOf(ts, args[0]).done:
		if (err != nil) != neg {
			ts.Fatalf("leave: %v", err)
		}
	case <-time.After(10 * time.Second):
		ts.Fatalf("leave: the session of %s has not ended:\n%s", args[0], seatOf(ts, args[0]).text())
	}
}

func severCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: sever NAME")
	}
	s := seatOf(ts, args[0])
	ts.Check(s.cmd.Process.Kill())
	<-s.done
}

func crashCommand(ts *testscript.TestScript, neg bool, args []string) {
	s := ts.Value(serverKey{}).(*server)
	if neg || s.cmd == nil {
		ts.Fatalf("usage: crash, while a server runs")
	}
	ts.Check(s.cmd.Process.Kill())
	<-s.done
	s.cmd = nil
	s.proxy.Close()
}
