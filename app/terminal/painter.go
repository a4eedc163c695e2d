package terminal

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

// A Row is one line of the screen: text that begins at a column. The text holds
// SGR and OSC 8 sequences only and closes what it opens.
type Row struct {
	At   int // column, from 0
	Text string
}

// A Frame is what the screen is to show. It is not changed once it is handed to
// a painter.
type Frame struct {
	Width, Height int
	Rows          []Row  // Height of them
	Title         string // of the window; without control characters
	Cursor        *Cell  // where something is typed; nil: no cursor is seen
	Mouse         bool   // the terminal reports the mouse, and selects no text itself
}

// A Cell is a place on the screen, from 0.
type Cell struct{ X, Y int }

// A Painter owns the screen. It remembers the frame that the terminal shows and
// sends what another one changes: lines that moved are scrolled, lines that
// differ are written, most often only the part that differs. One goroutine
// writes; a frame that has not been sent when the next one comes is dropped, so
// a slow terminal never makes anybody wait. Its methods may be called from any
// goroutine.
type Painter struct {
	out    io.Writer
	wake   chan struct{} // cap 1
	done   chan struct{} // closed when the goroutine has ended
	failed func(error)   // the terminal takes no more

	mu     sync.Mutex
	next   *Frame
	queue  []string // sequences that draw nothing, sent whole before the next frame
	last   string   // ends the painting
	ending bool

	// The goroutine's own.
	shown Frame
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

	askBackground = "\x1b]11;?\x07"
	askAttributes = "\x1b[c"

	beginSync = "\x1b[?2026h"
	endSync   = "\x1b[?2026l"

	// syncFrom is the size from which a terminal may show half of a write.
	syncFrom = 512
	// keepBuffer is how much room for writing an idle session keeps.
	keepBuffer = 2 << 10
	// endPatience is how long a terminal has to take its last frame.
	endPatience = 2 * time.Second
)

// ErrStalled is what End returns of a terminal that has stopped reading.
var ErrStalled = errors.New("the terminal does not take its output")

// NewPainter makes the painter of a terminal. Its first output takes the whole
// screen and, if ask is set, asks for the background colour and the device
// attributes, in this order. failed is called from Run with the error of out.
func NewPainter(out io.Writer, ask bool, failed func(error)) *Painter {
	first := enterScreen
	if ask {
		first += askBackground + askAttributes
	}
	p := &Painter{
		out: out, failed: failed, queue: []string{first},
		wake: make(chan struct{}, 1), done: make(chan struct{}),
	}
	p.signal()
	return p
}

// Show makes f the frame to be seen.
func (p *Painter) Show(f *Frame) {
	p.mu.Lock()
	p.next = f
	p.mu.Unlock()
	p.signal()
}

// Copy puts text on the clipboard of the terminal (OSC 52). Of more than a few
// texts at once, the terminal being slow, the last are dropped.
func (p *Painter) Copy(text string) {
	const most = 4
	p.mu.Lock()
	if len(p.queue) < most {
		p.queue = append(p.queue, "\x1b]52;c;"+base64.StdEncoding.EncodeToString([]byte(text))+"\x07")
	}
	p.mu.Unlock()
	p.signal()
}

// End drops the frame that waits, gives the screen back as it was, and leaves
// farewell on it. It returns when Run has, but does not wait long for a
// terminal that has stopped reading (ErrStalled).
func (p *Painter) End(farewell string) error {
	p.mu.Lock()
	p.next, p.queue, p.last, p.ending = nil, nil, leaveScreen+farewell, true
	p.mu.Unlock()
	p.signal()
	t := time.NewTimer(endPatience)
	defer t.Stop()
	select {
	case <-p.done:
		return nil
	case <-t.C:
		return ErrStalled
	}
}

