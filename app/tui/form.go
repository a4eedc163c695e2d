package tui

import (
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"sheaf/app/blog"
	"sheaf/app/typeset"
)

// openForm shows the fields of the front matter of a text being written. It
// stands on the same bytes: to change a field is to edit the text there.
func (b *browser) openForm(e *editor) {
	v := b.conf.Visitor
	x := &menu{b: b, where: onForm, name: e.title() + " › fields"}
	x.build = func() (entries []item) {
		fields, err := v.Fields(e.path, []byte(e.buf.Text().String()))
		if err != nil {
			return []item{{name: "error", lines: []string{
				typeset.Truncate(b.styles.Error.On("!")+" "+b.reason(err), x.room()),
				typeset.Truncate(b.styles.Dim.On("Mend that in the text first."), x.room()),
			}}}
		}
		const labels = 9
		for _, f := range []struct{ name, value, none string }{
			{"title", fields.Title, "from the first heading, else the file's name"},
			{"slug", fields.Slug, "the address; from the file's name"},
			{"date", fields.Date, "that of the first publishing"},
			{"tags", fields.Tags, "none"},
			{"summary", fields.Summary, "the beginning of the text"},
			{"draft", fields.Draft, "no"},
		} {
			value := oneLine(f.value)
			if value == "" {
				value = b.styles.Dim.On(f.none)
			}
			entries = append(entries, item{
				name:  f.name,
				lines: []string{typeset.Truncate(b.styles.Dim.On(leftAligned(f.name, labels))+value, x.room())},
				open:  func() { b.askField(e, x, f.name, f.value) },
			})
		}
		for i, file := range v.Beside(e.path) {
			label := ""
			if i == 0 {
				label = "beside"
			}
			entries = append(entries, item{name: "file " + file, lines: []string{typeset.Truncate(b.styles.Dim.On(leftAligned(label, labels)+oneLine(file)), x.room())}})
		}
		return entries
	}
	x.refresh()
	b.push(x)
}

// askField changes one field; a switch is turned over.
func (b *browser) askField(e *editor, x *menu, name, value string) {
	set := func(value string) {
		old := e.buf.Text().String()
		now, err := b.conf.Visitor.SetField(e.path, []byte(old), name, value)
		if err != nil {
			b.say("not done: " + oneLine(err.Error()))
			return
		}
		if !e.buf.Fits(len(now)) {
			e.sayTooLong()
			return
		}
		e.take(string(now))
		e.afterEdit()
		x.reload()
	}
	if name == "draft" {
		if value == "yes" {
			set("no")
		} else {
			set("yes")
		}
		return
	}
	p := &prompt{b: b, label: name + ": ", text: oneLine(value), enter: set}
	if name == "tags" {
		p.tail = func() string { return strings.Join(tagsLike(b.edition, p.text), " ") }
		p.complete = func(text string) string {
			like := tagsLike(b.edition, text)
			if len(like) == 0 {
				return text
			}
			return text[:len(text)-len(lastTag(text))] + like[0] + ", "
		}
	}
	b.prompt = p
}

// lastTag is the one that is being typed.
func lastTag(text string) string {
	return strings.TrimLeft(text[strings.LastIndexByte(text, ',')+1:], " ")
}

// tagsLike gives the blog's tags that begin as the last one typed does, those
// that are used most first.
func tagsLike(e *blog.Edition, text string) (names []string) {
	const most, cells = 5, 40
	last := fold(lastTag(text))
	var given []string
	for t := range strings.SplitSeq(text, ",") {
		given = append(given, fold(strings.TrimSpace(t)))
	}
	tags := slices.Clone(e.Tags())
	slices.SortStableFunc(tags, func(a, b blog.Tag) int { return b.Count - a.Count })
	room := cells
	for _, t := range tags {
		name := oneLine(t.Name)
		if low := fold(name); !strings.HasPrefix(low, last) || slices.Contains(given, low) {
			continue
		}
		if room -= ansi.StringWidth(name) + 1; room < 0 || len(names) == most {
			break
		}
		names = append(names, name)
	}
	return names
}
