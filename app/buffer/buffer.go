package buffer

import (
	"strings"
	"unicode"
)

// A Buffer is a text that is being edited: with a selection, which reaches from
// its anchor to the cursor and is empty most of the time, and with a past that
// undo goes back to. It is for one goroutine.
type Buffer struct {
	now          state
	past, future []step
	held         int  // what the past costs
	last         kind // of change; what is typed in one go is undone in one
	lastBlank    bool
	saved        Text
	version      int
	eol          string
	most         int // bytes of the text
	refused      bool
}

// A state is what undo brings back.
type state struct {
	text       Text
	anchor, at int
}

// A step leads to another state. What was deleted on the newer side of a step is
// kept for the older one alone: that is its cost.
type step struct {
	state
	cost int
}

// mostHeld bounds what the past costs, in bytes: beyond it the oldest steps are
// forgotten, the newest never. To undo costs nothing more: what the steps to
// both sides and the present hold together stays the same.
const mostHeld = 32 << 20

// stepCost is what every step costs at most beside: the leaves at both ends of the
// change, and the nodes above them.
const stepCost = 4 << 10

// A kind of change: neighbours of one kind are one step of undo.
type kind int

const (
	other kind = iota
	typing
	erasing
)

// New makes a buffer of a text, with the cursor at a place. Its line ends are
// those of the text: "\r\n" if the first one is. A change that would make the
// text longer than most bytes, and longer than it is, is refused: the text stays
// as it was then.
func New(text string, at, most int) *Buffer {
	b := &Buffer{now: state{text: NewText(text)}, eol: "\n", most: most}
	if i := strings.IndexByte(text, '\n'); i > 0 && text[i-1] == '\r' {
		b.eol = "\r\n"
	}
	b.saved = b.now.text
	b.MoveTo(at, false)
	return b
}

// Text is the text as it stands.
func (b *Buffer) Text() Text { return b.now.text }

// EOL is the line end of the text: "\n" or "\r\n".
func (b *Buffer) EOL() string { return b.eol }

// Selection gives both ends of the selection; the second is the cursor.
func (b *Buffer) Selection() (anchor, at int) { return b.now.anchor, b.now.at }

// Selected gives the text that is selected.
func (b *Buffer) Selected() string {
	from, to := b.ends()
	return b.now.text.Slice(from, to)
}

func (b *Buffer) ends() (from, to int) {
	return min(b.now.anchor, b.now.at), max(b.now.anchor, b.now.at)
}

// Fits reports whether a change may make the text so many bytes long.
func (b *Buffer) Fits(n int) bool { return n <= b.most || n <= b.now.text.Len() }

// Refused reports whether a change was refused since this was last asked.
func (b *Buffer) Refused() bool {
	was := b.refused
	b.refused = false
	return was
}

// Version grows with every change of the text.
func (b *Buffer) Version() int { return b.version }

// Changed reports whether the text is another than at the last Saved. Undo may
// lead back to that.
func (b *Buffer) Changed() bool { return !b.now.text.Same(b.saved) }

// Saved notes that the text as it stands is safe.
func (b *Buffer) Saved() {
	b.saved = b.now.text
	b.last = other
}

// MoveTo puts the cursor somewhere; selecting leaves the anchor where it is.
func (b *Buffer) MoveTo(at int, selecting bool) {
	b.now.at = b.now.text.whole(max(min(at, b.now.text.Len()), 0))
	if !selecting {
		b.now.anchor = b.now.at
	}
	b.last = other
}

// Move moves the cursor. Without selecting, a step to the left or the right of
// a selection goes to its end on that side.
func (b *Buffer) Move(m Motion, selecting bool) {
	if from, to := b.ends(); from != to && !selecting && (m == Left || m == Right) {
		if m == Left {
			to = from
		}
		b.MoveTo(to, false)
		return
	}
	b.MoveTo(b.now.text.To(m, b.now.at), selecting)
}

// SelectAll selects the whole text.
func (b *Buffer) SelectAll() {
	b.MoveTo(0, false)
	b.MoveTo(b.now.text.Len(), true)
}

// SelectWord selects the word at the cursor.
func (b *Buffer) SelectWord() {
	from, to := b.now.text.Word(b.now.at)
	b.MoveTo(from, false)
	b.MoveTo(to, true)
}

// change puts s in the place of the bytes from from to to, with the cursor at a
// place of the new text.
func (b *Buffer) change(k kind, from, to int, s string, at int) {
	switch {
	case from == to && s == "":
		return
	case !b.Fits(b.now.text.Len() - (to - from) + len(s)):
		b.refused = true
		return
	}
	b.step(k, to-from, state{b.now.text.Splice(from, to, s), at, at})
}

