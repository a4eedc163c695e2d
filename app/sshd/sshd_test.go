package sshd

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gossh "golang.org/x/crypto/ssh"

	"sheaf/app/blog"
	"sheaf/app/store"
	"sheaf/app/transfer"
	"sheaf/app/typeset"
)

// startBlog serves a small blog with all rooms behind the door; change may put other
// ones in.
func startBlog(t *testing.T, l Limits, change ...func(*Config)) *testServer {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"site.yaml":   "title: The Notebook\nhost: blog.example\n",
		"arriving.md": "---\ntitle: Arriving in Dublin\ndate: 2021-04-08\n---\nThree flights.\n\n## The move\n\nAway.\n",
		"secret.md":   "---\ntitle: Secret\ndraft: true\n---\nNot yet.\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	log := slog.New(slog.DiscardHandler)
	folder, err := store.Open(dir, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { folder.Close() })
	b, err := blog.Open(context.Background(), blog.Config{Store: folder, Now: time.Now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	d := &testServer{T: t, blog: b, keys: t.TempDir(), logs: &syncBuffer{}}
	files, err := transfer.New(transfer.Config{Scratch: filepath.Join(t.TempDir(), "scratch"), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	conf := Config{Blog: b, Setter: typeset.New(1 << 20), Transfer: files, Keys: d.keys, Version: "v1.2 (x)", Limits: l, Log: slog.New(slog.NewTextHandler(d.logs, nil))}
	for _, f := range change {
		f(&conf)
	}
	d.srv, err = New(conf)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d.addr = ln.Addr().String()
	served := make(chan error, 1)
	go func() { served <- d.srv.Serve(ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := d.srv.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return d
}

func TestCommandsGoToTheShell(t *testing.T) {
	t.Parallel()
	d := startBlog(t, Limits{})
	c := d.client()
	if v := string(c.ServerVersion()); v != "SSH-2.0-sheaf_v1.2" {
		t.Errorf("it calls itself %q", v)
	}
	for _, k := range []struct {
		line      string
		out, errs string // a part of it; "" is nothing
		status    int
	}{
		{"", "2021-04-08  arriving", "", 0},
		{"ls", "arriving", "", 0},
		{"arriving", "Three flights", "", 0},
		{"'arriving#the-move'", "Away", "", 0},
		{"cat 'arriving'", "title: Arriving in Dublin", "", 0},
		{`cat "arriving`, "", "sheaf: command line: a quote is not closed\n", 2},
		{"cat", "", "usage: cat SLUG", 2},
		{"secret", "", "sheaf: secret: no such post or command\n", 1},
		{"sh -c id", "", "sheaf: sh: no such post or command\n", 1},
		{"publish x.md", "", "sheaf: permission denied: no author key\nhint: no key was offered", 1},
		{"git-upload-pack '/blog'", "", "sheaf: git: ", 1},
		{"git-receive-pack '/blog'", "", "sheaf: permission denied: no author key\nhint: no key was offered", 1},
		{"help", "ssh blog.example ls", "", 0},
	} {
		out, errs, status := d.run(c, k.line)
		if status != k.status || !strings.Contains(out, k.out) || !strings.Contains(errs, k.errs) || (k.out == "") != (out == "") || (k.errs == "") != (errs == "") {
			t.Errorf("%q: status %d\n%s\n%s", k.line, status, out, errs)
		}
		if strings.ContainsAny(out+errs, "\x1b\r") {
			t.Errorf("%q: escape codes without a terminal: %q", k.line, out)
		}
	}
	ada := newKey(t)
	d.authorise(ada.PublicKey())
	if out, _, status := d.run(d.client(ada), "cat secret"); status != 0 || !strings.Contains(out, "Not yet") {
		t.Errorf("the author: %d %q", status, out)
	}
}

// A paste that the filter cuts is told of, not taken as if it were whole.
func TestAPasteThatIsTooLongIsTold(t *testing.T) {
	t.Parallel()
	d := startBlog(t, Limits{Paste: 100})
	ada := newKey(t)
	d.authorise(ada.PublicKey())
	for _, c := range []*gossh.Client{d.client(), d.client(ada)} {
		s := d.terminal(c, 80, 24)
		eventually(t, "the list", func() bool { return strings.Contains(s.out.String(), "Arriving") })
		_, _ = io.WriteString(s, "\x1b[200~"+strings.Repeat("x", 1601)+"\x1b[201~")
		eventually(t, "told", func() bool { return strings.Contains(s.out.String(), "too long for a paste") })
	}
}

// A panic in a browser costs one session, and is counted as one.
func TestAPanicInABrowserIsCounted(t *testing.T) {
	t.Parallel()
	d := startBlog(t, Limits{}, func(c *Config) { c.Setter = nil })
	c := d.client()
	out, status := d.screen(c, "", nil, "Arriving", "\r")
	if !strings.Contains(out, "\x1b[?1049l") || !strings.Contains(out, "sheaf: internal error") || status != 1 {
		t.Errorf("status %d: %q", status, out)
	}
	if n := d.srv.Stats(); n.Panics != 1 || n.Errors != 0 {
		t.Errorf("%d panics, %d errors", n.Panics, n.Errors)
	}
	if out, _, _ := d.run(c, "ls"); !strings.Contains(out, "arriving") {
		t.Errorf("afterwards: %q", out)
	}
}

// screen runs a command with a terminal, sends keys, and waits for its end.
func (b *testServer) screen(c *gossh.Client, command string, env map[string]string, until, keys string) (out string, status int) {
	b.Helper()
	s, err := c.NewSession()
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for k, v := range env {
		_ = s.Setenv(k, v)
	}
	if err := s.RequestPty("xterm-256color", 24, 80, nil); err != nil {
		b.Fatal(err)
	}
	var buf syncBuffer
	s.Stdout, s.Stderr = &buf, &buf
	in, _ := s.StdinPipe()
	if command == "" {
		err = s.Shell()
	} else {
		err = s.Start(command)
	}
	if err != nil {
		b.Fatal(err)
	}
	if keys != "" {
		eventually(b, until, func() bool { return strings.Contains(buf.String(), until) })
		_, _ = io.WriteString(in, keys)
	}
	stuck := time.AfterFunc(patience, func() { s.Close() })
	defer stuck.Stop()
	var exit *gossh.ExitError
	if err := s.Wait(); errors.As(err, &exit) {
		status = exit.ExitStatus()
	} else if err != nil {
		b.Errorf("%q: %v", command, err)
	}
	return buf.String(), status
}

func TestATerminalGetsTheBrowser(t *testing.T) {
	t.Parallel()
	d := startBlog(t, Limits{})
	c := d.client()
	for command, until := range map[string]string{"": "Notebook", "arriving": "Arriving", "'arriving#the-move'": "Arriving"} {
		out, status := d.screen(c, command, nil, until, "\x03")
		if status != 0 || strings.Count(out, "\x1b[?1049h") != 1 || strings.Count(out, "\x1b[?1049l") != 1 {
			t.Errorf("%q: status %d, %q", command, status, out)
		}
	}
	for command, want := range map[string]string{"ls": "Arriving", "scp -f arriving.md": "sheaf: scp: copies files, which a terminal would change\r\n", "nothing": "sheaf: nothing: no such post or command\r\n", "read arriving": "Three flights"} {
		out, _ := d.screen(c, command, nil, "", "")
		if !strings.Contains(out, want) || strings.Contains(out, "\x1b[?1049h") {
			t.Errorf("%q: %q", command, out)
		}
		if strings.Contains(strings.ReplaceAll(out, "\r\n", ""), "\n") {
			t.Errorf("%q: bare line ends on a terminal: %q", command, out)
		}
	}
	if out, _ := d.screen(c, "read arriving", nil, "", ""); !strings.Contains(out, "\x1b[") {
		t.Errorf("no colour: %q", out)
	}
	if out, _ := d.screen(c, "read arriving", map[string]string{"NO_COLOR": "1"}, "", ""); strings.Contains(out, "\x1b[") {
		t.Errorf("NO_COLOR: %q", out)
	}
}

func TestTheBrowserIsToldOfTheEnd(t *testing.T) {
	t.Parallel()
	d := startBlog(t, Limits{})
	c := d.client()
	s, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	var buf syncBuffer
	s.Stdout, s.Stderr = &buf, &buf
	if err := s.RequestPty("xterm", 24, 80, nil); err != nil {
		t.Fatal(err)
	}
	in, _ := s.StdinPipe()
	defer in.Close()
	if err := s.Shell(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the first screen", func() bool { return strings.Contains(buf.String(), "Notebook") })
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := d.srv.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	_ = c.Wait()
	out := buf.String()
	at := strings.Index(out, "\x1b[?1049l")
	if at < 0 || !bytes.Contains([]byte(out[at:]), []byte(reasonRestart)) {
		t.Errorf("the terminal was left with %q", out[max(0, len(out)-400):])
	}
}

func TestABrowserTooMany(t *testing.T) {
	t.Parallel()
	d := startBlog(t, Limits{Browsers: 1})
	c := d.client()
	first := d.terminal(c, 80, 24)
	eventually(t, "the first screen", func() bool { return strings.Contains(first.out.String(), "Notebook") })
	if out, status := d.screen(c, "", nil, "", ""); status != 1 || !strings.Contains(out, "too many readers") {
		t.Errorf("%d %q", status, out)
	}
	if out, _, status := d.run(c, "ls"); status != 0 || !strings.Contains(out, "arriving") {
		t.Errorf("the list: %d %q", status, out)
	}
	first.Close()
	eventually(t, "the place is free", func() bool { return len(d.srv.gate.all()) == 1 && d.free(c) })
}

// free tells whether a browser opens.
func (b *testServer) free(c *gossh.Client) bool {
	t := b.terminal(c, 80, 24)
	defer t.Close()
	for range 50 {
		time.Sleep(20 * time.Millisecond)
		switch out := t.out.String(); {
		case strings.Contains(out, "too many"):
			return false
		case strings.Contains(out, "Notebook"):
			return true
		}
	}
	return false
}

func TestAPreviewIsShownUntilItIsRevoked(t *testing.T) {
	t.Parallel()
	d := startBlog(t, Limits{})
	author := d.blog.Author("Ada")
	shared, err := author.Share(t.Context(), "secret")
	if err != nil {
		t.Fatal(err)
	}
	ada := newKey(t)
	d.authorise(ada.PublicKey())
	dial := func(token string, keys ...gossh.Signer) *gossh.Client {
		t.Helper()
		c, err := d.dial("preview-"+token, keys...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	c := dial(shared.Token)
	for _, c := range []*gossh.Client{c, dial(shared.Token, ada)} {
		for _, k := range []struct {
			line, out, errs string
			status          int
		}{
			{"", "Not yet.", "", 0},
			{"ls", "secret", "", 0},
			{"read secret", "Not yet.", "", 0},
			{"cat arriving", "", "sheaf: arriving: no such post", 1},
			{"search flights", "", "No match", 1},
			{"feed", "<feed", "", 0},
			{"drafts", "", "permission denied", 1},
			{"preview --revoke secret", "", "permission denied", 1},
			{"scp -f secret.md", "", "sheaf: scp: a preview has no files", 1},
			{"git-upload-pack /blog", "", "sheaf: git-upload-pack: a preview has no files", 1},
			{"rsync --server --sender . .", "", "sheaf: rsync: a preview has no files", 1},
		} {
			out, errs, status := d.run(c, k.line)
			if status != k.status || !strings.Contains(out, k.out) || !strings.Contains(errs, k.errs) || (k.out == "") != (out == "") || strings.Contains(out, "arriving") {
				t.Errorf("%q: status %d\n%s\n%s", k.line, status, out, errs)
			}
		}
	}
	out, status := d.screen(c, "", nil, "Not yet", "\x03")
	if status != 0 || strings.Contains(out, "Arriving") {
		t.Errorf("the browser: %d %q", status, out)
	}

	// Revoked, it is gone from the screens that show it.
	s, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.RequestPty("xterm-256color", 24, 80, nil); err != nil {
		t.Fatal(err)
	}
	var buf syncBuffer
	s.Stdout = &buf
	in, _ := s.StdinPipe()
	if err := s.Shell(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "Not yet", func() bool { return strings.Contains(buf.String(), "Not yet") })
	if err := author.Revoke(t.Context(), shared.Token); err != nil {
		t.Fatal(err)
	}
	eventually(t, "gone", func() bool { return strings.Contains(buf.String(), "gone") })
	_, _ = io.WriteString(in, "\x03")
	_ = s.Wait()

	const gone = "sheaf: This preview does not exist any more.\n"
	for _, c := range []*gossh.Client{c, dial(shared.Token), dial(strings.Repeat("a", 26)), dial(""), dial("X", ada)} {
		for _, command := range []string{"", "ls", "cat arriving", "scp -f arriving.md"} {
			if out, errs, status := d.run(c, command); out != "" || errs != gone || status != 1 {
				t.Errorf("%q: %d %q %q", command, status, out, errs)
			}
		}
	}
	if out, status := d.screen(c, "", nil, "", ""); !strings.Contains(out, "does not exist any more.\r\n") || strings.Contains(out, "\x1b[?1049h") || status != 1 {
		t.Errorf("on a terminal: %d %q", status, out)
	}
	if _, err := d.dial("preview-" + strings.Repeat("a", maxUser)); err == nil {
		t.Error("a name without an end gets in")
	}
	if strings.Contains(d.logs.String(), shared.Token) {
		t.Error("the log holds the token")
	}
}
