package app_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// BenchmarkThousandPosts sends a thousand posts to a blog and to a plain folder
// over OpenSSH, by rsync and by git push, side by side. "x" is how many times
// longer the blog takes.
func BenchmarkThousandPosts(b *testing.B) {
	posts := b.TempDir()
	words := strings.Fields("a post of words that mean nothing and yet fill the page as words of that kind do")
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 1000 {
		text := fmt.Appendf(nil, "---\ntitle: Post %d\ndate: 2021-04-%02d\n---\n", i, i%28+1)
		for range 600 {
			text = append(append(text, words[r.IntN(len(words))]...), ' ')
		}
		if err := os.WriteFile(filepath.Join(posts, fmt.Sprintf("post-%d.md", i)), text, 0o644); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("rsync", func(b *testing.B) {
		sideBySide(b, func(s *side, fresh string) {
			s.run(b, posts, "rsync", "-a", "-e", s.ssh, "./", s.address+fresh+"/posts/")
		})
	})
	b.Run("git", func(b *testing.B) {
		sideBySide(b, func(s *side, fresh string) {
			s.run(b, s.work, "git", "push", "-q", "origin", "HEAD:main")
		}, func(s *side, fresh string) {
			s.work = filepath.Join(b.TempDir(), "work")
			s.run(b, "/", "git", "clone", "-q", s.address+fresh+"/blog.git", s.work)
			if err := os.CopyFS(filepath.Join(s.work, "posts"), os.DirFS(posts)); err != nil {
				b.Fatal(err)
			}
			s.run(b, s.work, "git", "add", ".")
			s.run(b, s.work, "git", "commit", "-q", "-m", "a thousand posts")
		})
	})
}

// side is one of the two servers as its client knows it.
type side struct {
	ssh     string // the command
	address string // what comes before the path
	work    string
}

func (s *side) run(b *testing.B, dir, program string, args ...string) {
	b.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_SSH_COMMAND="+s.ssh, "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.org", "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.org")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%s %q: %v\n%s", program, args, err, out)
	}
}

// sideBySide times send to both, each time to an empty folder, after prepare.
func sideBySide(b *testing.B, send func(s *side, fresh string), prepare ...func(s *side, fresh string)) {
	keys := b.TempDir()
	key := filepath.Join(keys, "key")
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key).CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	public, err := os.ReadFile(key + ".pub")
	if err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(keys, "authors"), public, 0o600); err != nil {
		b.Fatal(err)
	}
	client := func(addr string) string {
		_, port, _ := net.SplitHostPort(addr)
		return "ssh -F none -p " + port + " -i " + key + " -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o IdentitiesOnly=yes"
	}
	plain := &side{ssh: client(openSSH(b, keys)), address: "127.0.0.1:"}
	var ours, theirs time.Duration
	for b.Loop() {
		content := b.TempDir()
		server, addr := process(b, content, keys)
		blog := &side{ssh: client(addr), address: "127.0.0.1:"}
		folder := b.TempDir()
		if out, err := exec.Command("git", "init", "-q", "--bare", filepath.Join(folder, "blog.git")).CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
		for _, p := range prepare {
			p(blog, "")
			p(plain, folder)
		}
		if err := os.MkdirAll(filepath.Join(folder, "posts"), 0o755); err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		send(blog, "")
		ours += time.Since(began)
		began = time.Now()
		send(plain, folder)
		theirs += time.Since(began)
		if got, _ := filepath.Glob(filepath.Join(content, "posts", "*.md")); len(got) != 1000 {
			b.Fatalf("%d posts arrived", len(got))
		}
		server.Process.Kill()
		server.Wait()
	}
	b.ReportMetric(float64(ours.Milliseconds())/float64(b.N), "ms/blog")
	b.ReportMetric(float64(theirs.Milliseconds())/float64(b.N), "ms/openssh")
	b.ReportMetric(float64(ours)/float64(theirs), "x")
}

// openSSH starts OpenSSH's server for this user and gives its address.
func openSSH(b *testing.B, keys string) string {
	b.Helper()
	program, err := exec.LookPath("sshd")
	if err != nil {
		if program = "/usr/sbin/sshd"; exec.Command(program, "-V").Err != nil {
			b.Skip("no sshd to compare with")
		}
	}
	dir := b.TempDir()
	hostKey := filepath.Join(dir, "host_key")
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", hostKey).CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	if os.Getuid() == 0 {
		_ = os.MkdirAll("/run/sshd", 0o755)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	config := filepath.Join(dir, "sshd_config")
	if err := os.WriteFile(config, fmt.Appendf(nil, "ListenAddress %s\nHostKey %s\nAuthorizedKeysFile %s\nPidFile none\nStrictModes no\nUsePAM no\nPermitRootLogin yes\n",
		addr, hostKey, filepath.Join(keys, "authors")), 0o600); err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(program, "-D", "-e", "-f", config)
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	for range 100 {
		c, err := ssh.Dial("tcp", addr, &ssh.ClientConfig{User: "nobody", HostKeyCallback: ssh.InsecureIgnoreHostKey(), Timeout: time.Second})
		if err == nil {
			c.Close()
		}
		if err != nil && strings.Contains(err.Error(), "unable to authenticate") {
			return addr
		}
		time.Sleep(50 * time.Millisecond)
	}
	b.Fatal("sshd does not answer")
	return ""
}
