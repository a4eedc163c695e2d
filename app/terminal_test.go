package app_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
	"github.com/rogpeppe/go-internal/testscript"
)

// ptyClient is a client program in a pseudo-terminal, with an emulator that
// shows what a terminal would show.
type ptyClient struct {
	cmd  *exec.Cmd
	tty  *os.File
	done chan error

	mu     sync.Mutex
	screen *vt.Emulator
}

func (c *ptyClient) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.screen.Write(p)
}

func (c *ptyClient) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return screenText(c.screen)
}

// screenText is what can be read on a screen, without trailing blanks.
func screenText(screen *vt.Emulator) string {
	lines := strings.Split(screen.String(), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " \r")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
}

// keyNames are the keys that keystrokes knows by name, as xterm sends them.
var keyNames = map[string]string{
	"enter": "\r", "tab": "\t", "esc": "\x1b", "backspace": "\x7f", "space": " ", "lt": "<",
	"up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D", "end": "\x1b[F", "home": "\x1b[H",
	"insert": "\x1b[2~", "delete": "\x1b[3~", "pgup": "\x1b[5~", "pgdown": "\x1b[6~",
	"shift+tab": "\x1b[Z",
}

// keystrokes turns text with keys in it, such as "/hello<enter>" or
// "<ctrl+right>", into the bytes that a terminal sends for them. A key is a
// name of keyNames or a letter, with ctrl+, alt+ or shift+ before it; "<lt>" is
// the character "<" itself.
func keystrokes(text string) (string, error) {
	var out strings.Builder
	for {
		before, rest, is := strings.Cut(text, "<")
		out.WriteString(before)
		if !is {
			return out.String(), nil
		}
		name, after, closed := strings.Cut(rest, ">")
		if !closed {
			return "", fmt.Errorf("no > after <%s; the character itself is <lt>", rest)
		}
		key, err := keystroke(name)
		if err != nil {
			return "", err
		}
		out.WriteString(key)
		text = after
	}
}

// keystroke is what a terminal sends for one key.
func keystroke(name string) (string, error) {
	if bytes, ok := keyNames[name]; ok {
		return bytes, nil
	}
	modifiers, key := map[string]bool{}, name
	for {
		modifier, rest, is := strings.Cut(key, "+")
		if !is {
			break
		}
		modifiers[modifier], key = true, rest
	}
	parameter := 1
	for i, modifier := range []string{"shift", "alt", "ctrl"} {
		if modifiers[modifier] {
			parameter += 1 << i
			delete(modifiers, modifier)
		}
	}
	if len(modifiers) > 0 {
		return "", fmt.Errorf("<%s>: no such key", name)
	}
	const ctrl, alt = 5, 3
	bytes, named := keyNames[key]
	switch {
	case named && strings.HasPrefix(bytes, "\x1b[") && strings.HasSuffix(bytes, "~"):
		return fmt.Sprintf("%s;%d~", strings.TrimSuffix(bytes, "~"), parameter), nil
	case named && strings.HasPrefix(bytes, "\x1b["):
		return fmt.Sprintf("\x1b[1;%d%s", parameter, bytes[2:]), nil
	case len(key) == 1 && key >= "a" && key <= "z" && parameter == ctrl:
		return string(key[0] - 'a' + 1), nil
	case len(key) == 1 && parameter == alt:
		return "\x1b" + key, nil
	}
	return "", fmt.Errorf("<%s>: no such key", name)
}

func TestKeystrokes(t *testing.T) {
	for text, want := range map[string]string{
		"":                      "",
		"two words":             "two words",
		"/hello<enter>e":        "/hello\re",
		"<ctrl+end><backspace>": "\x1b[1;5F\x7f",
		"<ctrl+s><ctrl+a>":      "\x13\x01",
		"<alt+b>":               "\x1bb",
		"<ctrl+shift+left>":     "\x1b[1;6D",
		"<ctrl+delete>":         "\x1b[3;5~",
		"a<lt>b>c":              "a<b>c",
		"日本<up>":                "日本\x1b[A",
		"<ctrl+1>":              "error",
		"<meta+a>":              "error",
		"<nothing>":             "error",
		"<enter":                "error",
	} {
		got, err := keystrokes(text)
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("%s: %q, want %q (%v)", text, got, want, err)
		}
	}
}

type clientsKey struct{}

func clientOf(ts *testscript.TestScript, name string) *ptyClient {
	c := ts.Value(clientsKey{}).(map[string]*ptyClient)[name]
	if c == nil {
		ts.Fatalf("no terminal is named %s", name)
	}
	return c
}

func termCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: term NAME COLSxROWS CMD...")
	}
	var cols, rows int
	if _, err := fmt.Sscanf(args[1], "%dx%d", &cols, &rows); err != nil {
		ts.Fatalf("term: size %q", args[1])
	}
	c := &ptyClient{cmd: exec.Command(args[2], args[3:]...), done: make(chan error, 1), screen: vt.NewEmulator(cols, rows)}
	c.cmd.Dir = ts.MkAbs(".")
	c.cmd.Env = append(os.Environ(), "TERM=xterm-256color", "HOME="+ts.MkAbs("."))
	tty, err := pty.StartWithSize(c.cmd, &pty.Winsize{Cols: uint16(cols), Rows: uint16(rows)})
	ts.Check(err)
	c.tty = tty
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = io.Copy(tty, c.screen) }) // the terminal's answers
	wg.Go(func() {
		_, _ = io.Copy(c, tty)
		c.done <- c.cmd.Wait()
	})
	ts.Value(clientsKey{}).(map[string]*ptyClient)[args[0]] = c
	ts.Defer(func() {
		_ = c.cmd.Process.Kill()
		_ = c.screen.InputPipe().(io.Closer).Close()
		_ = tty.Close()
		wg.Wait()
	})
}

func typeCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: type NAME KEYS...")
	}
	keys, err := keystrokes(strings.Join(args[1:], ""))
	ts.Check(err)
	_, err = io.WriteString(clientOf(ts, args[0]).tty, keys)
	ts.Check(err)
}

// timeLimit takes "-in TIME" off the arguments of a command that waits.
func timeLimit(ts *testscript.TestScript, args []string) (time.Duration, []string) {
	if len(args) < 2 || args[0] != "-in" {
		return patience, args
	}
	d, err := time.ParseDuration(args[1])
	ts.Check(err)
	return d, args[2:]
}

func expectCommand(ts *testscript.TestScript, neg bool, args []string) {
	limit, args := timeLimit(ts, args)
	if len(args) < 2 {
		ts.Fatalf("usage: expect [-in TIME] NAME TEXT...")
	}
	c := clientOf(ts, args[0])
	for deadline := time.Now().Add(limit); ; time.Sleep(5 * time.Millisecond) {
		screen, wrong := c.text(), ""
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

func exitCommand(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: exit NAME")
	}
	c := clientOf(ts, args[0])
	select {
	case err := <-c.done:
		if (err != nil) != neg {
			ts.Fatalf("exit: %s has ended with %v:\n%s", args[0], err, c.text())
		}
	case <-time.After(patience):
		ts.Fatalf("exit: the session of %s has not ended:\n%s", args[0], c.text())
	}
}

func hangupCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: hangup NAME")
	}
	c := clientOf(ts, args[0])
	ts.Check(c.cmd.Process.Kill())
	<-c.done
}
