package sshd

import "io"

// chunk is what a client must be able to take within Limits.Stall.
const chunk = 16 << 10

// output writes to a channel; a client that stops reading loses its connection.
// A file that is taken shows that somebody is there, a screen does not.
type output struct {
	w  io.Writer
	ch *channel
}

func (o *output) Write(p []byte) (n int, err error) {
	c := o.ch.conn
	for first := true; first || len(p) > 0; first = false {
		part := p[:min(len(p), chunk)]
		t := c.srv.after(c.srv.limits.Stall, func() { c.drop("a write was not taken", false) })
		k, err := o.w.Write(part)
		t.Stop()
		n += k
		if err != nil {
			return n, err
		}
		if o.ch.copies.Load() {
			c.touch()
		}
		p = p[len(part):]
	}
	return n, nil
}
