package sshd

import (
	"net"
	"net/netip"
	"slices"

	"github.com/pires/go-proxyproto"
)

// behindProxies makes connections from the networks of proxies tell whose they
// are: they have to begin with a header of the PROXY protocol, within the time
// of a handshake. From everywhere else, such a header is a line before the
// handshake and decides nothing.
func (s *Server) behindProxies(l net.Listener) net.Listener {
	return &proxyproto.Listener{
		Listener:          l,
		ReadHeaderTimeout: s.limits.Handshake,
		ConnPolicy: func(o proxyproto.ConnPolicyOptions) (proxyproto.Policy, error) {
			if a, ok := o.Upstream.(*net.TCPAddr); ok {
				ip := a.AddrPort().Addr().Unmap().WithZone("")
				if slices.ContainsFunc(s.proxies, func(p netip.Prefix) bool { return p.Contains(ip) }) {
					return proxyproto.REQUIRE, nil
				}
			}
			return proxyproto.SKIP, nil
		},
	}
}
