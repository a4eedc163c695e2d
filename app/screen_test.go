package app_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/exp/golden"
	"github.com/charmbracelet/x/vt"
	"go.uber.org/goleak"
	"golang.org/x/crypto/ssh"

	"sheaf/app"
)

// notebook is the blog that the screens show.
var notebook = map[string]string{
	"site.yaml": "title: The Notebook\ntagline: notes on mathematics and machines\n",
	"index.md":  "Welcome. I write about making neural networks smaller, about Julia, and about moving to Dublin.\n",
	"arriving.md": "---\ntitle: Arriving in Dublin\ndate: 2021-04-08\ntags: [life]\n---\n" +
		"It has been a while since I wrote here. Because of the pandemic the projects were on stand-by, and Julia is now at 1.6.\n\n" +
		"## The move\n\nThree flights: one to Mexico City, one to [Dallas](https://example.org/dallas), and the last to Dublin.\n\n" +
		"```julia\nabstract type Point end\nstruct PointR2{T<:Real} <: Point\n    x::T\nend\n```\n\n" + strings.Repeat("More about the weather there.\n\n", 30),
	"pruning.md":  "---\ntitle: What pruning really costs\ndate: 2021-03-02\ntags: [dnn]\n---\n" + strings.Repeat("A word about cost. ", 500) + "\n",
	"why.md":      "---\ntitle: A blog, and why\ndate: 2020-11-11\n---\nBecause.\n",
	"topology.md": "---\ntitle: 'Topology for small architectures: a first look, with examples in Julia, and 深層学習のための位相幾何学入門'\ndate: 2020-07-03\ntags: [tda]\n---\nText.\n",
	"about.md":    "---\ntitle: About\npage: true\n---\nI am Ada.\n",
}

