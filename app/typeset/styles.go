package typeset

import "github.com/charmbracelet/x/ansi"

// Styles are the styles of what stands around a page, so that all of a screen
// agrees.
type Styles struct {
	Accent, Dim, Bold, Title, Underline Style
	Selected                            Style // the one selected thing
	Match                               Style // what a search found
	Warning, Error                      Style
	Added, Removed                      Style // lines of a difference
}

// Style is a look of text.
type Style struct{ on string }

// On returns text in this style, closed at its end. Text must hold no escape
// sequences that end a style.
func (s Style) On(text string) string {
	if s.on == "" || text == "" {
		return text
	}
	return s.on + text + "\x1b[m"
}

// Open is the sequence that switches the style on, "" in a plain theme;
// "\x1b[m" ends it.
func (s Style) Open() string { return s.on }

// Styled returns the styles of a theme.
func Styled(t Theme) Styles {
	p := newPalette(t)
	of := func(f face) Style {
		if p.plain {
			return Style{}
		}
		return Style{face{}.transition(f)}
	}
	return Styles{
		Accent:    of(face{colour: p.accent}),
		Dim:       of(p.dim),
		Bold:      of(face{attrs: bold}),
		Title:     of(p.title),
		Underline: of(face{attrs: underline}),
		Selected:  of(face{attrs: reverse}),
		Match:     of(face{attrs: reverse, colour: p.accent}),
		Warning:   of(face{colour: p.callout["warning"]}),
		Error:     of(face{attrs: bold, colour: p.callout["error"]}),
		Added:     of(face{colour: p.callout["success"]}),
		Removed:   of(face{colour: p.callout["error"]}),
	}
}

// Truncate cuts a line to at most cells, ending it with … when something is
// cut. Styles in it survive.
func Truncate(line string, cells int) string {
	if cells <= 0 {
		return ""
	}
	if Width(line) <= cells {
		return line
	}
	return ansi.Truncate(line, cells, "…")
}

// Width counts the cells of a line, leaving out its escape sequences.
func Width(line string) int { return ansi.StringWidth(line) }

// Wrap breaks plain text into lines of at most cells, by the rules of pages.
func Wrap(text string, cells int) []string {
	var lines []string
	for _, r := range breakRuns([]run{{text: text}}, cells) {
		lines = append(lines, sanitize(textOf(r)))
	}
	return lines
}