// step goes on to another state, for which so many bytes of the text were
// deleted or written anew.
func (b *Buffer) step(k kind, gone int, now state) {
	if k == other || k != b.last {
		b.past = append(b.past, step{state: b.now})
		gone += stepCost
	}
	b.future = nil
	b.past[len(b.past)-1].cost += gone
	b.held += gone
	for b.held > mostHeld && len(b.past) > 1 {
		b.held -= b.past[0].cost
		b.past[0] = step{}
		b.past = b.past[1:]
	}
	b.now = now
	b.last = k
	b.version++
}

// Type puts what is typed in the place of the selection. What is typed in one
// go is one step of undo, word by word.
func (b *Buffer) Type(s string) {
	from, to := b.ends()
	isBlank := strings.TrimFunc(s, unicode.IsSpace) == ""
	if from != to || b.lastBlank && !isBlank {
		b.last = other
	}
	b.lastBlank = isBlank
	b.change(typing, from, to, s, from+len(s))
}

// Paste puts a text in the place of the selection, in one step. Its line ends
// become those of the buffer.
func (b *Buffer) Paste(s string) {
	from, to := b.ends()
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	if b.eol != "\n" {
		s = strings.ReplaceAll(s, "\n", b.eol)
	}
	b.change(other, from, to, s, from+len(s))
}

// Replace puts s in the place of the selection, in one step.
func (b *Buffer) Replace(s string) {
	from, to := b.ends()
	b.change(other, from, to, s, from+len(s))
}

// Splice changes the bytes from from to to, in one step; the selection stays
// on the characters it is on. It refuses nothing.
func (b *Buffer) Splice(from, to int, s string) {
	from = max(min(from, b.now.text.Len()), 0)
	to = max(min(to, b.now.text.Len()), from)
	anchor, at := b.now.anchor, b.now.at
	move := func(p int) int {
		switch {
		case p <= from: // what is inserted at the cursor comes behind it
			return p
		case p >= to:
			return p + len(s) - (to - from)
		}
		return min(p, from+len(s))
	}
	if from == to && s == "" {
		return
	}
	text := b.now.text.Splice(from, to, s)
	b.step(other, to-from, state{text, text.whole(move(anchor)), text.whole(move(at))})
}

// Erase deletes the selection, or what a motion would pass over. What is
// erased in one go is one step of undo.
func (b *Buffer) Erase(m Motion) {
	from, to := b.ends()
	k := other
	if from == to {
		from, to = min(b.now.at, b.now.text.To(m, b.now.at)), max(b.now.at, b.now.text.To(m, b.now.at))
		k = erasing
	}
	b.change(k, from, to, "", from)
}

// Cut deletes the selection, or the line, and gives it.
func (b *Buffer) Cut() string {
	from, to := b.ends()
	if from == to {
		line := b.now.text.Line(b.now.at)
		from, to = b.now.text.LineStart(line), b.now.text.LineStart(line+1)
		if line == b.now.text.Lines()-1 {
			to = b.now.text.Len()
		}
	}
	s := b.now.text.Slice(from, to)
	b.change(other, from, to, "", from)
	return s
}

// ReplaceAll puts s in the place of every match of some words, in one step, and
// counts them; none when that is refused.
func (b *Buffer) ReplaceAll(words, s string) (n int) {
	if words == "" {
		return 0
	}
	m := newMatcher(words)
	old := b.now.text.String()
	folded := m.fold(old)
	var out strings.Builder
	at, done := b.now.at, 0
	for {
		i, j := m.first(folded[done:])
		if i < 0 {
			break
		}
		out.WriteString(old[done : done+i])
		if done+j <= b.now.at {
			at += len(s) - (j - i)
		} else if done+i < b.now.at {
			at = out.Len()
		}
		out.WriteString(s)
		done += j
		n++
		if !b.Fits(out.Len()) {
			break
		}
	}
	if n == 0 {
		return 0
	}
	if out.WriteString(old[done:]); !b.Fits(out.Len()) {
		b.refused = true
		return 0
	}
	b.step(other, len(old), state{NewText(out.String()), 0, 0})
	b.MoveTo(at, false)
	return n
}

// Undo goes back one step, with the selection of that time. It reports whether
// there was one: of a long past only the newest 32 MB are kept.
func (b *Buffer) Undo() bool {
	cost, ok := b.travel(&b.past, &b.future)
	b.held -= cost
	return ok
}

// Redo takes the last Undo back.
func (b *Buffer) Redo() bool {
	cost, ok := b.travel(&b.future, &b.past)
	b.held += cost
	return ok
}

func (b *Buffer) travel(from, to *[]step) (cost int, ok bool) {
	n := len(*from)
	if n == 0 {
		return 0, false
	}
	s := (*from)[n-1]
	(*from)[n-1] = step{}
	*from = (*from)[:n-1]
	*to = append(*to, step{b.now, s.cost})
	b.now = s.state
	b.last = other
	b.version++
	return s.cost, true
}
