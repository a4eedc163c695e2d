package sshd

import (
	"errors"
	"net"
	"os"
	"syscall"
)

// limitDescriptors refuses a connection when the process has no descriptor
// left.
const limitDescriptors = "descriptors"

// spareListener keeps a descriptor for a client that comes when there is no
// other left: it is told so, instead of waiting for an answer that never comes.
// One is told at a time, and nobody is accepted meanwhile.
type spareListener struct {
	net.Listener
	srv   *Server
	spare *os.File // nil when it could not be opened
}

func (l *spareListener) Accept() (net.Conn, error) {
	for {
		nc, err := l.Listener.Accept()
		if err == nil || l.spare == nil || !errors.Is(err, syscall.EMFILE) && !errors.Is(err, syscall.ENFILE) {
			return nc, err
		}
		l.spare.Close()
		nc, err = l.Listener.Accept() // may wait until others are free again
		if l.spare, _ = os.Open(os.DevNull); err != nil || l.spare != nil {
			return nc, err
		}
		l.srv.refuseLate(nc)
		l.spare, _ = os.Open(os.DevNull)
	}
}

// refuseLate tells a client that there is no descriptor for it.
func (s *Server) refuseLate(nc net.Conn) {
	defer nc.Close()
	s.counts.refuse(limitDescriptors)
	s.gate.mu.Lock()
	s.gate.logRefusal(limitDescriptors, network(nc.RemoteAddr()))
	s.gate.mu.Unlock()
	s.tell(nc, limitDescriptors, tellTime/5)
}
