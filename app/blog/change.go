package blog

import (
	"fmt"
	"strings"
	"time"

	"sheaf/app/markdown"
	"sheaf/app/store"
)

// A Rev numbers the revisions of the blog; 0 is none.
type Rev = store.Rev

// An Entry is one file of a change or of a revision.
type Entry = store.Entry

// Limits bound what one change may bring. A zero field stands for its default.
type Limits struct {
	Post   int64 // bytes of a post: 2 MiB
	File   int64 // of any other file: 16 MiB
	Change int64 // of all files of a change: 512 MiB
	Files  int   // of a change: 20,000
}

func (l Limits) or() Limits {
	number := func(n *int64, d int64) {
		if *n <= 0 {
			*n = d
		}
	}
	number(&l.Post, 2<<20)
	number(&l.File, 16<<20)
	number(&l.Change, 512<<20)
	if l.Files <= 0 {
		l.Files = 20000
	}
	return l
}

// A Change is a set of files to be put and removed as one commit. The bytes of
// the files have been given to Author.Put before.
type Change struct {
	// Base is what the author saw: files of the change that somebody else has
	// changed since are a conflict. 0 overwrites whatever stands there.
	Base    Rev
	Entries []Entry // Hash "" removes; a zero MTime is now
	Message string
	Time    time.Time         // zero: now
	ID      string            // "" is a new one
	Meta    map[string]string // kept with the commit; the keys of a channel begin with its name ("git.commit")

	expected map[string]string // what must stand at paths, by hash; "": nothing. Else it is a conflict
}

// An Action is what a change did to a file.
type Action int

const (
	Unchanged Action = iota
	Added
	Updated
	Removed
)

// A FileResult is what a change did to one file.
type FileResult struct {
	Path   string
	Action Action
	Post   *Post // nil: not a post, or removed
}

// A Receipt is what an author is told of a change that was made.
type Receipt struct {
	Rev      Rev // of the commit; of the head when nothing had to change
	Files    []FileResult
	Warnings []Problem
}

// Lines says the receipt in words: a line for each post ("published ssh -t HOST
// SLUG"), then the warnings. Every channel answers with them. They hold no
// control characters.
func (r Receipt) Lines(host Host) []string {
	var out []string
	same, others := 0, 0
	for _, f := range r.Files {
		switch {
		case f.Action == Unchanged:
			same++
		case f.Post == nil && f.Action != Removed:
			others++
		}
	}
	const many = 20
	for _, f := range r.Files {
		word, what := "", markdown.Line(f.Path)
		switch {
		case f.Action == Unchanged && same > many:
			continue
		case f.Post == nil && f.Action != Removed && f.Action != Unchanged && others > many:
			continue
		case f.Action == Removed:
			word = "removed"
		case f.Post == nil:
			word = "filed"
		default:
			word = f.Post.State.String()
			what = host.Open(f.Post.Slug)
			if f.Post.State == Scheduled {
				word = "scheduled for " + f.Post.entry.due.Format("2 Jan 2006 15:04")
			}
		}
		if f.Action == Unchanged {
			word = "unchanged"
		}
		out = append(out, fmt.Sprintf("%-9s  %s", word, what))
	}
	if others > many {
		out = append(out, fmt.Sprintf("%-9s  %d other files", "filed", others))
	}
	if same > many {
		out = append(out, fmt.Sprintf("%-9s  %d files", "unchanged", same))
	}
	for _, p := range r.Warnings {
		out = append(out, "warning: "+markdown.Line(p.String()))
	}
	return out
}

// A Refusal says why a change was not made. Nothing of it was.
type Refusal struct {
	Problems []Problem
	Conflict bool // somebody else was first: it is ErrConflict then
}

// Error returns the problems, one a line.
func (r *Refusal) Error() string { return strings.Join(r.Lines(), "\n") }

// Is makes errors.Is(err, ErrConflict) report whether somebody else was first.
func (r *Refusal) Is(target error) bool { return r.Conflict && target == ErrConflict }

// Lines says the refusal in words, one line a problem: "PATH:LINE: why". The
// lines hold no control characters.
func (r *Refusal) Lines() []string {
	var out []string
	for _, p := range r.Problems {
		out = append(out, markdown.Line(p.String()))
	}
	return out
}

// refusal returns a Refusal for one reason.
func refusal(path, format string, args ...any) error {
	return &Refusal{Problems: []Problem{{Path: path, Text: fmt.Sprintf(format, args...)}}}
}

func bytesOf(n int64) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d bytes", n)
}
