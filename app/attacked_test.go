package app_test

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"sheaf/app/internal/rawssh"
)

// The tests named Attack do to the running program what one client could do to
// it, and hold what it costs against what it may cost. The program has 512 MB
// (a control group where one can be made, else the collector's limit), its
// memory and that of the programs it runs are taken while the attack goes on,
// and a reader of another address reads all the while. An attack ends by itself
// after some seconds, whatever becomes of the server.

const memoryLimit = 512 << 20

// proxied is the flag of a server whose connections come through a proxy.
const proxied = "--proxy-protocol=127.0.0.0/8"

// attacked is the program while it is attacked.
type attacked struct {
	*watched
	idle time.Duration // what the other reader waits before the attack, at the 95th percentile
}

// peaks is what was used at the worst moment, in bytes.
type peaks struct {
	before   int // of the server, when it began
	server   int
	child    int            // of the largest program that the server ran
	all      int            // server and programs together
	disk     int            // of what is kept and copied beside the posts, more than when it began
	programs map[int]string // command lines, by process
}

func (p peaks) grown() int { return p.server - p.before }

func (p peaks) String() string {
	return fmt.Sprintf("server %d MB (%+d), largest program %d MB, together %d MB, %+d MB on the disk",
		p.server>>20, p.grown()>>20, p.child>>20, p.all>>20, p.disk>>20)
}

// attack starts the program for a test of what an attack costs.
func attack(t *testing.T, files map[string]string, flags ...string) *attacked {
	t.Helper()
	slow(t)
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
	if slowed {
		t.Skip("the race detector changes the figures")
	}
	group := memoryGroup(t)
	a := &attacked{watched: &watched{T: t, content: writeBlog(t, files), keys: filepath.Join(t.TempDir(), "keys"), logs: &lines{}, done: make(chan error, 1)}}
	if err := os.MkdirAll(a.keys, 0o700); err != nil {
		t.Fatal(err)
	}
	a.signer = authorKey(t, a.keys)
	args := append([]string{"serve", "--addr", "127.0.0.1:0", "--log", "json", "--content", a.content, "--keys", a.keys}, flags...)
	if group != "" {
		a.cmd = exec.Command("sh", append([]string{"-c", `echo $$ >"$0" && exec sheaf "$@"`, filepath.Join(group, "cgroup.procs")}, args...)...)
	} else {
		a.cmd = exec.Command("sheaf", args...)
		a.cmd.Env = append(os.Environ(), fmt.Sprintf("GOMEMLIMIT=%d", memoryLimit/10*9))
	}
	a.start()
	if slices.Contains(flags, proxied) {
		return a // nobody comes without a proxy
	}
	// What is made once is made before anything is measured.
	for range 4 {
		c := a.mustLogin("127.0.0.8")
		for _, command := range []string{"ls", "help", "latest"} {
			a.says(c, command, "")
		}
		if s, err := a.screen(c, 80, 24); err == nil {
			s.Close()
		}
		c.Close()
	}
	a.idle = p95(a.reads(400 * time.Millisecond))
	return a
}

// memoryGroup makes a control group that bounds memory, "" where that cannot
// be done.
func memoryGroup(t *testing.T) string {
	limit := "memory.max"
	parent := "/sys/fs/cgroup"
	if _, err := os.Stat(filepath.Join(parent, "cgroup.controllers")); err != nil {
		parent, limit = "/sys/fs/cgroup/memory", "memory.limit_in_bytes" // version 1
	} else {
		_ = os.WriteFile(filepath.Join(parent, "cgroup.subtree_control"), []byte("+memory"), 0o644)
	}
	dir, err := os.MkdirTemp(parent, "sheaf-attack-")
	if err != nil {
		return ""
	}
	t.Cleanup(func() {
		for range 100 { // its processes are on their way out
			if os.Remove(dir) == nil {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
		t.Logf("%s stays", dir)
	})
	if err := os.WriteFile(filepath.Join(dir, limit), []byte(strconv.Itoa(memoryLimit)), 0o644); err != nil {
		return ""
	}
	return dir
}

// during runs an attack and gives what was used while it went on. A server
// that did not live through it, or used more than it has, fails the test.
func (a *attacked) during(run func()) peaks {
	a.Helper()
	pid := a.cmd.Process.Pid
	// From now on VmHWM is the peak of the attack (proc(5)).
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0o200)
	p := peaks{before: a.memory(), programs: map[int]string{}}
	disk := a.disk()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		var last time.Time
		for {
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
			}
			now := status(pid, "VmRSS:")
			p.server = max(p.server, now)
			children := descendants(pid)
			for _, child := range children {
				now += status(child, "VmRSS:")
				p.child = max(p.child, status(child, "VmHWM:"))
				if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", child)); err == nil && len(b) > 0 {
					p.programs[child] = strings.ReplaceAll(string(b), "\x00", " ")
				}
			}
			p.all = max(p.all, now)
			if time.Since(last) > 100*time.Millisecond {
				p.disk = max(p.disk, a.disk()-disk)
				last = time.Now()
			}
		}
	}()
	run()
	close(stop)
	<-stopped
	p.disk = max(p.disk, a.disk()-disk)
	most := status(pid, "VmHWM:")
	p.server = max(p.server, most)
	a.Logf("%v", p)
	if most == 0 {
		err := <-a.done
		a.done <- err
		a.Fatalf("the server has ended: %v", err)
	}
	if p.all = max(p.all, p.server); p.all > memoryLimit {
		a.Errorf("%d MB were used", p.all>>20)
	}
	return p
}

