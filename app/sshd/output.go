package sshd

import "io"

// chunk is what a client must be able to take within Limits.Stall.
const chunk = 16 << 10

// output writes to a channel; a client that stops reading loses its connection.
type output struct {
	w    io.Writer
	conn *conn
}

func (o *output) Write(p []byte) (n int, err error) {
	for first := true; first || len(p) > 0; first = false {
		part := p[:min(len(p), chunk)]
		t := o.conn.srv.after(o.conn.srv.limits.Stall, func() { o.conn.drop("a write was not taken") })
		k, err := o.w.Write(part)
		t.Stop()
		n += k
		if err != nil {
			return n, err
		}
		p = p[len(part):]
	}
	return n, nil
}
