package app_test

import (
	"crypto/ed25519"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/ssh"
)

// evil is what nobody's terminal may get from somebody else's text.
const evil = "\x1b]52;c;cHduZWQ=\x07 \x1b[2J\x1bc \x1bPq#0\x1b\\ \u009b31m\u009d0;x\u009c \u202eoff\u2066\u200f\u061c \U000e0041 \x07\x08\x0b\x7f \x1b]8;;javascript:alert(1)\x1b\\click\x1b]8;;\x1b\\ \xff\xfe \x90\x9d"

// controls is every control sequence that a browser of ours sends.
var controls = regexp.MustCompile(`^(?:` + strings.Join([]string{
	`\x1b\[[0-9;:]*m`,                     // colours
	`\x1b\[[0-9;]*[ABCDEFGHJKLMPSTXdfr@]`, // the cursor and the screen
	`\x1b\[\?(?:25|7|1000|1002|1003|1004|1006|1049|2004|2026|2027|2031|1007|1|12)[hlsr]`, // modes
	`\x1b\[[0-9]* q`,
	`\x1b\[>?[0-9;]*[cuqnm]`, `\x1b\[[=<>?][0-9;]*u`, `\x1b\[\?[0-9;]*(?:c|n|\$p)`, // questions to the terminal
	`\x1b\[[0-9;]*t`,
	`\x1b\]1[01];\?(?:\x07|\x1b\\)`,
	`\x1b\]8;[a-z0-9=:]*;(?:(?:https?|mailto|gemini):[!-~]*)?(?:\x07|\x1b\\)`,                                  // links
	`\x1b\]2;[^\x00-\x1f\x7f-\x{9f}\x{202a}-\x{202e}\x{2066}-\x{2069}\x{200e}\x{200f}\x{61c}]*(?:\x07|\x1b\\)`, // the window's title
	`\x1b[78=>M]`,
	`[\n\r\t]`,
}, "|") + `)`)

// harmless finds what is in bytes that were sent beside text and the control
// sequences that are allowed.
func harmless(t *testing.T, what, sent string, screen bool) {
	t.Helper()
	for i := 0; i < len(sent); {
		r, n := utf8.DecodeRuneInString(sent[i:])
		if unicode.IsControl(r) {
			m := ""
			if screen {
				m = controls.FindString(sent[i:])
			} else if r == '\n' || r == '\t' {
				m = string(r)
			}
			if m == "" {
				t.Errorf("%s: %q was sent in %q", what, sent[i:min(len(sent), i+12)], sent[max(0, i-40):min(len(sent), i+40)])
				return
			}
			i += len(m)
			continue
		}
		switch {
		case r == utf8.RuneError && n == 1:
			t.Errorf("%s: a byte that is no text in %q", what, sent[max(0, i-40):min(len(sent), i+20)])
			return
		case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0x200e, r == 0x200f, r == 0x061c, r >= 0xe0000 && r <= 0xe007f:
			t.Errorf("%s: %U was sent in %q", what, r, sent[max(0, i-40):min(len(sent), i+20)])
			return
		}
		i += n
	}
}

func TestHarmlessFindsWhatIsNot(t *testing.T) {
	for _, bad := range []string{"\x1b]52;c;x\x07", "\x1bPq\x1b\\", "\u009b31m", "\u202e", "\x1b]8;;javascript:x\x1b\\", "\x1b]0;t\x07", "\xff", "\x1bc", "\x07"} {
		probe := &testing.T{}
		func() {
			defer func() { recover() }()
			harmless(probe, "probe", "text "+bad+" text", true)
		}()
		if !probe.Failed() {
			t.Errorf("%q passes", bad)
		}
	}
}

