package sshd

import (
	"context"
	"fmt"
	"net"

	gossh "golang.org/x/crypto/ssh"
)

// Check shakes hands with the server at addr as a guest, and hangs up. The
// error says why that failed, or is that of ctx. Any host key is accepted:
// nothing secret is said, and whoever asks runs the server.
func Check(ctx context.Context, addr string) error {
	var d net.Dialer
	nc, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { nc.Close() })
	defer stop()
	defer nc.Close()
	c, chans, reqs, err := gossh.NewClientConn(nc, addr, &gossh.ClientConfig{
		User:            "guest",
		HostKeyCallback: gossh.InsecureIgnoreHostKey(),
		ClientVersion:   "SSH-2.0-sheaf_check",
	})
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return fmt.Errorf("handshake with %s: %w", addr, err)
	}
	go gossh.DiscardRequests(reqs)
	go func() {
		for nc := range chans {
			_ = nc.Reject(gossh.Prohibited, "")
		}
	}()
	return c.Close()
}
