package app_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// Options of compression that make the far end's program large, and blocks as
// large as can be asked for.
func TestAttackCompressionOfRsync(t *testing.T) {
	for _, options := range [][]string{
		{"-az", "--zc=zstd", "--zl=22"},
		{"-az", "--zc=zstd", "--zl=22", "--compress-threads=8"},
		{"-az", "--new-compress", "--zl=9"},
		{"-a", "--block-size=131072"},
	} {
		t.Run(strings.Join(options, " "), func(t *testing.T) {
			a := attack(t, gallery(4))
			c := a.client("127.0.0.5")
			var others []time.Duration
			to := filepath.Join(t.TempDir(), "copy")
			used := a.during(func() {
				var wg sync.WaitGroup
				wg.Go(func() {
					said, err := c.run(20*time.Second, "rsync", append(options, "blog:", to+"/")...)
					if err != nil && !strings.Contains(said, "leave it out") {
						t.Errorf("%v: %.500s", err, said)
					} else if _, missing := os.Stat(filepath.Join(to, "picture-03.png")); err == nil && missing != nil {
						t.Errorf("%v: %.500s", missing, said)
					}
				})
				wg.Go(func() { others = a.reads(2 * time.Second) })
				wg.Wait()
			})
			a.atMost("the program rsync", used.child, 64<<20)
			a.atMost("the server", used.grown(), 64<<20)
			a.othersRead(others)
		})
	}
}

// The feed is the longest answer there is, for many who do not read it.
func TestAttackFeedThatNobodyReads(t *testing.T) {
	a := attack(t, journal(60, 100<<10))
	var others []time.Duration
	used := a.during(func() {
		for i := range 12 {
			conn := a.raw(fmt.Sprintf("127.0.0.%d", 11+i))
			for range 4 {
				a.started(conn, 64<<10, "exec", "feed")
			}
		}
		others = a.reads(3 * time.Second)
	})
	a.atMost("48 readers of the feed", used.grown(), 32<<20)
	a.othersRead(others)
}

