package app_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"sheaf/app/internal/rawssh"
)

// client is a real client of the system, as a reader who comes from an address
// of this machine, or as the author.
type client struct {
	*attacked
	config string
}

func (a *attacked) client(local string) client {
	a.Helper()
	_, port, _ := strings.Cut(a.addr, ":")
	c := client{a, filepath.Join(a.TempDir(), "ssh_config")}
	if err := os.WriteFile(c.config, fmt.Appendf(nil, `Host *
	HostName 127.0.0.1
	Port %s
	User guest
	BindAddress %s
	StrictHostKeyChecking no
	UserKnownHostsFile /dev/null
	GlobalKnownHostsFile none
	IdentityFile none
	IdentityAgent none
	LogLevel ERROR
`, port, local), 0o600); err != nil {
		a.Fatal(err)
	}
	return c
}

// command prepares a program whose connections are the client's.
func (c client) command(name string, args ...string) *exec.Cmd {
	c.Helper()
	if _, err := exec.LookPath(name); err != nil {
		if os.Getenv("SHEAF_TEST_CLIENTS") == "required" {
			c.Fatal(err)
		}
		c.Skip(err)
	}
	cmd := exec.Command(name, args...)
	remote := "ssh -F " + c.config
	cmd.Env = append(os.Environ(), "RSYNC_RSH="+remote, "GIT_SSH_COMMAND="+remote,
		"HOME="+filepath.Dir(c.config), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// run gives what a program says, which is killed if it takes too long.
func (c client) run(limit time.Duration, name string, args ...string) (said string, err error) {
	c.Helper()
	cmd := c.command(name, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		c.Fatal(err)
	}
	timer := time.AfterFunc(limit, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	defer timer.Stop()
	err = cmd.Wait()
	return out.String(), err
}

// noise is text that cannot be compressed, as a picture cannot.
func noise(seed uint64, n int) string {
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), 1})
	b := make([]byte, n)
	_, _ = r.Read(b)
	return "\x89PNG\r\n\x1a\n" + string(b)
}

// gallery is a blog with pictures of 2 MB each, which readers may clone.
func gallery(pictures int) map[string]string {
	files := map[string]string{"site.yaml": "title: Notebook\ngit: true\n"}
	for i := range pictures {
		files[fmt.Sprintf("picture-%02d.png", i)] = noise(uint64(i), 2<<20)
	}
	return exhibit(files)
}

// exhibit adds the posts of the notebook, and one that shows all the pictures:
// what no post shows is not the readers'.
func exhibit(files map[string]string) map[string]string {
	post := "---\ntitle: Pictures\ndate: 2020-02-02\n---\n"
	for name := range files {
		if strings.HasSuffix(name, ".png") {
			post += "![A picture](" + name + ")\n\n"
		}
	}
	for name, text := range notebook {
		if name != "site.yaml" {
			files[name] = text
		}
	}
	files["pictures.md"] = post
	return files
}

// Sessions that take the places for copying and say nothing.
func TestAttackSilentCopies(t *testing.T) {
	a := attack(t, gallery(1))
	for range 4 {
		c := a.mustLogin("127.0.0.5")
		for range 4 {
			s, err := c.NewSession()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.StdinPipe(); err != nil {
				t.Fatal(err)
			}
			if err := s.RequestSubsystem("sftp"); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 4 {
		c := a.mustLogin("127.0.0.6")
		s, err := c.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.StdinPipe(); err != nil {
			t.Fatal(err)
		}
		if err := s.Start("rsync --server --sender -logDtpre.iLsfxCIvu . ."); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(300 * time.Millisecond) // they have taken what they get
	for _, copies := range [][]string{
		{"rsync", "-a", "blog:picture-00.png"},
		{"scp", "-F", "", "blog:picture-00.png"},
		{"git", "clone", "-q", "ssh://blog/blog"},
	} {
		t.Run(copies[0], func(t *testing.T) {
			outer := a.T
			a.T = t
			defer func() { a.T = outer }()
			c := a.client("127.0.0.7")
			to := filepath.Join(t.TempDir(), "copy")
			args := append(copies[1:len(copies):len(copies)], to)
			if args[0] == "-F" {
				args[1] = c.config
			}
			began := time.Now()
			said, err := c.run(30*time.Second, copies[0], args...)
			t.Logf("after %v", time.Since(began).Round(time.Millisecond))
			if err != nil {
				t.Errorf("%v: %s", err, said)
			}
		})
	}
}

// Who says nothing for a minute gives the place to others.
func TestAttackSilentCopiesEnd(t *testing.T) {
	if effort(0, 0, 1) == 0 {
		t.Skip("takes a minute")
	}
	t.Parallel()
	a := attack(t, notebook)
	for i, c := range []struct{ kind, argument string }{
		{"subsystem", "sftp"},
		{"exec", "scp -f arriving.md"},
		{"exec", "rsync --server --sender -logDtpre.iLsfxCIvu . ."},
	} {
		conn := a.raw(fmt.Sprintf("127.0.0.%d", 11+i))
		a.started(conn, 1<<20, c.kind, c.argument)
		t.Run(c.argument, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			late := time.AfterFunc(75*time.Second, func() { conn.Close() })
			defer late.Stop()
			for {
				p, err := conn.Receive()
				if err != nil {
					t.Fatalf("after %v: %v", time.Since(began), err)
				}
				if p[0] == rawssh.MsgChannelClose {
					break
				}
			}
			if took := time.Since(began); took < 50*time.Second {
				t.Errorf("after %v", took)
			}
		})
	}
}

// A post that is taken back is not in what a new clone brings.
