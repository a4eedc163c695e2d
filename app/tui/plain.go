package tui

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"sheaf/app/blog"
	"sheaf/app/markdown"
	"sheaf/app/typeset"
)

// A plainSession is the blog on a terminal that can only print: it shows a
// list, reads a line, shows a post, without one escape sequence.
type plainSession struct {
	t     Terminal
	c     Config
	lines chan string
	sizes <-chan Size
	width int
	shown []*blog.Post    // what numbers mean
	next  int             // the first that has not been listed
	seen  map[string]bool // paths of the posts that were shown
	err   error
}

// shownAtOnce is how many posts are listed before the reader is asked.
const shownAtOnce = 20

// runPlain is Run for such a terminal: it greets, shows what was asked for, and
// answers lines until one says goodbye, the input ends, or ctx does.
func runPlain(ctx context.Context, t Terminal, c Config, crash func(any)) (err error) {
	k := &plainSession{t: t, c: c, seen: map[string]bool{}, lines: make(chan string), sizes: t.Resizes, width: t.Width}
	defer func() {
		if p := recover(); p != nil {
			crash(p)
			err = ErrPanic
		}
	}()
	guard(crash, func() { k.read(ctx) })
	e := c.Visitor.Edition()
	site := e.Site()
	k.print(markdown.Line(site.Title))
	if site.Tagline != "" {
		k.print(markdown.Line(site.Tagline))
	}
	k.print("")
	if home := e.Home(); home != nil {
		k.page(home, typeset.Header{})
		k.print("")
	}
	k.list(e.Posts())
	if slug, _, _ := strings.Cut(c.Open, "#"); slug != "" {
		k.open(slug)
	}
	for k.err == nil {
		k.write("> ")
		select {
		case <-ctx.Done():
			if why := context.Cause(ctx); !errors.Is(why, context.Canceled) {
				k.print("")
				k.print(markdown.Line(why.Error()))
				if errors.Is(why, ErrPanic) {
					return ErrPanic
				}
			}
			return nil
		case s, ok := <-k.sizes:
			if !ok {
				k.sizes = nil
			} else {
				k.width, _ = boundedSize(s.Width, s.Height)
			}
		case line, ok := <-k.lines:
			if !ok || !k.answer(strings.TrimSpace(line)) {
				return nil
			}
		}
	}
	return k.err
}

// answer does what a line asks for. It returns false if the visitor is leaving.
func (k *plainSession) answer(line string) bool {
	e := k.c.Visitor.Edition()
	if n, err := strconv.Atoi(line); err == nil {
		if n < 1 || n > len(k.shown) {
			k.print("There is no number " + line + ".")
			return true
		}
		k.open(k.shown[n-1].Slug)
		return true
	}
	switch {
	case line == "q" || line == "quit" || line == "exit":
		return false
	case line == "" || line == "m":
		k.more()
	case line == "l":
		k.list(e.Posts())
	case strings.HasPrefix(line, "/"):
		words := strings.TrimSpace(line[1:])
		var found []*blog.Post
		for _, hit := range e.Search(words) {
			found = append(found, hit.Post)
		}
		if len(found) == 0 {
			k.print("No match for «" + markdown.Line(words) + "».")
			return true
		}
		k.list(found)
	case line == "p":
		k.list(e.Pages())
	case line == "?" || line == "h" || line == "help":
		k.help()
	default:
		k.open(line)
	}
	return true
}

func (k *plainSession) help() {
	k.say("A number or an address reads a post, m lists more, l lists all posts, p lists the pages, " +
		"/words searches, q quits.")
}

func (k *plainSession) list(posts []*blog.Post) {
	k.shown, k.next = posts, 0
	if len(posts) == 0 {
		k.print("No posts yet.")
	}
	k.more()
	k.help()
}

func (k *plainSession) more() {
	end := min(k.next+shownAtOnce, len(k.shown))
	for i, p := range k.shown[k.next:end] {
		date := ""
		if p.HasDate {
			date = p.Date.Format(", 2 January 2006")
		}
		k.say(fmt.Sprintf("%d. %s%s", k.next+i+1, markdown.Line(p.Title), date))
	}
	k.next = end
	if rest := len(k.shown) - end; rest > 0 {
		k.print(fmt.Sprintf("(%d more: m)", rest))
	}
}

func (k *plainSession) open(slug string) {
	p, err := k.c.Visitor.Edition().Post(slug)
	if err != nil {
		k.print("There is no post «" + markdown.Line(slug) + "». ? says what can be typed.")
		return
	}
	if !k.seen[p.Path] {
		k.seen[p.Path] = true
		k.c.Visitor.Viewed(p)
	}
	k.page(p, header(p))
}

func (k *plainSession) page(p *blog.Post, h typeset.Header) {
	k.print(strings.Join(page(k.c, p, h, k.measure(), typeset.Theme{Name: "plain"}).Lines, "\n"))
}

// say prints one of our own lines, broken at words.
func (k *plainSession) say(s string) {
	for _, line := range typeset.Wrap(s, k.measure()) {
		k.print(line)
	}
}

// measure leaves the last column free, because some terminals begin a new line
// there by themselves.
func (k *plainSession) measure() int { return max(min(k.width-1, widest), 1) }

func (k *plainSession) print(s string) {
	k.write(strings.ReplaceAll(markdown.Clean(s), "\n", "\r\n") + "\r\n")
}

func (k *plainSession) write(s string) {
	if k.err == nil {
		_, k.err = io.WriteString(k.t.Out, s)
	}
}

// read collects what is typed into lines. It echoes it as well, for the
// terminal is in raw mode.
func (k *plainSession) read(ctx context.Context) {
	defer close(k.lines)
	var line []byte
	buf := make([]byte, 256)
	for {
		n, err := k.t.In.Read(buf)
		var echo bytes.Buffer
		for _, c := range buf[:n] {
			switch {
			case c == '\r' || c == '\n':
				echo.WriteString("\r\n")
				_, _ = k.t.Out.Write(echo.Bytes())
				echo.Reset()
				select {
				case k.lines <- markdown.Clean(string(line)):
				case <-ctx.Done():
					return
				}
				line = line[:0]
			case c == 3 || c == 4 && len(line) == 0: // ^C, ^D
				return
			case c == 0x7f || c == '\b':
				if len(line) > 0 {
					_, w := utf8.DecodeLastRune(line)
					line = line[:len(line)-w]
					echo.WriteString("\b \b")
				}
			case c >= ' ' && len(line) < maxTyped:
				line = append(line, c)
				echo.WriteByte(c)
			}
		}
		if echo.Len() > 0 {
			_, _ = k.t.Out.Write(echo.Bytes())
		}
		if err != nil {
			return
		}
	}
}
