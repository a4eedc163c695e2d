// Package buffer holds the text that an author is editing. It knows no screen
// and no file: the screen asks it for lines and tells it what is typed.
//
// A [Text] is a sequence of bytes that is never changed: an edit makes another
// Text, which shares nearly all with the one before (a rope: a balanced tree of
// short strings that counts bytes and line ends). Undo, keeping a copy for
// another goroutine, and comparing with what was saved cost nothing therefore,
// and a text of a megabyte is as quick to type in as one of a line.
//
// A [Buffer] is a Text with a selection and a past, whose oldest steps go when it
// holds more than 32 MB. It belongs to one goroutine.
//
// [Rows] are the rows in which a window of some width shows a text. How many
// cells a character takes there, the window says.
//
// Places are offsets in bytes. What moves by characters stops between those
// that a reader sees as one (extended grapheme clusters, UAX #29); a word is
// one by the same standard.
package buffer

import (
	"strings"
)

// leafSize is how long the strings of a rope are at most, in bytes.
const leafSize = 1 << 10

// A Text is an immutable text. The zero Text is empty. It is safe for
// concurrent use.
type Text struct{ root *node }

// A node is a leaf with a string, or has two children.
type node struct {
	left, right *node
	s           string
	size, ends  int // bytes, and line ends
	height      int
}

func leaf(s string) *node { return &node{s: s, size: len(s), ends: strings.Count(s, "\n")} }

func (n *node) isLeaf() bool { return n.left == nil }

func pair(l, r *node) *node {
	return &node{left: l, right: r, size: l.size + r.size, ends: l.ends + r.ends, height: max(l.height, r.height) + 1}
}

// balanced makes a node of two trees whose heights differ by two at most.
func balanced(l, r *node) *node {
	switch {
	case l.height > r.height+1:
		if l.left.height >= l.right.height {
			return pair(l.left, pair(l.right, r))
		}
		return pair(pair(l.left, l.right.left), pair(l.right.right, r))
	case r.height > l.height+1:
		if r.right.height >= r.left.height {
			return pair(pair(l, r.left), r.right)
		}
		return pair(pair(l, r.left.left), pair(r.left.right, r.right))
	}
	return pair(l, r)
}

// join puts two trees, of which either may be nil, behind each other.
func join(l, r *node) *node {
	switch {
	case l == nil:
		return r
	case r == nil:
		return l
	case l.isLeaf() && r.isLeaf():
		if l.size+r.size <= leafSize {
			return leaf(l.s + r.s)
		}
		return pair(l, r)
	case l.height > r.height+1 || r.isLeaf():
		return balanced(l.left, join(l.right, r))
	case r.height > l.height+1 || l.isLeaf():
		return balanced(join(l, r.left), r.right)
	}
	return pair(l, r)
}

// split divides a tree.
func split(n *node, at int) (l, r *node) {
	switch {
	case n == nil || at <= 0:
		return nil, n
	case at >= n.size:
		return n, nil
	case n.isLeaf():
		return leaf(n.s[:at]), leaf(n.s[at:])
	case at <= n.left.size:
		l, r = split(n.left, at)
		return l, join(r, n.right)
	}
	l, r = split(n.right, at-n.left.size)
	return join(n.left, l), r
}

// build makes a tree of a string.
func build(s string) *node {
	if s == "" {
		return nil
	}
	if len(s) <= leafSize {
		return leaf(strings.Clone(s))
	}
	half := len(s) / 2
	return join(build(s[:half]), build(s[half:]))
}

// NewText makes a Text of a string.
func NewText(s string) Text { return Text{build(s)} }

// Len is the number of bytes.
func (t Text) Len() int {
	if t.root == nil {
		return 0
	}
	return t.root.size
}

// Lines is the number of lines: one more than there are line ends.
func (t Text) Lines() int {
	if t.root == nil {
		return 1
	}
	return t.root.ends + 1
}

// Same reports whether two texts are one, without looking into them. It may be
// false for texts that are equal.
func (t Text) Same(u Text) bool { return t.root == u.root }

// String gives all of it.
func (t Text) String() string { return t.Slice(0, t.Len()) }

// Slice gives the bytes from from to to, as far as they exist.
func (t Text) Slice(from, to int) string {
	from, to = max(from, 0), min(to, t.Len())
	if from >= to {
		return ""
	}
	n := t.root
	for !n.isLeaf() { // most often it is all in one leaf
		if to <= n.left.size {
			n = n.left
		} else if from >= n.left.size {
			from, to = from-n.left.size, to-n.left.size
			n = n.right
		} else {
			break
		}
	}
	if n.isLeaf() {
		return n.s[from:to]
	}
	var b strings.Builder
	b.Grow(to - from)
	n.write(&b, from, to)
	return b.String()
}

func (n *node) write(b *strings.Builder, from, to int) {
	if n.isLeaf() {
		b.WriteString(n.s[max(from, 0):min(to, n.size)])
		return
	}
	if from < n.left.size {
		n.left.write(b, from, to)
	}
	if to > n.left.size {
		n.right.write(b, from-n.left.size, to-n.left.size)
	}
}

// Splice gives the text with s in the place of the bytes from from to to.
func (t Text) Splice(from, to int, s string) Text {
	from = max(min(from, t.Len()), 0)
	to = max(min(to, t.Len()), from)
	left, rest := split(t.root, from)
	_, right := split(rest, to-from)
	return Text{join(join(left, build(s)), right)}
}

// Line gives the line, from 0, that a place is in.
func (t Text) Line(at int) int {
	n, line := t.root, 0
	if n == nil {
		return 0
	}
	for !n.isLeaf() {
		if at < n.left.size {
			n = n.left
		} else {
			line += n.left.ends
			at -= n.left.size
			n = n.right
		}
	}
	return line + strings.Count(n.s[:max(min(at, n.size), 0)], "\n")
}

// LineStart gives where a line begins; beyond the last one, where the text
// ends.
func (t Text) LineStart(line int) int {
	if line <= 0 {
		return 0
	}
	n, at := t.root, 0
	if n == nil || line > n.ends {
		return t.Len()
	}
	for !n.isLeaf() {
		if line <= n.left.ends {
			n = n.left
		} else {
			line -= n.left.ends
			at += n.left.size
			n = n.right
		}
	}
	for s := n.s; line > 0; line-- {
		i := strings.IndexByte(s, '\n') + 1
		at += i
		s = s[i:]
	}
	return at
}

// LineEnd gives where a line ends: before its line end, which is "\n" or
// "\r\n".
func (t Text) LineEnd(line int) int {
	if line >= t.Lines()-1 {
		return t.Len()
	}
	start, end := t.LineStart(line), t.LineStart(line+1)-1
	if end > start && t.Slice(end-1, end) == "\r" {
		end--
	}
	return end
}
