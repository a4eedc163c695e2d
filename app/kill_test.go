package app_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// TestKilledServerLosesNothing kills the server again and again while an author
// sends sets of two files: after each start both files are of one set, the set
// is no older than the last one acknowledged, and the log can be read.
func TestKilledServerLosesNothing(t *testing.T) {
	rounds := effort(5, 20, 200)
	content, keys := t.TempDir(), t.TempDir()
	signer := authorKey(t, keys)
	set, acknowledged := 0, 0
	for range rounds {
		server, addr := process(t, content, keys)
		if set > 0 {
			// The plain files, before anybody has asked for them.
			a, b := number(t, content, "a.md"), number(t, content, "b.md")
			if a != b || a < acknowledged || a > set {
				t.Fatalf("after a kill: a.md is of set %d, b.md of %d; sent %d, acknowledged %d", a, b, set, acknowledged)
			}
		}
		c, err := ssh.Dial("tcp", addr, &ssh.ClientConfig{User: "ada", Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)}, HostKeyCallback: ssh.InsecureIgnoreHostKey()})
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Duration(rand.IntN(120))*time.Millisecond, func() { server.Process.Kill() })
		for {
			if set++; sendSet(c, set) != nil {
				break
			}
			acknowledged = set
		}
		c.Close()
		server.Wait()
	}
	t.Logf("%d sets sent, %d acknowledged", set, acknowledged)
	server, addr := process(t, content, keys)
	defer server.Wait()
	defer server.Process.Kill()
	c, err := ssh.Dial("tcp", addr, &ssh.ClientConfig{User: "ada", Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)}, HostKeyCallback: ssh.InsecureIgnoreHostKey()})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if out, err := s.CombinedOutput("log a"); err != nil {
		t.Errorf("log: %v: %s", err, out)
	}
}

// process runs `sheaf serve` in a process of its own.
func process(t testing.TB, content, keys string) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.Command("sheaf", "serve", "--addr", "127.0.0.1:0", "--log", "json", "--content", content, "--keys", keys)
	logs, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	addr, err := listening(logs)
	if err != nil {
		cmd.Process.Kill()
		t.Fatal(err)
	}
	return cmd, addr
}

func body(n int) string {
	return fmt.Sprintf("---\ntitle: A set\ndate: 2024-01-01\n---\n%d\n", n)
}

func number(t *testing.T, dir, name string) (n int) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if errors.Is(err, os.ErrNotExist) {
		return 0
	}
	if err != nil {
		t.Fatal(err)
	}
	for n = range 1 << 20 {
		if string(b) == body(n) {
			return n
		}
	}
	t.Fatalf("%s is torn: %q", name, b)
	return 0
}

// sendSet sends a.md and b.md as one set over scp's old protocol and waits for
// the answer.
func sendSet(c *ssh.Client, n int) error {
	s, err := c.NewSession()
	if err != nil {
		return err
	}
	defer s.Close()
	in, err := s.StdinPipe()
	if err != nil {
		return err
	}
	out, err := s.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.Start("scp -t -d ."); err != nil {
		return err
	}
	answers := bufio.NewReader(out)
	answer := func() error {
		switch b, err := answers.ReadByte(); {
		case err != nil:
			return err
		case b != 0:
			why, _ := answers.ReadString('\n')
			return errors.New(why)
		}
		return nil
	}
	if err := answer(); err != nil {
		return err
	}
	text := body(n)
	for _, name := range []string{"a.md", "b.md"} {
		fmt.Fprintf(in, "C0644 %d %s\n", len(text), name)
		if err := answer(); err != nil {
			return err
		}
		io.WriteString(in, text+"\x00")
		if err := answer(); err != nil {
			return err
		}
	}
	in.Close()
	return s.Wait()
}
