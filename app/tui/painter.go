package tui

import (
	"encoding/base64"
	"errors"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// A row is one line of the screen: text that begins at a column. The text
// holds SGR and OSC 8 sequences only and closes what it opens; it is shared
// with the page it comes from.
type row struct {
	at   int
	text string
}

// A frame is what the screen is to show. It is not changed once it is handed
// to a painter.
type frame struct {
	width, height int
	rows          []row // height of them
	title         string
	cursor        *cell // where something is typed; nil: no cursor is seen
	mouse         bool  // the terminal tells what the mouse does, and leaves selecting to us
}

// A cell is a place on the screen, from 0.
type cell struct{ x, y int }

// A painter owns the screen. It remembers the frame the terminal shows and
// sends what another one changes: lines that moved are scrolled, lines that
// differ are written, most often only the part that differs. One goroutine
// writes; a frame that has not been sent when the next one comes is dropped, so
// a slow terminal never makes anybody wait.
type painter struct {
	out    io.Writer
	wake   chan struct{} // cap 1
	done   chan struct{} // closed when the goroutine has ended
	failed func(error)   // the terminal takes no more

	mu     sync.Mutex
	next   *frame
	asides []string // sent whole, whatever the frames
	last   string   // ends the painting
	ending bool

	// The goroutine's own.
	shown frame
	buf   []byte
}

const (
	// Title kept, other screen, no cursor, pastes marked, and the wheel sends
	// arrow keys (1007, which many terminals have on: it is given back as it
	// was), so that the mouse stays free for selecting text.
	enterScreen = "\x1b[22;0t\x1b[?1049h\x1b[?25l\x1b[?2004h\x1b[?1007s\x1b[?1007h"
	leaveScreen = "\x1b[m\x1b[r" + mouseOff + "\x1b[?1007r\x1b[?2004l\x1b[?25h\x1b[?1049l\x1b[23;0t"

	showCursor = "\x1b[?25h"
	hideCursor = "\x1b[?25l"
	mouseOn    = "\x1b[?1002h\x1b[?1006h" // presses and what is dragged
	mouseOff   = "\x1b[?1006l\x1b[?1002l"

	beginSync = "\x1b[?2026h"
	endSync   = "\x1b[?2026l"

	// syncFrom is the size from which a terminal may show half of a write.
	syncFrom = 512
	// keepBuffer is how much room for writing an idle session keeps.
	keepBuffer = 2 << 10
	// endPatience is how long a terminal has to take its last frame.
	endPatience = 2 * time.Second
)

var errStalled = errors.New("the terminal does not take its output")

// newPainter makes a painter and begins with the string first.
func newPainter(out io.Writer, first string, failed func(error)) *painter {
	p := &painter{out: out, wake: make(chan struct{}, 1), done: make(chan struct{}), failed: failed, asides: []string{first}}
	p.wake <- struct{}{}
	return p
}

// show makes f the frame to be seen.
func (p *painter) show(f *frame) {
	p.mu.Lock()
	p.next = f
	p.mu.Unlock()
	p.signal()
}

// aside sends a sequence that draws nothing.
func (p *painter) aside(s string) {
	const most = 4
	p.mu.Lock()
	if len(p.asides) < most {
		p.asides = append(p.asides, s)
	}
	p.mu.Unlock()
	p.signal()
}

// copy puts text on the clipboard of the terminal (OSC 52).
func (p *painter) copy(text string) {
	p.aside("\x1b]52;c;" + base64.StdEncoding.EncodeToString([]byte(text)) + "\x07")
}

// end drops the frame that waits, sends last, and waits for the goroutine, but
// not for a terminal that has stopped reading.
func (p *painter) end(last string) error {
	p.mu.Lock()
	p.next, p.asides, p.last, p.ending = nil, nil, last, true
	p.mu.Unlock()
	p.signal()
	t := time.NewTimer(endPatience)
	defer t.Stop()
	select {
	case <-p.done:
		return nil
	case <-t.C:
		return errStalled
	}
}

func (p *painter) signal() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// run writes until end or until the terminal fails.
func (p *painter) run() {
	defer close(p.done)
	for range p.wake {
		p.mu.Lock()
		f, asides, last, ending := p.next, p.asides, p.last, p.ending
		p.next, p.asides = nil, nil
		p.mu.Unlock()
		for _, s := range asides {
			p.buf = append(p.buf, s...)
		}
		if f != nil {
			p.draw(f)
		}
		p.buf = append(p.buf, last...)
		if len(p.buf) > 0 {
			if _, err := p.out.Write(p.buf); err != nil {
				p.failed(err)
				return
			}
		}
		if p.buf = p.buf[:0]; cap(p.buf) > keepBuffer {
			p.buf = nil
		}
		if ending {
			return
		}
	}
}

// draw appends what turns the frame shown into f.
func (p *painter) draw(f *frame) {
	began := len(p.buf)
	if f.title != p.shown.title {
		p.buf = append(p.buf, "\x1b]2;"+f.title+"\x07"...)
	}
	if f.mouse != p.shown.mouse {
		if f.mouse {
			p.buf = append(p.buf, mouseOn...)
		} else {
			p.buf = append(p.buf, mouseOff...)
		}
	}
	body := len(p.buf)
	if p.shown.cursor != nil {
		p.buf = append(p.buf, hideCursor...)
	}
	painted := len(p.buf)
	if f.width != p.shown.width || f.height != p.shown.height {
		p.buf = append(p.buf, "\x1b[m\x1b[2J"...)
		p.shown.rows = make([]row, f.height)
	} else {
		p.scroll(f)
	}
	for y, r := range f.rows {
		if r.text == "" {
			r.at = 0
		}
		if old := p.shown.rows[y]; old != r {
			p.line(y, old, r, f.width)
			p.shown.rows[y] = r
		}
	}
	switch was := p.shown.cursor; {
	case len(p.buf) > painted, (was == nil) != (f.cursor == nil), was != nil && *was != *f.cursor:
		if f.cursor != nil {
			p.move(f.cursor.y, f.cursor.x)
			p.buf = append(p.buf, showCursor...)
		}
	default:
		p.buf = p.buf[:body] // as it was
	}
	p.shown.width, p.shown.height, p.shown.title, p.shown.cursor, p.shown.mouse = f.width, f.height, f.title, f.cursor, f.mouse
	if len(p.buf)-began > syncFrom {
		p.buf = append(p.buf, endSync...)
		p.buf = append(p.buf, beginSync...)
		copy(p.buf[body+len(beginSync):], p.buf[body:len(p.buf)-len(beginSync)])
		copy(p.buf[body:], beginSync)
	}
}

// line replaces one line of the screen.
func (p *painter) line(y int, old, r row, width int) {
	if r.text == "" {
		p.move(y, 0)
		p.buf = append(p.buf, "\x1b[K"...)
		return
	}
	if old.at == r.at && old.text != "" {
		skip, cells, keep := common(old.text, r.text)
		if skip > 0 || keep > 0 {
			p.move(y, r.at+cells)
			p.text(r.text[skip:len(r.text)-keep], r.at+cells, width, keep == 0)
			return
		}
	}
	if old.text != "" && old.at < r.at || old.at == 0 && r.at < 2 {
		p.move(y, 0)
		for range r.at {
			p.buf = append(p.buf, ' ')
		}
	} else {
		p.move(y, r.at)
	}
	p.text(r.text, r.at, width, true)
}

// text writes text at the cursor, closes its styles, and clears the rest of
// the line.
func (p *painter) text(s string, at, width int, clear bool) {
	w := at + ansi.StringWidth(s)
	if w > width {
		s = ansi.Truncate(s, width-at, "")
		w = at + ansi.StringWidth(s) // a wide character that does not fit leaves a cell
	}
	p.buf = append(p.buf, s...)
	if i := strings.LastIndexByte(s, '\x1b'); i >= 0 && !strings.HasPrefix(s[i:], "\x1b[m") {
		p.buf = append(p.buf, "\x1b[m"...)
	}
	// After its last column a terminal's cursor stands on that column still:
	// clearing from there would take the last character away.
	if clear && w < width {
		p.buf = append(p.buf, "\x1b[K"...)
	}
}

// move addresses the cursor.
func (p *painter) move(y, x int) {
	p.buf = append(p.buf, "\x1b["...)
	if y > 0 || x > 0 {
		p.buf = strconv.AppendInt(p.buf, int64(y+1), 10)
	}
	if x > 0 {
		p.buf = append(p.buf, ';')
		p.buf = strconv.AppendInt(p.buf, int64(x+1), 10)
	}
	p.buf = append(p.buf, 'H')
}

// common finds how many bytes two lines share at their beginning, how many
// cells those take, and how many bytes they share at their end, such that what
// lies between can be replaced alone: no style is open where it begins and
// where it ends, it takes as many cells in both, and all terminals agree on the
// width of what is before it and in it.
func common(old, s string) (skip, cells, keep int) {
	skip, cells = same(old, s)
	most := min(len(old), len(s)) - skip
	for keep < most && old[len(old)-1-keep] == s[len(s)-1-keep] {
		keep++
	}
	// The end must begin where a sequence ends, or with an ASCII character.
	for keep > 0 {
		was, is := old[skip:len(old)-keep], s[skip:len(s)-keep]
		if c := s[len(s)-keep]; c >= ' ' && c < 0x7f && settled(is) && settled(was) {
			if ansi.StringWidth(is) == ansi.StringWidth(was) {
				return skip, cells, keep
			}
			break
		}
		keep--
	}
	return skip, cells, 0
}

// same measures the beginning that two lines share, up to where no style is
// open.
func same(old, s string) (skip, cells int) {
	n := 0
	for n < len(old) && n < len(s) && old[n] == s[n] {
		n++
	}
	ascii := func(line string, i int) bool { return i == len(line) || line[i] < 0x80 }
	open := false
	for i, w := 0, 0; i < n; {
		if s[i] == '\x1b' {
			end := strings.IndexByte(s[i:n], 'm')
			if end < 0 || s[i+1] != '[' {
				break // not whole, or a link
			}
			open = end != len("\x1b[")
			i += end + 1
		} else {
			r, size := utf8.DecodeRuneInString(s[i:n])
			if !even(r) {
				break
			}
			i, w = i+size, w+1
		}
		// A combining mark would change the character before it.
		if !open && ascii(old, i) && ascii(s, i) {
			skip, cells = i, w
		}
	}
	return skip, cells
}

// settled reports whether no style and no sequence is open at the end of s,
// and that the width of all its characters is sure.
func settled(s string) bool {
	if i := strings.LastIndexByte(s, '\x1b'); i >= 0 && (!strings.HasPrefix(s[i:], "\x1b[m") || strings.Contains(s, "\x1b]")) {
		return false
	}
	for _, r := range s {
		if r != '\x1b' && !even(r) {
			return false
		}
	}
	return true
}

// even reports a character that is one cell wide in every terminal.
func even(r rune) bool {
	return r >= ' ' && r < 0x7f || r >= 0x2500 && r <= 0x259f || r == '›' || r == '…' || r == '·'
}

// scroll moves lines that the screen has already, where that spares writing
// them again. First and last line do not move.
func (p *painter) scroll(f *frame) {
	const least = 48 // bytes it must spare
	old, rows := p.shown.rows, f.rows
	top, bottom := 1, f.height-1
	if bottom-top < 3 {
		return
	}
	// What a line costs that is not where it should be.
	cost := func(y, from int) int {
		if rows[y].text == "" || old[from] != rows[y] {
			return 0
		}
		return len(rows[y].text) + 8
	}
	stays := 0
	for y := top; y < bottom; y++ {
		stays += cost(y, y)
	}
	best, by := stays+least, 0
	for d := 1; d < bottom-top-1; d++ {
		up, down := 0, 0
		for y := top; y+d < bottom; y++ {
			up += cost(y, y+d)
			down += cost(y+d, y)
		}
		if up > best {
			best, by = up, d
		}
		if down > best {
			best, by = down, -d
		}
	}
	if by == 0 {
		return
	}
	p.buf = append(p.buf, "\x1b["...)
	p.buf = strconv.AppendInt(p.buf, int64(top+1), 10)
	p.buf = append(p.buf, ';')
	p.buf = strconv.AppendInt(p.buf, int64(bottom), 10)
	p.buf = append(p.buf, 'r')
	// Deleting and inserting lines is understood by more terminals than
	// scrolling by a count.
	p.move(top, 0)
	p.buf = append(p.buf, "\x1b["...)
	n, final := by, byte('M')
	if by < 0 {
		n, final = -by, 'L'
	}
	if n > 1 {
		p.buf = strconv.AppendInt(p.buf, int64(n), 10)
	}
	p.buf = append(p.buf, final)
	p.buf = append(p.buf, "\x1b[r"...)
	moved := make([]row, f.height)
	moved[0], moved[f.height-1] = old[0], old[f.height-1]
	for y := top; y < bottom; y++ {
		if from := y + by; from >= top && from < bottom {
			moved[y] = old[from]
		}
	}
	p.shown.rows = moved
}
