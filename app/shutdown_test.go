package app_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// SIGTERM among fifty browsers, five handshakes and an upload: each terminal is
// as it was before, the upload whole or absent, and all is over in ten seconds,
// after which a container would be killed.
func TestSIGTERMEndsEverySessionWell(t *testing.T) {
	const browsers = 50
	w := watch(t, notebook, "--max-per-ipv4", "100")
	var screens []*rawTerminal
	for range browsers {
		c := w.mustLogin("")
		s, err := w.screen(c, 80, 24)
		if err != nil {
			t.Fatal(err)
		}
		screens = append(screens, s)
	}
	for _, s := range screens {
		w.until("the first screen", func() bool { return strings.Contains(s.out.String(), "Notebook") })
	}
	for range 5 {
		nc, err := net.Dial("tcp", w.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		fmt.Fprint(nc, "SSH-2.0-half\r\n")
	}
	// Half of a post is there, and half of it is still to come.
	post := "---\ntitle: Half\ndate: 2022-01-01\n---\n" + strings.Repeat("A word. ", 20_000)
	up, err := w.author().NewSession()
	if err != nil {
		t.Fatal(err)
	}
	in, _ := up.StdinPipe()
	answers, _ := up.StdoutPipe()
	if err := up.Start("scp -t half.md"); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(in, "C0644 %d half.md\n", len(post))
	if _, err := io.ReadFull(answers, make([]byte, 2)); err != nil { // ready, and ready for the file
		t.Fatal(err)
	}
	io.WriteString(in, post[:len(post)/2])

	began := time.Now()
	w.cmd.Process.Signal(syscall.SIGTERM)
	go io.WriteString(in, post[len(post)/2:]+"\x00")
	select {
	case err := <-w.done:
		if err != nil {
			t.Errorf("it ended with %v", err)
		}
		w.done <- nil
	case <-time.After(10 * time.Second):
		t.Fatal("it has not ended in 10 s")
	}
	t.Logf("ended after %v", time.Since(began).Round(time.Millisecond))
	for i, s := range screens {
		w.until("the terminal is restored", func() bool {
			out := s.out.String()
			return strings.Count(out, "\x1b[?1049h") == 1 && strings.Count(out, "\x1b[?1049l") == 1 && strings.Contains(out, "\x1b[?25h")
		})
		if out := s.out.String(); !strings.Contains(out[strings.LastIndex(out, "\x1b[?1049l"):], "restarting") {
			t.Errorf("browser %d was not told", i)
		}
	}
	if b, err := os.ReadFile(filepath.Join(w.content, "half.md")); err == nil && string(b) != post || err != nil && !os.IsNotExist(err) {
		t.Errorf("the upload is torn: %d bytes, %v", len(b), err)
	}
	// And back again, on what it has left.
	_, addr := process(t, w.content, w.keys)
	w.addr = addr
	if out := w.says(w.mustLogin(""), "ls", ""); !strings.Contains(out, "arriving") {
		t.Errorf("after it: %q", out)
	}
}

// Nobody presses a key: a word before the end, and a terminal as it was.
func TestIdleReaderIsWarnedAndLeaves(t *testing.T) {
	slow(t)
	w := watch(t, notebook, "--idle", "2s")
	c := w.mustLogin("")
	s := w.mustScreen(c, 80, 24)
	c.Wait()
	out := s.out.String()
	if strings.Count(out, "\x1b[?1049h") != 1 || strings.Count(out, "\x1b[?1049l") != 1 || !strings.HasSuffix(strings.TrimSpace(out), "the session is closed.") {
		t.Errorf("the terminal was left with %q", out[max(0, len(out)-300):])
	}
	if !strings.Contains(out, "closes soon") {
		t.Error("the reader was not warned")
	}
}
