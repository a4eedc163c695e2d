package app

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"

	"sheaf/app/markdown"
)

// firstSocket is the descriptor of the first socket that systemd passes.
const firstSocket = 3

// listen takes over the socket that systemd has opened for the program
// (sd_listen_fds(3)), or else listens on the address.
func (c serve) listen(p Process) (net.Listener, error) {
	n, err := passedSockets(p.Env, os.Getpid())
	switch {
	case err != nil:
		return nil, err
	case n > 1:
		return nil, fmt.Errorf("systemd passes %d sockets; one ListenStream is served", n)
	case n == 1:
		syscall.CloseOnExec(firstSocket)
		f := os.NewFile(firstSocket, "LISTEN_FD_3")
		defer f.Close()
		l, err := net.FileListener(f)
		if err != nil {
			return nil, fmt.Errorf("the socket of systemd: %w", reason(err))
		}
		return l, nil
	}
	l, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", c.Addr, reason(err))
	}
	return l, nil
}

// passedSockets is how many sockets the environment passes to the process pid.
// pid.
func passedSockets(env []string, pid int) (int, error) {
	var whose, count string
	for _, e := range env {
		if v, ok := strings.CutPrefix(e, "LISTEN_PID="); ok {
			whose = v
		}
		if v, ok := strings.CutPrefix(e, "LISTEN_FDS="); ok {
			count = v
		}
	}
	if whose != strconv.Itoa(pid) {
		return 0, nil
	}
	n, err := strconv.Atoi(count)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("LISTEN_FDS=%s: not a number of sockets", markdown.Line(count))
	}
	return n, nil
}
