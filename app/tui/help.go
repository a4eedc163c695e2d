package tui

import (
	"fmt"
	"slices"

	"github.com/charmbracelet/x/ansi"

	"sheaf/app/typeset"
)

// A helpScreen shows the key map, in two columns where there is room.
type helpScreen struct {
	sheet
	b     *browser
	where screenKind // it was asked for
}

func newHelp(b *browser) *helpScreen {
	h := &helpScreen{b: b, where: b.current().kind()}
	h.refresh()
	return h
}

func (h *helpScreen) kind() screenKind      { return onHelp }
func (h *helpScreen) breadcrumb() string    { return "keys" }
func (h *helpScreen) status() string        { return "" }
func (h *helpScreen) windowTitle() string   { return windowTitle(h.b.edition.Site().Title, "keys") }
func (h *helpScreen) hint(k binding) string { return k.hint }

func (h *helpScreen) can(a action) bool { return a != actCancel }
func (h *helpScreen) act(a action)      { h.to(h.target(a)) }

func (h *helpScreen) refresh() {
	if h.outdated(h.b) {
		h.show(h.render())
	}
}

// render sets the key map.
func (h *helpScreen) render() []string {
	const gap, twoFrom = 3, 72
	width := h.geo.measure
	column := width
	if width >= twoFrom {
		column = (width - gap) / 2
	}
	if column == width {
		left, right := h.groups()
		return append(h.column(width, append(left[:1:1], append(right, left[1:]...)...)...), h.visitor(width)...)
	}
	leftGroups, rightGroups := h.groups()
	left, right := h.column(column, leftGroups...), h.column(column, rightGroups...)
	var lines []string
	for i := range max(len(left), len(right)) {
		line := ""
		if i < len(left) {
			line = left[i]
		}
		if i < len(right) && right[i] != "" {
			line = leftAligned(line, column+gap) + right[i]
		}
		lines = append(lines, line)
	}
	return append(lines, h.visitor(width)...)
}

// groups names the groups of bindings that matter where the help was asked for,
// those of the left and those of the right column.
func (h *helpScreen) groups() (left, right []string) {
	switch {
	case h.where == onEditor:
		return []string{"editor"}, []string{"typing"}
	case h.b.author != nil:
		return []string{"lists", "moving", "everywhere"}, []string{"author", "a post"}
	}
	return []string{"lists", "moving", "everywhere"}, []string{"a post"}
}

// column sets groups of bindings below each other, without those that have
// nothing to act on in this blog.
func (h *helpScreen) column(width int, groups ...string) (lines []string) {
	st := h.b.styles
	keys := 0
	for _, k := range keymap {
		if k.help != "" && slices.Contains(groups, k.group) {
			keys = max(keys, ansi.StringWidth(k.label()))
		}
	}
	for _, group := range groups {
		if len(lines) > 0 {
			lines = append(lines, "")
		}
		lines = append(lines, st.Title.On(group))
		for _, k := range keymap {
			if k.group != group || k.help == "" || !h.useful(k.do) {
				continue
			}
			for i, text := range typeset.Wrap(k.help, max(width-keys-2, 8)) {
				label := ""
				if i == 0 {
					label = k.label()
				}
				lines = append(lines, typeset.Truncate(leftAligned(label, keys)+"  "+st.Dim.On(text), width))
			}
		}
	}
	return lines
}

// useful reports whether this blog and this terminal have something that an
// action acts on.
func (h *helpScreen) useful(a action) bool {
	switch a {
	case actNextPage:
		return len(h.b.edition.Pages()) > 0
	case actTags:
		return len(h.b.edition.Tags()) > 0
	case actCopyAddress:
		return h.b.host() != ""
	case actTheme:
		return !h.b.monochrome
	}
	return true
}

// visitor tells a reader whose keys are no author's that this is so.
func (h *helpScreen) visitor(width int) []string {
	n := h.b.conf.KeysRefused
	if n == 0 || h.b.author != nil {
		return nil
	}
	text := fmt.Sprintf("You are a reader here: none of the %d keys your ssh offered is an author's.", n)
	if n == 1 {
		text = "You are a reader here: the key your ssh offered is no author's."
	}
	lines := []string{""}
	for _, line := range typeset.Wrap(text, width) {
		lines = append(lines, h.b.styles.Dim.On(line))
	}
	return lines
}
