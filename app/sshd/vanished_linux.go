package sshd

import (
	"net"
	"syscall"
)

// noticeVanished makes the kernel end a connection whose peer has acknowledged
// nothing for the time gone. When nothing is under way TCP asks by itself
// (keep-alive); what is under way it would send again for a quarter of an hour
// (RFC 5482; tcp(7), TCP_USER_TIMEOUT).
func noticeVanished(nc net.Conn) {
	const userTimeout = 18 // TCP_USER_TIMEOUT, in ms, which package syscall does not name
	if p, ok := nc.(interface{ TCPConn() (*net.TCPConn, bool) }); ok {
		if tcp, ok := p.TCPConn(); ok {
			nc = tcp
		}
	}
	s, ok := nc.(syscall.Conn)
	if !ok {
		return
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		// A system that does not know it only takes longer.
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, userTimeout, int(gone.Milliseconds()))
	})
}