// Clones that are cut while the view for them is made.
func TestAttackClonesThatAreCut(t *testing.T) {
	a := attack(t, gallery(32))
	const blog = 64 << 20
	c := a.client("127.0.0.5")
	c.adopted()
	used := a.during(func() {
		for i := range 6 {
			_, _ = c.run(time.Duration(200+100*i)*time.Millisecond, "git", "clone", "-q", "ssh://blog/blog", filepath.Join(t.TempDir(), "cut"))
		}
		// Whoever waits for it gets it in the end.
		var wg sync.WaitGroup
		for i := range 2 {
			other, to := a.client(fmt.Sprintf("127.0.0.%d", 6+i)), filepath.Join(t.TempDir(), "clone")
			wg.Go(func() {
				if said, err := other.run(time.Minute, "git", "clone", "-q", "ssh://blog/blog", to); err != nil {
					t.Errorf("%v: %s", err, said)
				} else if _, err := os.Stat(filepath.Join(to, "picture-31.png")); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	})
	makers := 0
	for _, command := range used.programs {
		if strings.Contains(command, "fast-import") {
			makers++
		}
	}
	if makers != 1 {
		t.Errorf("the view was begun %d times", makers)
	}
	a.atMost("what the view takes while it is made", used.disk, 2*blog)
	a.until("no program runs", func() bool { return len(descendants(a.cmd.Process.Pid)) == 0 })
	var left []string
	_ = filepath.WalkDir(filepath.Join(a.content, ".sheaf"), func(p string, d fs.DirEntry, err error) error {
		if err == nil && (strings.HasPrefix(d.Name(), "tmp_") || strings.HasPrefix(d.Name(), "fast_import")) {
			left = append(left, p)
		}
		return nil
	})
	if len(left) > 0 {
		t.Errorf("%d half-made packs are left: %q", len(left), left[0])
	}
}

// What is taken back is not in what a new clone brings.
func TestAttackHistoryOfAClone(t *testing.T) {
	const secret = "the words that should not have been said"
	a := attack(t, gallery(1))
	ada := a.author()
	publish := func(text string) {
		t.Helper()
		if out := a.says(ada, "publish slip.md", "---\ntitle: A slip\ndate: 2022-01-01\n---\n"+text+"\n"); !strings.Contains(out, "ssh -t ") {
			t.Fatal(out)
		}
	}
	// In all that came, whether a branch leads to it or not.
	isThere := func(from string) bool {
		t.Helper()
		c, to := a.client(from), filepath.Join(t.TempDir(), "clone")
		for _, args := range [][]string{
			{"clone", "-q", "ssh://blog/blog", to},
			{"-C", to, "cat-file", "--batch-all-objects", "--batch"},
		} {
			said, err := c.run(30*time.Second, "git", args...)
			if err != nil {
				t.Fatalf("%v: %.500s", err, said)
			}
			if strings.Contains(said, secret) {
				return true
			}
		}
		return false
	}
	publish("These are " + secret + ".")
	if !isThere("127.0.0.5") {
		t.Fatal("what is published is not in the clone")
	}
	publish("These are others.")
	if isThere("127.0.0.6") {
		t.Error("what was edited out is in a new clone")
	}
	publish("Again " + secret + ".")
	if !isThere("127.0.0.7") {
		t.Fatal("what is published again is not in the clone")
	}
	for _, command := range []string{"unpublish slip", "rm slip"} {
		if out := a.says(ada, command, ""); strings.Contains(out, "sheaf: ") {
			t.Fatalf("%s: %s", command, out)
		}
	}
	if isThere("127.0.0.6") {
		t.Error("what was removed is in a new clone")
	}
}

// adopted waits until the server has taken the files into its history.
func (c client) adopted() {
	c.Helper()
	if said, err := c.run(time.Minute, "scp", "-F", c.config, "blog:pictures.md", c.TempDir()); err != nil {
		c.Fatalf("%v: %s", err, said)
	}
}

// Copies of the blog for programs whose clients say nothing.
func TestAttackSlowRsyncs(t *testing.T) {
	a := attack(t, gallery(16))
	const blog = 32 << 20
	a.client("127.0.0.5").adopted()
	began := a.disk()
	var conns []*ssh.Client
	used := a.during(func() {
		for i := range 4 {
			c := a.mustLogin(fmt.Sprintf("127.0.0.%d", 11+i))
			conns = append(conns, c)
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
		a.until("four programs run", func() bool {
			n := 0
			for _, pid := range descendants(a.cmd.Process.Pid) {
				b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
				if strings.Contains(string(b), "--sender") {
					n++
				}
			}
			return n >= 4
		})
	})
	a.atMost("four copies", used.disk, blog+blog/4)
	a.atMost("the server", used.grown(), 32<<20)
	for _, c := range conns {
		c.Close()
	}
	a.until("the copy is gone", func() bool { return a.disk()-began < blog/4 })
}

// Handles on a large file, and the memory that authors upload with.
func TestAttackHandlesOnALargeFile(t *testing.T) {
	const large = 15 << 20
	a := attack(t, exhibit(map[string]string{"large.png": noise(1, large)}))
	a.client("127.0.0.5").adopted()
	began, opened := a.disk(), 0
	var conns []*ssh.Client
	used := a.during(func() {
		for i := range 4 {
			c := a.mustLogin(fmt.Sprintf("127.0.0.%d", 11+i))
			conns = append(conns, c)
			for range 2 {
				n, err := openAll(c, "large.png", 16)
				if opened += n; err != nil {
					t.Errorf("%d of 16 are opened: %v", n, err)
				}
			}
		}
	})
	t.Logf("%d handles", opened)
	a.atMost("all readers", used.grown(), 2*large+(16<<20))
	a.atMost("the disk", used.disk, large+large/4)
	up, err := sftp.NewClient(a.author())
	if err != nil {
		t.Fatal(err)
	}
	defer up.Close()
	f, err := up.Create("new.png")
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(f, strings.NewReader(noise(2, large)))
	if err = errors.Join(err, f.Close()); err != nil {
		t.Errorf("meanwhile the author cannot upload: %v", err)
	}
	for _, c := range conns {
		c.Close()
	}
	a.until("the copy is gone", func() bool { return a.disk()-began < 2*large })
}

// openAll opens a file so many times in one session, which stays open.
func openAll(c *ssh.Client, path string, n int) (opened int, err error) {
	s, err := sftp.NewClient(c)
	if err != nil {
		return 0, err
	}
	for range n {
		f, err := s.Open(path)
		if err == nil {
			_, err = f.ReadAt(make([]byte, 1<<10), 14<<20)
		}
		if err != nil {
			return opened, err
		}
		opened++
	}
	return opened, nil
}
