package typeset

import (
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"sheaf/app/markdown"
)

// Past the limits of time a page goes on as plain text, and then ends.
func TestLateBlocksArePlain(t *testing.T) {
	d := markdown.Parse([]byte("# Head\n\n**Bold** text.\n\n| a | b |\n|---|---|\n| c | d |\n\n- item\n\n```go\nfunc f() {}\n```\n"), markdown.Options{})
	s := newComposer(d, 40, newPalette(Theme{Name: "dark"}), newHighlighter())
	s.start = time.Now().Add(-softLimit - time.Millisecond)
	s.compose(Header{Title: "Title"})
	got := strings.Join(s.finish().Lines, "\n")
	for _, want := range []string{"takes long", "Head", "Bold text.", "item", "func f() {}"} {
		if !strings.Contains(ansi.Strip(got), want) {
			t.Errorf("%q is lost in\n%s", want, got)
		}
	}
	if strings.Contains(got, "\x1b[1mBold") {
		t.Errorf("still styled:\n%s", got)
	}
	s = newComposer(d, 40, newPalette(Theme{Name: "dark"}), newHighlighter())
	s.start = time.Now().Add(-hardLimit - time.Second)
	s.compose(Header{})
	if got := strings.Join(s.finish().Lines, "\n"); strings.Contains(got, "item") || !strings.Contains(got, "left out") {
		t.Errorf("too late, and still:\n%s", got)
	}
}

// Whatever face follows whatever other, a terminal ends in the one wanted.
func TestTurnLeadsToTheFace(t *testing.T) {
	faces := []face{{}, {attrs: bold}, {attrs: bold | underline, colour: 40}, {colour: 5}, {colour: 12}, {attrs: italic | struck, colour: 5}, {attrs: reverse}, {attrs: faint, colour: 200}}
	for _, from := range faces {
		for _, to := range faces {
			if got := obey(face{}.transition(from) + from.transition(to)); got != to {
				t.Errorf("%+v to %+v: %q gives %+v", from, to, from.transition(to), got)
			}
		}
	}
}

// obey is a small terminal.
func obey(seq string) (f face) {
	for _, s := range strings.Split(seq, "\x1b[") {
		if s == "" {
			continue
		}
		codes := strings.Split(strings.TrimSuffix(s, "m"), ";")
	code:
		for i := 0; i < len(codes); i++ {
			for bit, on := range sgrOn {
				if codes[i] == on {
					f.attrs |= 1 << bit
					continue code
				}
			}
			switch c := codes[i]; {
			case c == "" || c == "0":
				f = face{}
			case c == "39":
				f.colour = 0
			case c == "38":
				f.colour = parseColour(codes[i+2]) // 38;5;N
				i += 2
			case c[0] == '3':
				f.colour = parseColour(c[1:])
			case c[0] == '9':
				f.colour = parseColour(c[1:]) + 8
			}
		}
	}
	return f
}

func TestAccent(t *testing.T) {
	for name, want := range map[string]colour{"": 39 + 1, "#ff0000": 196 + 1, "#f00": 196 + 1, "2": 2 + 1, "nonsense": 39 + 1, "300": 39 + 1, "#zzzzzz": 39 + 1} {
		if got := newPalette(Theme{Name: "dark", Accent: name}).accent; got != want {
			t.Errorf("accent %q: %d, want %d", name, got, want)
		}
	}
}
