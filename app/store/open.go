package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"
)

// An Option changes how a folder is opened.
type Option func(*options)

type options struct {
	holder  string
	history int64
	disk    func(dir string) (disk, error)
}

func optionsOf(opts []Option) options {
	o := options{disk: openDisk}
	for _, set := range opts {
		set(&o)
	}
	return o
}

// Holder adds a word about this process to the lock, such as the address it
// listens on, for the error a second server prints.
func Holder(what string) Option { return func(o *options) { o.holder = what } }

// History bounds the bytes of old versions in a Local: what no file of the
// head is. 0 keeps all of them. The oldest go first; that they were is still
// in the log. Their room on the disk is given back in part: see the package
// comment.
func History(bytes int64) Option { return func(o *options) { o.history = bytes } }

// Open takes a folder for this process: a Worktree over a Local that is kept
// in the folder's .sheaf, and closed with it. A folder held by another process
// is an error that wraps ErrHeld and names the holder. A folder that cannot be
// written is opened without a lock, with a warning.
func Open(dir string, log *slog.Logger, opts ...Option) (*Worktree, error) {
	l, err := OpenLocal(dir, log, opts...)
	if err != nil {
		return nil, err
	}
	w, err := OpenWorktree(dir, l, log, opts...)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	w.closeStore = true
	return w, nil
}

// OpenLocal opens the Store in a folder's .sheaf, and takes the folder for
// this process: see Open.
func OpenLocal(dir string, log *slog.Logger, opts ...Option) (*Local, error) {
	o := optionsOf(opts)
	h, err := openHome(dir, log, o)
	if err != nil {
		return nil, fmt.Errorf("content %s: %w", dir, err)
	}
	l, err := newLocal(h, log, o)
	if err != nil {
		return nil, fmt.Errorf("content %s: %w", dir, errors.Join(err, h.close()))
	}
	return l, nil
}

// OpenWorktree shows s as the plain files of a folder. The Store stays the
// caller's to close, after the Worktree. If it is a Local of the same folder,
// both have one lock; else the Worktree takes the folder for this process: see
// Open.
//
// What was left undone is done: commits of the Store that the plain files have
// not taken yet are written, unless a file was changed by hand since.
func OpenWorktree(dir string, s Store, log *slog.Logger, opts ...Option) (*Worktree, error) {
	o := optionsOf(opts)
	w, err := newWorktree(dir, log, o)
	if err != nil {
		return nil, err
	}
	w.store = s
	if l, ok := s.(*Local); ok && l.home.dir == w.dir {
		w.home, w.local = l.home, l
	} else if w.home, err = openHome(dir, log, o); err != nil {
		return nil, fmt.Errorf("content %s: %w", dir, errors.Join(err, w.root().Close()))
	}
	if err := w.start(); err != nil {
		return nil, fmt.Errorf("content %s: %w", dir, errors.Join(err, w.Close()))
	}
	return w, nil
}

// View opens a folder for reading only: it takes no lock and leaves no trace.
// Its ledger is empty.
func View(dir string) (*Worktree, error) {
	return newWorktree(dir, slog.New(slog.DiscardHandler), optionsOf(nil))
}

// newWorktree is a view.
func newWorktree(dir string, log *slog.Logger, o options) (*Worktree, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("content %s: %w", dir, err)
	}
	root, err := o.disk(abs)
	if err != nil {
		return nil, fmt.Errorf("content %s: %w", dir, Reason(err))
	}
	w := &Worktree{feed: newFeed(&Ledger{}), dir: abs, log: log, open: o.disk,
		cache: newStampCache(), pause: watchPauses}
	w.current.Store(&root)
	w.life, w.cancel = context.WithCancel(context.Background())
	return w, nil
}

// watchPauses are those of a Worktree: see Watch.
var watchPauses = pauses{
	quiet: 150 * time.Millisecond,
	late:  700 * time.Millisecond,
	bulk:  3 * time.Second,
	poll:  30 * time.Second,
}
