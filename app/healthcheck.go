package app

import (
	"context"
	"fmt"
	"net"
	"time"

	"sheaf/app/sshd"
)

// healthcheck is the command that asks a server whether it is well.
type healthcheck struct {
	Addr string `env:"SHEAF_ADDR" default:":2222" placeholder:"HOST:PORT" help:"The server's address (${default}, $$${env})."`
}

// Run does a whole SSH handshake with the server, within four seconds.
func (c healthcheck) Run(ctx context.Context) error {
	host, port, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return fmt.Errorf("%w: address %s: %w", errUsage, c.Addr, err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	ctx, cancel := context.WithTimeout(ctx, 4*time.Second)
	defer cancel()
	if err := sshd.Check(ctx, net.JoinHostPort(host, port)); err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}
	return nil
}