// Whatever posts, names, queries and keys hold, no client and no line of the
// log gets it but as text.
func TestHostileTextIsNeverAControl(t *testing.T) {
	slow(t)
	quoted := `evil \u001b]52;c;eA==\u0007\u009b31m\u202e\u2066 \x1b[2J`
	entities := "&#27;]52;c;eA==&#7; &#x9b;31m &#x202e;x &#x1b;[2J"
	files := map[string]string{
		"site.yaml": "title: \"Notebook " + quoted + "\"\ntagline: \"" + quoted + "\"\nauthor: \"" + quoted + "\"\nlinks:\n  - \"javascript:alert(1)\"\n",
		"arriving.md": "---\ntitle: \"Arriving " + quoted + "\"\ndate: 2021-01-01\ntags: [\"" + quoted + "\"]\nsummary: \"" + quoted + "\"\n---\n" +
			"## Head " + entities + "\n\n" + evil + "\n\n" + entities + "\n\n> " + evil + "\n\n- " + evil + "\n\n```" + "go " + evil[:8] + "\n" + strings.ReplaceAll(evil, "\n", " ") + "\n```\n\n" +
			"[link " + entities + "](https://example.org/\x1b]52;c;x\x07) [js](javascript:alert(1)) <javascript:alert(2)> [data](data:text/html,x) [m](mailto:a@example.org)\n\n" +
			"| a | b |\n|---|---|\n| " + strings.ReplaceAll(evil, "\n", " ") + " | " + entities + " |\n\n" +
			"![image " + entities + "](x\x1b[2J.png)\n\n<b title=\"" + entities + "\">" + entities + "</b>\n\n[^1]\n\n[^1]: " + evil + "\n\n$x " + evil[:12] + "$\n",
		"page.md":                   "---\ntitle: \"Page " + quoted + "\"\npage: true\n---\n" + evil + "\n",
		"evil\x1b]0;x\x07\u202e.md": "# Text\n",
		"broken.md":                 "---\ntitle: " + evil + "\ndate: \"" + quoted + "\"\n---\n" + evil + "\n",
	}
	w := watch(t, files)
	pub := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(w.signer.PublicKey())))
	if err := os.WriteFile(filepath.Join(w.keys, "authors"), []byte(pub+" Ada"+strings.ReplaceAll(evil, "\n", "")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	author := w.author()
	stranger, err := w.login("", &ssh.ClientConfig{User: "x\n{\"msg\":\"FAKE\"}" + evil[:40], Auth: []ssh.AuthMethod{ssh.KeyboardInteractive(
		func(_, _ string, q []string, _ []bool) ([]string, error) { return nil, nil })}})
	if err != nil {
		t.Fatal(err)
	}
	for who, c := range map[string]*ssh.Client{"author": author, "reader": stranger} {
		for _, command := range []string{
			"", "ls", "ls --json", "ls --tag '" + evil + "'", "read arriving", "arriving", "tags", "feed", "latest", "help", "search evil", "search --json evil",
			"search '" + evil + "'", evil, "'" + evil + "'", "read '" + evil + "'", "read arriving --width '" + evil + "'", "cat '" + evil + "'",
			"drafts", "log", "log arriving", "log --json", "diff arriving '" + evil + "'", "check", "mv arriving '" + evil + "'", "rm '" + evil + "'",
			"schedule arriving '" + evil + "'", "restore '" + evil + "' 1", "undo '" + evil + "'", "publish '" + evil + ".md'",
			"scp -f '" + evil + "'", "scp -t '" + evil + "'", "scp '" + evil + "'", "rsync --server '" + evil + "' . x",
		} {
			out := w.says(c, command, "---\ntitle: \""+quoted+"\"\ndate: \"x "+quoted+"\"\n---\n"+evil)
			if strings.HasPrefix(command, "scp") { // the protocol has bytes of its own
				out = strings.TrimLeft(strings.ReplaceAll(strings.ReplaceAll(out, "\x01", ""), "\x02", ""), "\x00")
			}
			harmless(t, fmt.Sprintf("%s: %.30q", who, command), out, false)
		}
		s, err := w.screen(c, 100, 30)
		if err != nil {
			t.Fatal(err)
		}
		w.until("the first screen", func() bool { return strings.Contains(s.out.String(), "Notebook") })
		for _, keys := range []string{"?", "\x1b", "\r", "o", "\x1b", "f", "\x1b", "\t", "G", "g", "/evil\r", "n", "\x1b", "q", "t", "q", "A", "q", "sevil\r", "q", "/" + evil + "\r", "\x1b", "\t", "\r", "q", "\x1b[200~" + evil + "\x1b[201~", "\x1b"} {
			io.WriteString(s, keys)
			time.Sleep(30 * time.Millisecond)
		}
		io.WriteString(s, "\x03")
		time.Sleep(200 * time.Millisecond)
		harmless(t, who+": browser", s.out.String(), true)
		// A terminal that only prints.
		for _, command := range []string{"read arriving", "cat arriving", "ls", evil} {
			harmless(t, who+": a terminal: "+command[:2], w.typed(c, command), true)
		}
	}
	// What git's own messages bring to the terminal.
	if _, err := exec.LookPath("git"); err == nil {
		w.pushes(evil)
	}
	w.cmd.Process.Signal(syscall.SIGTERM)
	<-w.done
	w.done <- nil
	logs := w.logs.String()
	for line := range strings.Lines(logs) {
		if !strings.HasPrefix(line, `{"time":"`) || strings.Contains(line, `"msg":"FAKE"`) {
			t.Errorf("in the log: %q", line)
		}
	}
	harmless(t, "the log", logs, false)
	for _, coded := range []string{`\u001b`, `\u009b`, `\u0007`, `\u202e`, `\x1b`} {
		if strings.Contains(logs, coded) {
			t.Errorf("the log has %s", coded)
		}
	}
}

// typed runs a command with a terminal.
func (w *watched) typed(c *ssh.Client, command string) string {
	w.Helper()
	s, err := c.NewSession()
	if err != nil {
		w.Fatal(err)
	}
	defer s.Close()
	if err := s.RequestPty("xterm-256color", 24, 80, nil); err != nil {
		w.Fatal(err)
	}
	out := &lines{}
	s.Stdout, s.Stderr = out, out
	s.Start(command)
	done := make(chan error, 1)
	go func() { done <- s.Wait() }()
	select {
	case <-done:
	case <-time.After(patience):
		w.Errorf("%q has not ended", command)
	}
	return out.String()
}

// pushes pushes a commit whose file, message and author are hostile, and reads
// what git prints.
func (w *watched) pushes(text string) {
	w.Helper()
	text = strings.NewReplacer("/", "_", "\n", " ").Replace(strings.ToValidUTF8(text, ""))
	dir := w.TempDir()
	key := filepath.Join(dir, "key")
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		w.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "ada")
	if err != nil {
		w.Fatal(err)
	}
	line, err := ssh.NewPublicKey(public)
	if err != nil {
		w.Fatal(err)
	}
	for name, b := range map[string][]byte{key: pem.EncodeToMemory(block), filepath.Join(w.keys, "authors"): ssh.MarshalAuthorizedKey(line)} {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			w.Fatal(err)
		}
	}
	_, port, _ := strings.Cut(w.addr, ":")
	env := append(os.Environ(), "HOME="+dir, "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_SSH_COMMAND=ssh -F none -p "+port+" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o IdentitiesOnly=yes -i "+key)
	git := func(args ...string) string {
		cmd := exec.Command("git", append([]string{"-c", "user.name=Ada " + text, "-c", "user.email=ada@example.org", "-C", filepath.Join(dir, "work")}, args...)...)
		cmd.Env = env
		out, err := cmd.CombinedOutput()
		w.Logf("git %.20q: %v %.200q", args, err, out)
		return string(out)
	}
	os.Mkdir(filepath.Join(dir, "work"), 0o755)
	out := git("init", "-q", "-b", "main") + git("pull", "-q", "ssh://127.0.0.1/blog", "main")
	if strings.Contains(out, "fatal") {
		w.Fatalf("%s", out)
	}
	post := "---\ntitle: \"bad \\u001b[2J\"\ndate: \"x \\u001b[2J " + "\"\n---\n" + text + "\n"
	for _, name := range []string{"bad.md", "x" + text + ".md"} {
		if err := os.WriteFile(filepath.Join(dir, "work", name), []byte(post), 0o644); err != nil {
			w.Skipf("a file system that keeps no such name: %v", err)
		}
	}
	git("add", "-A")
	git("commit", "-qm", text)
	out = git("push", "-q", "ssh://127.0.0.1/blog", "HEAD:main")
	if !strings.Contains(out, "remote: ") {
		w.Errorf("git says %q", out)
	}
	for line := range strings.Lines(out) {
		// git ends each line of the server's with a sequence of its own.
		line = strings.ReplaceAll(strings.TrimSuffix(line, "\n"), "\x1b[K", "")
		if strings.HasPrefix(line, "remote: ") {
			harmless(w.T, "git", strings.TrimRight(line, "\r "), false)
		}
	}
}
