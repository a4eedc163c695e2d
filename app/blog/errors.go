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

// StorageProblem is the plain reason of an error that only who runs the server can do
// something about, in words for an author; "" for all other errors.
func StorageProblem(err error) string {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "the blog's disk is full"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return "the blog's folder cannot be written"
	}
	return ""
}
