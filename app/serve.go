package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"sheaf/app/blog"
	"sheaf/app/markdown"
	"sheaf/app/sshd"
	"sheaf/app/store"
	"sheaf/app/transfer"
	"sheaf/app/typeset"
)

// pageCache bounds the memory of typeset pages, in bytes. All sessions share
// them.
const pageCache = 64 << 20

// drain is how long sessions have to end once the server has been told to stop.
const drain = 5 * time.Second

// serve is the command that serves a blog.
type serve struct {
	Addr    string     `env:"SHEAF_ADDR" default:":2222" placeholder:"HOST:PORT" help:"Where to listen (${default}, $$${env})."`
	Content string     `env:"SHEAF_CONTENT" default:"content" placeholder:"DIR" help:"The folder of posts (${default}, $$${env})."`
	Keys    string     `env:"SHEAF_KEYS" default:"keys" placeholder:"DIR" help:"Host key and authors' keys (${default}, $$${env})."`
	Authors string     `env:"SHEAF_AUTHORS" placeholder:"KEYS" help:"More authors: lines of keys/authors as text; they are written nowhere ($$${env})."`
	Starter string     `env:"SHEAF_STARTER" placeholder:"DIR" help:"A blog to begin with, copied when there is no content yet ($$${env})."`
	Host    blog.Host  `env:"SHEAF_HOST" placeholder:"HOST[:PORT]" help:"Where readers reach the blog, printed in addresses; HOST alone is at port 22 (from site.yaml, $$${env})."`
	History size       `env:"SHEAF_HISTORY" default:"all" placeholder:"SIZE" help:"How much old versions may take, such as 500MB (${default}, $$${env})."`
	Metrics string     `env:"SHEAF_METRICS" placeholder:"HOST:PORT" help:"Where to tell Prometheus of figures over HTTP; a port alone is on this machine only (nowhere, $$${env})."`
	Limits  limits     `embed:""`
	Log     string     `env:"SHEAF_LOG" enum:"text,json," default:"" placeholder:"text|json" help:"Form of the log; text on a terminal, else json ($$${env})."`
	Level   slog.Level `name:"log-level" env:"SHEAF_LOG_LEVEL" default:"info" placeholder:"LEVEL" help:"Least of what is logged: debug, info, warn or error (${default}, $$${env})."`
}

// Run serves until ctx ends, and then drains: sessions are told to end, and
// have the time drain for it. What it takes from the system (the address, the
// lock of the content, scratch files) is given back when it returns.
func (c serve) Run(ctx context.Context, p Process) error {
	log := c.logger(p)
	if err := c.copyStarter(); err != nil {
		return err
	}
	if st, err := os.Stat(c.Content); err != nil {
		return fmt.Errorf("content folder %s: %w", c.Content, reason(err))
	} else if !st.IsDir() {
		return fmt.Errorf("content folder %s: not a folder", c.Content)
	}
	l, err := c.listen(p)
	if err != nil {
		return err
	}
	defer l.Close()
	if err := c.hostKey(); err != nil {
		return err
	}
	if n := setMemoryLimit(p); n > 0 {
		log.Info("memory bounded", "bytes", n)
	}
	tree, err := store.Open(c.Content, log,
		store.Holder("serving "+l.Addr().String()), store.History(int64(c.History)))
	if err != nil {
		return damageHint(c.Content, err)
	}
	defer tree.Close()
	b, err := blog.Open(ctx, blog.Config{Store: tree, Now: time.Now, Log: log, Limits: c.Limits.change()})
	if err != nil {
		return err
	}
	defer b.Close()
	scratch, remove, err := c.scratchFolder()
	if err != nil {
		return err
	}
	defer remove()
	figures := &metrics{setter: typeset.New(pageCache), blog: b, version: buildVersion(p.Version)}
	files, err := transfer.New(transfer.Config{Scratch: scratch, Log: log, AuthorsOnly: !c.Limits.ReaderPrograms})
	if err != nil {
		return err
	}
	defer files.Close()
	if figures.server, err = c.newServer(b, figures.setter, files, figures.version, log); err != nil {
		return err
	}
	if c.Metrics != "" {
		stop, err := figures.serve(c.Metrics, tree, log)
		if err != nil {
			return err
		}
		defer stop()
	}
	if err := c.greet(ctx, p, log, b, figures.server, l.Addr()); err != nil {
		return err
	}
	return serveUntil(ctx, figures.server, l, func() {
		figures.draining.Store(true)
		log.Info("draining", "wait", drain.String())
	})
}