func writeBlog(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// program runs `sheaf serve` in this process and gives its address. At the end
// of the test it is drained and must leave no goroutine.
func program(t testing.TB, content string, flags ...string) (addr string) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	ctx, stop := context.WithCancel(context.Background())
	r, w := io.Pipe()
	status := make(chan int, 1)
	go func() {
		defer w.Close()
		status <- app.Main(ctx, app.Process{
			Args:   append([]string{"serve", "--addr", "127.0.0.1:0", "--log", "json", "--content", content, "--keys", filepath.Join(t.TempDir(), "keys")}, flags...),
			Stdout: io.Discard,
			Stderr: w,
		})
	}()
	t.Cleanup(func() {
		stop()
		if s := <-status; s != 0 {
			t.Errorf("serve ended with status %d", s)
		}
		// The clock of the highlighter's regular expressions stops by itself.
		goleak.VerifyNone(t, before, goleak.IgnoreAnyFunction("github.com/dlclark/regexp2/v2.runClock"))
	})
	addr, err := listening(r)
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

// terminal is a reader: a real SSH connection with an emulator at its end.
type terminal struct {
	t       *testing.T
	session *ssh.Session
	in      io.WriteCloser
	done    chan error

	mu     sync.Mutex
	screen *vt.Emulator
	raw    strings.Builder
}

func dial(t *testing.T, addr string, cols, rows int, auth ...ssh.AuthMethod) *terminal {
	t.Helper()
	user := "guest"
	if len(auth) > 0 {
		user = "ada"
	}
	c, err := ssh.Dial("tcp", addr, &ssh.ClientConfig{User: user, Auth: auth, HostKeyCallback: ssh.InsecureIgnoreHostKey(), Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.RequestPty("xterm-256color", rows, cols, ssh.TerminalModes{}); err != nil {
		t.Fatal(err)
	}
	in, err := s.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	term := &terminal{t: t, session: s, in: in, done: make(chan error, 1), screen: vt.NewEmulator(cols, rows)}
	if err := s.Shell(); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { // what the terminal answers goes back to the program
		buf := make([]byte, 256)
		for {
			n, err := term.screen.Read(buf)
			if err != nil {
				return
			}
			in.Write(buf[:n])
		}
	})
	wg.Go(func() {
		buf := make([]byte, 32<<10)
		for {
			n, err := out.Read(buf)
			if n > 0 {
				term.mu.Lock()
				term.raw.Write(buf[:n])
				term.screen.Write(buf[:n])
				term.mu.Unlock()
			}
			if err != nil {
				break
			}
		}
		term.done <- s.Wait()
	})
	t.Cleanup(func() {
		c.Close()
		term.screen.InputPipe().(io.Closer).Close()
		wg.Wait()
	})
	return term
}

// keys types text with keys in it, as keystrokes reads them.
func (term *terminal) keys(text string) {
	term.t.Helper()
	bytes, err := keystrokes(text)
	if err != nil {
		term.t.Fatal(err)
	}
	term.send(bytes)
}

// send sends bytes as they are.
func (term *terminal) send(bytes string) {
	term.t.Helper()
	if _, err := io.WriteString(term.in, bytes); err != nil {
		term.t.Fatal(err)
	}
}

func (term *terminal) text() string {
	term.mu.Lock()
	defer term.mu.Unlock()
	return screenText(term.screen)
}

// waitFor waits until the screen holds all words, and gives the screen.
func (term *terminal) waitFor(words ...string) string {
	term.t.Helper()
	for deadline := time.Now().Add(patience); ; {
		screen, missing := term.text(), ""
		for _, w := range words {
			if !strings.Contains(screen, w) {
				missing = w
			}
		}
		if missing == "" {
			return screen
		}
		if time.Now().After(deadline) {
			term.t.Fatalf("no %q on the screen:\n%s", missing, screen)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (term *terminal) ends() {
	term.t.Helper()
	select {
	case err := <-term.done:
		if err != nil {
			term.t.Errorf("the session ended with %v", err)
		}
	case <-time.After(patience):
		term.t.Fatal("the session has not ended")
	}
}

// The screens of readers, read back from a terminal over SSH.
func TestScreens(t *testing.T) {
	addr := program(t, writeBlog(t, notebook), "--host", "notebook.example.org")
	for _, size := range [][2]int{{80, 24}, {40, 12}, {200, 60}} {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			step := func(name, screen string) {
				t.Run(name, func(t *testing.T) { golden.RequireEqual(t, screen) })
			}
			bar := "▌ "
			if size[0] < 50 {
				bar = "▌" // no margin
			}
			term := dial(t, addr, size[0], size[1])
			step("home", term.waitFor("Arriving in Dublin", "? keys"))
			term.keys("jjj")
			step("last", term.waitFor(bar+"03 Jul"))
			term.keys("?")
			step("help", term.waitFor("enter l →"))
			term.keys("<esc>")
			term.keys("gg<enter>")
			step("post", term.waitFor("1 of 4", "It has been a while"))
			term.keys("q")
			term.waitFor("The Notebook", "enter read")
			term.keys("/prun")
			step("filter", term.waitFor("1 of 4"))
			term.keys("<esc>")
			term.waitFor("enter read")
			term.keys("q")
			term.ends()
			raw := term.raw.String()
			if strings.Count(raw, "\x1b[?1049h") != 1 || strings.Count(raw, "\x1b[?1049l") != 1 || !strings.Contains(raw, "\x1b[?25h") {
				t.Error("the terminal was not restored")
			}
		})
	}
}

// A change in the folder shows in an open session.
func TestLiveUpdate(t *testing.T) {
	dir := writeBlog(t, notebook)
	addr := program(t, dir)
	list, post := dial(t, addr, 80, 24), dial(t, addr, 80, 24)
	list.waitFor("Arriving in Dublin")
	post.waitFor("Arriving in Dublin")
	post.keys("<enter>")
	post.waitFor("It has been a while")

	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("new.md", "---\ntitle: Hot off the press\ndate: 2022-01-01\n---\nNews.\n")
	list.waitFor("Hot off the press")
	write("arriving.md", strings.Replace(notebook["arriving.md"], "a while", "an age", 1))
	post.waitFor("It has been an age")
	if err := os.Remove(filepath.Join(dir, "arriving.md")); err != nil {
		t.Fatal(err)
	}
	post.waitFor("This post is gone")
}

// A scheduled post goes live by itself.
func TestScheduledPostGoesLive(t *testing.T) {
	slow(t)
	dir := writeBlog(t, notebook)
	due := time.Now().Add(3 * time.Second).UTC().Truncate(time.Second)
	if err := os.WriteFile(filepath.Join(dir, "later.md"), []byte("---\ntitle: Not before its time\ndate: "+due.Format(time.RFC3339)+"\n---\nNow.\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	term := dial(t, program(t, dir), 80, 24)
	if screen := term.waitFor("Arriving in Dublin"); strings.Contains(screen, "Not before its time") && time.Now().Before(due) {
		t.Errorf("a scheduled post is shown:\n%s", screen)
	}
	term.waitFor("Not before its time")
}

// SIGTERM: sessions are told, and their terminals are restored.
func TestDrainRestoresTerminals(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	r, w := io.Pipe()
	status := make(chan int, 1)
	content, keys := writeBlog(t, notebook), filepath.Join(t.TempDir(), "keys")
	go func() {
		defer w.Close()
		status <- app.Main(ctx, app.Process{Args: []string{"--addr", "127.0.0.1:0", "--log", "json", "--content", content, "--keys", keys}, Stdout: io.Discard, Stderr: w})
	}()
	addr, err := listening(r)
	if err != nil {
		t.Fatal(err)
	}
	var terms []*terminal
	for range 5 {
		term := dial(t, addr, 80, 24)
		term.waitFor("Arriving in Dublin")
		terms = append(terms, term)
	}
	stop()
	if s := <-status; s != 0 {
		t.Errorf("status %d", s)
	}
	for _, term := range terms {
		select {
		case <-term.done:
		case <-time.After(patience):
			t.Fatal("a session is still open")
		}
		raw := term.raw.String()
		if !strings.Contains(raw, "\x1b[?1049l") || !strings.Contains(raw, "\x1b[?25h") {
			t.Errorf("not restored: %q", raw[max(0, len(raw)-200):])
		}
		if after := raw[strings.LastIndex(raw, "\x1b[?1049l"):]; !strings.Contains(after, "restarting") {
			t.Errorf("the visitor was not told: %q", after)
		}
	}
}
