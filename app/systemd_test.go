package app_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/crypto/ssh"
)

// systemd listens, and hands the socket over: connections that come while the
// program is not there wait for it.
func TestSystemdHandsTheSocketOver(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	content, keys := writeBlog(t, notebook), filepath.Join(t.TempDir(), "keys")
	for round := range 2 {
		early, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		w := &watched{T: t, logs: &lines{}, done: make(chan error, 1)}
		w.cmd = exec.Command("sh", "-c", "LISTEN_PID=$$ LISTEN_FDS=1 exec sheaf serve --addr 127.0.0.1:1 --log json --content "+content+" --keys "+keys)
		w.cmd.ExtraFiles = []*os.File{f}
		w.start()
		if w.addr != l.Addr().String() {
			t.Fatalf("it listens on %s", w.addr)
		}
		conn, chans, reqs, err := ssh.NewClientConn(early, w.addr, &ssh.ClientConfig{User: "guest", HostKeyCallback: ssh.InsecureIgnoreHostKey()})
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if out := w.says(ssh.NewClient(conn, chans, reqs), "ls", ""); !strings.Contains(out, "arriving") {
			t.Error(out)
		}
		w.cmd.Process.Signal(syscall.SIGTERM)
		if err := <-w.done; err != nil {
			t.Errorf("round %d: %v", round, err)
		}
		w.done <- nil
		early.Close()
	}
}