// greet tells that the server listens: people on a terminal in a few lines,
// machines in the log.
func (c serve) greet(
	ctx context.Context, p Process, log *slog.Logger, b *blog.Blog, srv *sshd.Server, addr net.Addr,
) error {
	e := b.Reader().Edition()
	g := greeting{
		content: c.Content,
		posts:   len(e.Posts()),
		addr:    addr,
		host:    cmp.Or(c.Host, e.Site().Host),
		keys:    c.Keys,
		authors: srv.Authors(),
		lacking: transfer.Lacking(ctx),
	}
	if c.Log == "" && isTerminal(p.Stderr) {
		k, err := sshd.ReadHostKey(c.Keys)
		if err != nil {
			return err
		}
		g.fingerprint = k.Fingerprint
		g.write(p.Stderr)
		return nil
	}
	if g.unnamed() {
		log.Warn("printed addresses say HOST: no --host, and none in site.yaml")
	}
	for _, err := range g.lacking {
		log.Warn("program lacking", "why", err.Error())
	}
	log.Info("listening", "addr", addr.String(), "content", c.Content, "posts", g.posts)
	return nil
}

// serveUntil serves until ctx ends, calls draining, and ends the sessions.
// Those that have not ended in time are cut, which is no error.
func serveUntil(ctx context.Context, srv *sshd.Server, l net.Listener, draining func()) error {
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	draining()
	end, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	if err := srv.Shutdown(end); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return <-served
}

// newServer makes the SSH server with all rooms behind it.
func (c serve) newServer(
	b *blog.Blog, setter *typeset.Setter, files *transfer.Transfer, version string, log *slog.Logger,
) (*sshd.Server, error) {
	return sshd.New(sshd.Config{
		Blog:     b,
		Setter:   setter,
		Transfer: files,
		Keys:     c.Keys,
		Authors:  c.Authors,
		Host:     c.Host,
		Log:      log,
		Version:  version,
		Limits:   c.Limits.clients(),
		Exempt:   c.Limits.PenaltyExempt,
		Proxies:  c.Limits.ProxyProtocol,
	})
}

// copyStarter copies the starter into a content folder that is empty or
// missing.
func (c serve) copyStarter() error {
	if c.Starter == "" {
		return nil
	}
	switch there, err := os.ReadDir(c.Content); {
	case err == nil && len(there) > 0:
		return nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("content folder %s: %w", c.Content, reason(err))
	}
	if err := os.CopyFS(c.Content, os.DirFS(c.Starter)); err != nil {
		return fmt.Errorf("starter %s into %s: %w", c.Starter, c.Content, reason(err))
	}
	return nil
}

// scratchFolder is where git and rsync get copies of the content to work on:
// beside the history, or in the system's temporary folder when the content is
// read-only, where remove deletes it.
func (c serve) scratchFolder() (dir string, remove func(), err error) {
	dir = filepath.Join(c.Content, ".sheaf", "scratch")
	if os.MkdirAll(dir, 0o700) == nil {
		if probe, err := os.MkdirTemp(dir, "probe-"); err == nil {
			return dir, func() {}, os.Remove(probe)
		}
	}
	dir, err = os.MkdirTemp("", "sheaf-")
	if err != nil {
		return "", nil, fmt.Errorf("a folder for scratch files: %w", reason(err))
	}
	return dir, func() { os.RemoveAll(dir) }, nil
}

// logger makes a log on standard error. No text of a visitor or a post reaches
// it with a control character in it.
func (c serve) logger(p Process) *slog.Logger {
	o := &slog.HandlerOptions{Level: c.Level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		switch v := a.Value.Any().(type) {
		case time.Time: // the handler writes it as RFC 3339
		case string:
			a.Value = slog.StringValue(markdown.Line(v))
		case error:
			a.Value = slog.StringValue(markdown.Line(v.Error()))
		case fmt.Stringer:
			a.Value = slog.StringValue(markdown.Line(v.String()))
		}
		return a
	}}
	if c.Log == "text" || c.Log == "" && isTerminal(p.Stderr) {
		return slog.New(slog.NewTextHandler(p.Stderr, o))
	}
	return slog.New(slog.NewJSONHandler(p.Stderr, o))
}

// reason is the system's own reason in an error, without the path or address
// that a message names already.
func reason(err error) error {
	var pe *fs.PathError
	var se *os.SyscallError
	switch {
	case errors.As(err, &se):
		return se.Err
	case errors.As(err, &pe):
		return pe.Err
	}
	return err
}
