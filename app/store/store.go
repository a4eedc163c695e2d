// Package store keeps what a blog is made of: plain files that stay the
// owner's, edited with anything, and beside them every version they have had.
//
// A Store is the versions: a log of commits over blobs. A blob is the bytes of
// a file under their hash; a commit names the files it changes and their
// blobs; the tree is what all commits add up to (Ledger). Local is a Store on
// a disk. A Worktree shows the newest tree of any Store as plain files in a
// folder, makes commits, and makes one of what is changed by hand; it is what
// the rooms above work with. Open gives a Worktree over a Local in the same
// folder:
//
//	content/            the plain files: the newest tree, for everybody to read and edit
//	  .sheaf/format     both: the number of this layout; a newer one is refused
//	  .sheaf/log        Local: one commit a line, with a checksum; only ever added to
//	  .sheaf/objects/   Local: the blobs, small ones in packs, a larger one in a file of its own
//	  .sheaf/state/     Local: small things that have no history (State)
//	  .sheaf/index      Worktree: which bytes a file had when it was last looked at; can be lost
//	  .sheaf/shown      Worktree: the revision the plain files are of; can be lost
//	  .sheaf/tmp/       both: files on their way; swept at the start
//	  .sheaf/lock       both: who holds the folder
//
// A Worktree over a Store that is elsewhere has a .sheaf of its own, with what
// is said here to be a Worktree's.
//
// A commit is made in this order: blobs and temporary copies of the files are
// made durable, the line is added to the log and made durable, the copies are
// renamed into place. The line is the moment that counts. Before it, nothing
// has happened: a full disk or a stop leaves everything as it was. After it,
// the commit stands: what was not yet renamed is before the next commit, or at
// the next start. The copies wait beside the files they replace, under hidden
// names, so that a directory which cannot be written, or is on another disk,
// is found out while the commit can still be refused.
//
// A small blob is added to a pack, as a record with a checksum of its own. A
// pack is never changed otherwise: what is forgotten stays in it until it is
// more than half of the pack (and 256 KB), and then the rest moves to the newest
// pack before the file is removed. So old versions can take twice the room that
// History allows. An index beside a pack tells a start what is in it; it can be
// lost.
//
// What is changed by hand is found and becomes a commit of its own (Import),
// also in front of a commit that would have overwritten it. The time from an
// edit to its commit is the owner's risk: a version that was replaced by hand
// before anybody looked has left no trace. What has no history, a link or a file
// that is too large, is never overwritten by a commit.
//
// A folder that cannot be written is served all the same: its history is read,
// and what has changed since is known in memory.
//
// Three more promises. One server holds a folder at a time (a second Open says
// who has it). Nothing outside the folder can be read or written through it:
// all paths go through os.Root, which follows no symbolic link out; FS opens
// regular files and directories only, and hides every name that begins with a
// dot. And a change by any means is noticed (Watch): by the system's
// notifications, and by a slow poll behind them for file systems that send
// none.
package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"runtime/debug"
)

// ErrConflict says that the base of a commit is not the head any more.
var ErrConflict = errors.New("the blog has changed since")

// A Store keeps every version of every file: an append-only log of commits over
// content-addressed blobs. All methods are safe for concurrent use. The
// interface asks for nothing that a replicated log cannot give (a stream's
// sequence number is the revision).
type Store interface {
	// Put keeps b and gives its hash. It is invisible until a commit names
	// it, and may be forgotten a day later if none does.
	Put(ctx context.Context, b []byte) (hash string, err error)
	// Get gives the bytes of a hash, fs.ErrNotExist if they are not kept. They
	// are the caller's.
	Get(ctx context.Context, hash string) ([]byte, error)
	// Commit makes c the revision after base, all of it or nothing. When it
	// returns nil it is durable. A base that is not the head gives
	// ErrConflict; a commit whose ID is known gives the revision it has, and
	// changes nothing. Rev of c is ignored; a zero Time is now.
	Commit(ctx context.Context, base Rev, c Commit) (Rev, error)
	// Commits gives every commit after since in order, then waits for the
	// next ones, until ctx ends (whose error is then the last) or the caller
	// has enough. Reading up to Head does not wait.
	Commits(ctx context.Context, since Rev) iter.Seq2[Commit, error]
	// Head is the newest revision.
	Head(ctx context.Context) (Rev, error)
	Close() error
}

// A State keeps small things that have no history, each under a name of one
// word without a slash. All methods are safe for concurrent use.
type State interface {
	// State gives what is kept under a name, fs.ErrNotExist if nothing is.
	State(name string) ([]byte, error)
	// SetState keeps b, all of it or what was there before; nil forgets it.
	// When it returns nil it is durable.
	SetState(name string, b []byte) error
	// States lists the names.
	States() ([]string, error)
}

// Reason takes the operation and the path off a system error, for those who
// say them in their own words.
func Reason(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// errReadOnly is the answer to whoever wants to change a folder that cannot be.
func errReadOnly(dir string) error {
	return fmt.Errorf("content %s cannot be written: %w", dir, fs.ErrPermission)
}

// containPanic is deferred in goroutines: a mistake in one does not end the
// process.
func containPanic(log *slog.Logger, what string) {
	if r := recover(); r != nil {
		log.Error("panic", "in", what, "reason", fmt.Sprint(r), "stack", string(debug.Stack()))
	}
}