func (p *Painter) signal() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Run writes to the terminal until End, or until the terminal fails.
func (p *Painter) Run() {
	defer close(p.done)
	for range p.wake {
		p.mu.Lock()
		f, queue, last, ending := p.next, p.queue, p.last, p.ending
		p.next, p.queue = nil, nil
		p.mu.Unlock()
		for _, s := range queue {
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
func (p *Painter) draw(f *Frame) {
	began := len(p.buf)
	if f.Title != p.shown.Title {
		p.buf = append(p.buf, "\x1b]2;"+f.Title+"\x07"...)
	}
	if f.Mouse != p.shown.Mouse {
		if f.Mouse {
			p.buf = append(p.buf, mouseOn...)
		} else {
			p.buf = append(p.buf, mouseOff...)
		}
	}
	body := len(p.buf)
	if p.shown.Cursor != nil {
		p.buf = append(p.buf, hideCursor...)
	}
	painted := len(p.buf)
	if f.Width != p.shown.Width || f.Height != p.shown.Height {
		p.buf = append(p.buf, "\x1b[m\x1b[2J"...)
		p.shown.Rows = make([]Row, f.Height)
	} else {
		p.scroll(f)
	}
	for y, r := range f.Rows {
		if r.Text == "" {
			r.At = 0
		}
		if old := p.shown.Rows[y]; old != r {
			p.line(y, old, r, f.Width)
			p.shown.Rows[y] = r
		}
	}
	switch was := p.shown.Cursor; {
	case len(p.buf) > painted, (was == nil) != (f.Cursor == nil), was != nil && *was != *f.Cursor:
		if f.Cursor != nil {
			p.move(f.Cursor.Y, f.Cursor.X)
			p.buf = append(p.buf, showCursor...)
		}
	default:
		p.buf = p.buf[:body] // as it was
	}
	p.shown.Width, p.shown.Height = f.Width, f.Height
	p.shown.Title, p.shown.Cursor, p.shown.Mouse = f.Title, f.Cursor, f.Mouse
	if len(p.buf)-began > syncFrom {
		p.buf = append(p.buf, endSync...)
		p.buf = append(p.buf, beginSync...)
		copy(p.buf[body+len(beginSync):], p.buf[body:len(p.buf)-len(beginSync)])
		copy(p.buf[body:], beginSync)
	}
}

// line replaces one line of the screen.
func (p *Painter) line(y int, old, r Row, width int) {
	if r.Text == "" {
		p.move(y, 0)
		p.buf = append(p.buf, "\x1b[K"...)
		return
	}
	if old.At == r.At && old.Text != "" {
		skip, cells, keep := common(old.Text, r.Text)
		if skip > 0 || keep > 0 {
			p.move(y, r.At+cells)
			p.text(r.Text[skip:len(r.Text)-keep], r.At+cells, width, keep == 0)
			return
		}
	}
	if old.Text != "" && old.At < r.At || old.At == 0 && r.At < 2 {
		p.move(y, 0)
		for range r.At {
			p.buf = append(p.buf, ' ')
		}
	} else {
		p.move(y, r.At)
	}
	p.text(r.Text, r.At, width, true)
}

// text writes text at the cursor, closes its styles, and clears the rest of
// the line.
func (p *Painter) text(s string, at, width int, clear bool) {
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
func (p *Painter) move(y, x int) {
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
	skip, cells = commonStart(old, s)
	most := min(len(old), len(s)) - skip
	for keep < most && old[len(old)-1-keep] == s[len(s)-1-keep] {
		keep++
	}
	// The end must begin where a sequence ends, or with an ASCII character.
	for keep > 0 {
		was, is := old[skip:len(old)-keep], s[skip:len(s)-keep]
		if c := s[len(s)-keep]; c >= ' ' && c < 0x7f && closed(is) && closed(was) {
			if ansi.StringWidth(is) == ansi.StringWidth(was) {
				return skip, cells, keep
			}
			break
		}
		keep--
	}
	return skip, cells, 0
}

// commonStart measures the beginning that two lines share, up to where no style
// is open.
func commonStart(old, s string) (skip, cells int) {
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
			if !sureWidth(r) {
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

// closed reports whether no style and no sequence is open at the end of s,
// and that the width of all its characters is sure.
func closed(s string) bool {
	if strings.Contains(s, "\x1b]") {
		return false
	}
	if i := strings.LastIndexByte(s, '\x1b'); i >= 0 && !strings.HasPrefix(s[i:], "\x1b[m") {
		return false
	}
	for _, r := range s {
		if r != '\x1b' && !sureWidth(r) {
			return false
		}
	}
	return true
}

// sureWidth reports a character that is one cell wide in every terminal.
func sureWidth(r rune) bool {
	return r >= ' ' && r < 0x7f || r >= 0x2500 && r <= 0x259f || r == '›' || r == '…' || r == '·'
}

// scroll moves lines that the screen has already, where that spares writing
// them again. First and last line do not move.
func (p *Painter) scroll(f *Frame) {
	top, bottom := 1, f.Height-1
	by := shift(p.shown.Rows, f.Rows, top, bottom)
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
	moved := make([]Row, f.Height)
	moved[0], moved[bottom] = p.shown.Rows[0], p.shown.Rows[bottom]
	for y := top; y < bottom; y++ {
		if from := y + by; from >= top && from < bottom {
			moved[y] = p.shown.Rows[from]
		}
	}
	p.shown.Rows = moved
}

// shift finds by how many rows those from top to bottom are best moved up, or
// down if it is negative: where most bytes need not be written again. It is 0
// if too few are spared.
func shift(old, rows []Row, top, bottom int) int {
	const least = 48 // bytes it must spare
	if bottom-top < 3 {
		return 0
	}
	// What a row costs that is not where it should be.
	cost := func(y, from int) int {
		if rows[y].Text == "" || old[from] != rows[y] {
			return 0
		}
		return len(rows[y].Text) + 8
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
	return by
}
