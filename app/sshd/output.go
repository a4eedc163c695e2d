package sshd

import "io"

// chunk is how many bytes a client has to take within Limits.Stall.
const chunk = 16 << 10

// output writes to a channel. A client that stops reading loses its connection.
// Taking the bytes of a file shows that somebody is there; taking those of a
// screen does not.
type output struct {
	w  io.Writer
	ch *channel
}

func (o *output) Write(p []byte) (n int, err error) {
	c := o.ch.conn
	for first := true; first || len(p) > 0; first = false {
		part := p[:min(len(p), chunk)]
		t := c.srv.after(c.srv.limits.Stall, func() { c.drop("a write was not taken", false) })
		written, err := o.w.Write(part)
		t.Stop()
		n += written
		if err != nil {
			return n, err
		}
		if o.ch.copying.Load() {
			o.ch.touch()
		}
		p = p[len(part):]
	}
	return n, nil
}
