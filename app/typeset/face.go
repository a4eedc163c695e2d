package typeset

import (
	"image/color"
	"strconv"
	"strings"

	glamour "charm.land/glamour/v2/ansi"
	"charm.land/glamour/v2/styles"
	"charm.land/lipgloss/v2"
	"github.com/alecthomas/chroma/v2"
	"github.com/charmbracelet/x/ansi"
)

// A face is how a run of text looks: attributes and a colour. The zero face is
// the terminal's own.
type face struct {
	attrs  attrs
	colour colour
}

type attrs uint8

const (
	bold attrs = 1 << iota
	faint
	italic
	underline
	reverse
	struck
)

// A colour is 1 + one of the 256 colours of a terminal; 0 is the terminal's own
// foreground.
type colour uint16

// with lays b over f: attributes add up, a colour replaces.
func (f face) with(b face) face {
	f.attrs |= b.attrs
	if b.colour != 0 {
		f.colour = b.colour
	}
	return f
}

// sgrOn lists what switches an attribute on, in the order of the attrs bits.
var sgrOn = [...]string{"1", "2", "3", "4", "7", "9"}

func (f face) codes(dst []string) []string {
	for i, s := range sgrOn {
		if f.attrs&(1<<i) != 0 {
			dst = append(dst, s)
		}
	}
	if f.colour != 0 {
		dst = append(dst, f.colour.sgr())
	}
	return dst
}

func (i colour) sgr() string {
	switch n := int(i) - 1; {
	case n < 8:
		return strconv.Itoa(30 + n)
	case n < 16:
		return strconv.Itoa(90 + n - 8)
	default:
		return "38;5;" + strconv.Itoa(n)
	}
}

// transition returns the shortest sequence that leads from face f to face to.
// The way to the terminal's own face is always a reset, so that a row is known
// to be closed when its last sequence is one.
func (f face) transition(to face) string {
	if f == to {
		return ""
	}
	if to == (face{}) {
		return "\x1b[m"
	}
	var room [8]string
	whole := to.codes(room[:0])
	if f == (face{}) {
		return "\x1b[" + strings.Join(whole, ";") + "m"
	}
	if f.attrs&^to.attrs == 0 { // nothing but additions and perhaps another colour
		var r [8]string
		add := face{attrs: to.attrs &^ f.attrs}
		if to.colour != f.colour {
			add.colour = to.colour
		}
		part := add.codes(r[:0])
		if to.colour == 0 && f.colour != 0 {
			part = append(part, "39")
		}
		return "\x1b[" + strings.Join(part, ";") + "m"
	}
	return "\x1b[;" + strings.Join(whole, ";") + "m"
}

// A palette is what a theme means in faces.
type palette struct {
	plain  bool // no escape sequences at all
	accent colour

	title, note          face
	heading              [7]face // by level; 0 is unused
	emph, strong, strike face
	inlineCode           face // code and math within a line
	link, dim, mark      face
	label                face // of a stacked record, a term, a summary
	tokens               map[chroma.TokenType]face
	callout              map[string]colour // those that have a colour of their own; the others have the accent
}

// newPalette returns the faces of a theme. Attributes, the accent and the
// colours of code come from glamour's style configuration, dark or light; the
// dim tone and the colours of call-outs are chosen here, to be read on both.
func newPalette(t Theme) *palette {
	p := &palette{}
	conf := styles.DarkStyleConfig
	dim := colour(245 + 1)
	red, green, yellow, violet := colour(203+1), colour(78+1), colour(214+1), colour(141+1)
	switch t.Name {
	case "plain":
		p.plain = true
		return p
	case "light":
		conf = styles.LightStyleConfig
		dim = 242 + 1
		red, green, yellow, violet = 160+1, 28+1, 130+1, 91+1
	}
	p.accent = colourOf(conf.Heading.Color)
	if a := parseColour(t.Accent); a != 0 {
		p.accent = a
	}
	p.dim = face{colour: dim}
	if t.Name == "mono" {
		p.accent = 0
		p.dim = face{attrs: faint}
		red, green, yellow, violet = 0, 0, 0, 0
	} else {
		p.tokens = codeFaces(conf.CodeBlock.Chroma)
	}
	p.emph = faceOf(conf.Emph)
	p.strong = faceOf(conf.Strong)
	p.strike = faceOf(conf.Strikethrough)
	p.inlineCode = face{colour: p.accent}
	if t.Name == "mono" {
		p.inlineCode = face{attrs: bold}
	}
	p.link = face{attrs: underline}
	p.mark = face{attrs: reverse}
	p.label = face{attrs: bold}
	p.note = p.dim
	p.title = face{attrs: bold, colour: p.accent}
	for i := range p.heading {
		p.heading[i] = face{attrs: bold, colour: p.accent}
	}
	p.heading[4] = face{attrs: bold}
	p.heading[5] = face{attrs: bold | italic}
	p.heading[6] = face{attrs: italic}
	p.callout = map[string]colour{
		"tip": green, "hint": green, "success": green, "check": green, "done": green,
		"important": violet, "question": violet, "example": violet,
		"warning": yellow, "attention": yellow, "warn": yellow,
		"caution": red, "danger": red, "error": red, "bug": red, "failure": red,
	}
	return p
}

