package sshd

import (
	"net"
	"syscall"
)

// setPeerTimeout makes the kernel end a connection whose peer has acknowledged
// nothing for peerTimeout. On a quiet connection TCP asks by itself
// (keep-alive); data under way it would send again and again for a quarter of
// an hour (RFC 5482; tcp(7), TCP_USER_TIMEOUT).
func setPeerTimeout(nc net.Conn) {
	const userTimeout = 18 // TCP_USER_TIMEOUT in ms, which package syscall does not name
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
		// A kernel that does not know it takes longer, that is all.
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, userTimeout, int(peerTimeout.Milliseconds()))
	})
}
