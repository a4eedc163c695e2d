package blog

import (
	"errors"
	"io/fs"
	"syscall"

	"sheaf/app/store"
)

// ErrNotAuthor is what is answered to readers who try to change something.
var ErrNotAuthor = errors.New("permission denied: no author key")

// ErrConflict is what a Refusal is when somebody else has changed the same
// files meanwhile.
var ErrConflict = store.ErrConflict

// StorageProblem explains an error that only the operator of the server can
// mend (disk full, not writable) in words for an author. It returns "" for all
// other errors.
func StorageProblem(err error) string {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "the blog's disk is full"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return "the blog's folder cannot be written"
	}
	return ""
}