// faceOf takes the attributes of a glamour style; its colours are not for
// prose.
func faceOf(s glamour.StylePrimitive) face {
	var a attrs
	for _, x := range []struct {
		on *bool
		a  attrs
	}{
		{s.Bold, bold}, {s.Italic, italic}, {s.Underline, underline},
		{s.CrossedOut, struck}, {s.Inverse, reverse}, {s.Faint, faint},
	} {
		if x.on != nil && *x.on {
			a |= x.a
		}
	}
	return face{attrs: a}
}

// codeFaces takes glamour's colours of code. Names, punctuation and plain text
// keep the terminal's own colour: they are most of a listing, and a colour on
// everything says nothing.
func codeFaces(c *glamour.Chroma) map[chroma.TokenType]face {
	m := make(map[chroma.TokenType]face)
	if c == nil {
		return m
	}
	for t, s := range map[chroma.TokenType]glamour.StylePrimitive{
		chroma.Comment:             c.Comment,
		chroma.CommentPreproc:      c.CommentPreproc,
		chroma.Keyword:             c.Keyword,
		chroma.KeywordReserved:     c.KeywordReserved,
		chroma.KeywordNamespace:    c.KeywordNamespace,
		chroma.KeywordType:         c.KeywordType,
		chroma.NameBuiltin:         c.NameBuiltin,
		chroma.NameTag:             c.NameTag,
		chroma.NameAttribute:       c.NameAttribute,
		chroma.NameClass:           {Bold: c.NameClass.Bold},
		chroma.NameConstant:        c.NameConstant,
		chroma.NameDecorator:       c.NameDecorator,
		chroma.NameException:       c.NameException,
		chroma.NameFunction:        c.NameFunction,
		chroma.LiteralNumber:       c.LiteralNumber,
		chroma.LiteralDate:         c.LiteralDate,
		chroma.LiteralString:       c.LiteralString,
		chroma.LiteralStringEscape: c.LiteralStringEscape,
		chroma.GenericDeleted:      c.GenericDeleted,
		chroma.GenericEmph:         c.GenericEmph,
		chroma.GenericInserted:     c.GenericInserted,
		chroma.GenericStrong:       c.GenericStrong,
		chroma.GenericSubheading:   c.GenericSubheading,
		chroma.GenericHeading:      c.GenericSubheading,
	} {
		f := faceOf(s)
		f.colour = colourOf(s.Color)
		if f != (face{}) {
			m[t] = f
		}
	}
	return m
}

// tokenFace returns the face of a kind of token: its own, or that of the kinds
// it belongs to.
func (p *palette) tokenFace(t chroma.TokenType) face {
	for _, t := range [...]chroma.TokenType{t, t.SubCategory(), t.Category()} {
		if f, ok := p.tokens[t]; ok {
			return f
		}
	}
	return face{}
}

func colourOf(s *string) colour {
	if s == nil {
		return 0
	}
	return parseColour(*s)
}

// parseColour reads "#rrggbb" or an ANSI number; 0 when it is neither. An exact
// colour becomes the nearest of the 256: every terminal has those, and a change
// of colour costs half the bytes.
func parseColour(s string) colour {
	if n, err := strconv.ParseUint(s, 10, 8); err == nil {
		return colour(n) + 1
	}
	if len(s) != 7 && len(s) != 4 || s[0] != '#' {
		return 0
	}
	if _, err := strconv.ParseUint(s[1:], 16, 32); err != nil {
		return 0
	}
	var c color.Color = lipgloss.Color(s)
	return colour(ansi.Convert256(c)) + 1
}