// atMost holds what an attack has cost against what it may cost.
func (a *attacked) atMost(what string, used, bound int) {
	a.Helper()
	if used > bound {
		a.Errorf("%s: %d MB, %d may be", what, used>>20, bound>>20)
	}
}

// status reads a number of kilobytes of a process, as bytes; 0 when it is gone.
func status(pid int, field string) int {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == field {
			n, _ := strconv.Atoi(f[1])
			return n << 10
		}
	}
	return 0
}

// descendants are the processes that a process has started, and theirs.
func descendants(pid int) (all []int) {
	parents := map[int]int{}
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		n, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", n))
		stat := string(b)
		if f := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:]); len(f) > 1 {
			parents[n], _ = strconv.Atoi(f[1])
		}
	}
	for n := range parents {
		for up := parents[n]; up > 1; up = parents[up] {
			if up == pid {
				all = append(all, n)
				break
			}
		}
	}
	return all
}

// disk is what the server keeps and copies beside the posts.
func (a *attacked) disk() (n int) {
	seen := map[uint64]bool{}
	_ = filepath.WalkDir(filepath.Join(a.content, ".sheaf"), func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // gone meanwhile
		}
		if info, err := d.Info(); err == nil {
			if s, ok := info.Sys().(*syscall.Stat_t); ok && !seen[s.Ino] {
				seen[s.Ino] = true
				n += int(s.Blocks) * 512
			}
		}
		return nil
	})
	return n
}

// reads is what the other reader waits for the list, again and again for some
// time.
func (a *attacked) reads(long time.Duration) (took []time.Duration) {
	a.Helper()
	c, err := a.reader("127.0.0.9")
	if err != nil {
		a.Errorf("another reader is not let in: %v", err)
		return []time.Duration{time.Hour}
	}
	defer c.Close()
	for end := time.Now().Add(long); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		began := time.Now()
		s, err := c.NewSession()
		if err != nil {
			a.Errorf("another reader gets no session: %v", err)
			return append(took, time.Hour)
		}
		timer := time.AfterFunc(20*time.Second, func() { c.Close() })
		out, err := s.CombinedOutput("ls")
		timer.Stop()
		if err != nil {
			a.Errorf("another reader reads %q: %v", out, err)
			return append(took, time.Hour)
		}
		took = append(took, time.Since(began))
	}
	return took
}

func p95(took []time.Duration) time.Duration {
	slices.Sort(took)
	return took[len(took)*95/100]
}

// othersRead fails if the other reader waits longer than 0.3 s while an attack
// goes on, or than a machine that is busy with something else makes it wait.
func (a *attacked) othersRead(took []time.Duration) {
	a.Helper()
	bound := max(300*time.Millisecond, 10*a.idle)
	got := p95(took)
	a.Logf("another reader waits %v at the 95th percentile of %d, %v without the attack", got.Round(time.Millisecond), len(took), a.idle.Round(time.Millisecond))
	if got > bound {
		a.Errorf("another reader waits %v", got)
	}
}

// raw logs in with the client that sends anything.
func (a *attacked) raw(local string) *rawssh.Conn {
	a.Helper()
	c, err := rawssh.Dial(a.addr, rawssh.Config{User: "guest", Local: local})
	if err != nil {
		a.Fatal(err)
	}
	a.Cleanup(func() { c.Close() })
	return c
}

// started opens a session with a shell, a command or a subsystem in it; "" is
// one in which nothing has been asked for.
func (a *attacked) started(c *rawssh.Conn, window uint32, kind, argument string) uint32 {
	a.Helper()
	ch, err := c.Session(window)
	if err != nil {
		a.Fatal(err)
	}
	if kind == "shell" {
		err = c.Send(rawssh.Request(ch, "pty-req", false, ssh.Marshal(ptyRequest{Term: "xterm", Cols: 80, Rows: 24})))
	}
	if kind != "" && err == nil {
		err = c.Start(ch, kind, argument)
	}
	if err != nil {
		a.Fatal(err)
	}
	return ch
}

// output runs a command with the client that sends anything.
func output(c *rawssh.Conn, command string) (said string, err error) {
	ch, err := c.Session(1 << 20)
	if err == nil {
		err = c.Send(rawssh.Request(ch, "exec", false, ssh.Marshal(struct{ Command string }{command})))
	}
	for err == nil {
		var p []byte
		if p, err = c.Receive(); err != nil {
			break
		}
		switch p[0] {
		case rawssh.MsgChannelData:
			said += string(p[9:])
		case rawssh.MsgChannelClose:
			return said, c.Send(rawssh.Message(rawssh.MsgChannelClose, struct{ Channel uint32 }{ch}))
		}
	}
	return said, err
}

// flood sends the same packets again and again until the server drops the
// connection or the time is over. It gives how many it sent and for how long.
func flood(c *rawssh.Conn, limit time.Duration, packets ...[]byte) (sent int, took time.Duration, dropped bool) {
	began := time.Now()
	var late sync.Once
	dropped = true
	timer := time.AfterFunc(limit, func() { late.Do(func() { dropped = false; c.Close() }) })
	defer timer.Stop()
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		for {
			if _, err := c.Receive(); err != nil {
				return
			}
		}
	}()
	for c.Send(packets...) == nil {
		sent += len(packets)
	}
	<-gone
	late.Do(func() {}) // what the timer would change is read now
	return sent, time.Since(began), dropped
}

// again gives a packet so many times.
func again(n int, packet []byte) [][]byte { return slices.Repeat([][]byte{packet}, n) }
