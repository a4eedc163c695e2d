package tui

import (
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"sheaf/app/blog"
	"sheaf/app/markdown"
	"sheaf/app/typeset"
)

// A form shows the fields of the front matter of a text being written. It
// stands on the same bytes: to change a field is to edit the text there.
type form struct {
	a    *author
	e    *editor
	menu *menu
	formValues
}

// formValues are what a form shows.
type formValues struct {
	fields blog.Fields
	err    error    // the front matter cannot be read
	beside []string // files that belong to the post
}

// openForm shows the fields of the text in an editor.
func (a *author) openForm(e *editor) {
	f := &form{a: a, e: e}
	f.menu = &menu{b: a.b, where: onForm, name: e.title() + " › fields", build: f.items, load: f.load}
	load := f.load()
	a.hold(func() func() {
		put := load()
		return func() {
			put()
			a.b.push(f.menu)
		}
	}, f.isOpen)
}

// isOpen reports whether the form is the current screen.
func (f *form) isOpen() bool { return f.a.b.current() == screen(f.menu) }

// load reads the fields of the text as it stands now.
func (f *form) load() job {
	visitor, path, text := f.a.visitor, f.e.path, f.e.buf.Text()
	return func() func() {
		values := readForm(visitor, path, []byte(text.String()))
		return func() { f.formValues = values }
	}
}

func readForm(v blog.Author, path string, text []byte) (f formValues) {
	f.fields, f.err = v.Fields(path, text)
	f.beside = v.Beside(path)
	return f
}

// items are the fields, then the files beside the post.
func (f *form) items() (items []item) {
	st, room := f.a.b.styles, f.menu.room()
	if f.err != nil {
		return []item{{name: "error", lines: []string{
			typeset.Truncate(st.Error.On("!")+" "+f.a.reason(f.err), room),
			typeset.Truncate(st.Dim.On("Mend that in the text first."), room),
		}}}
	}
	const labels = 9
	for _, field := range []struct{ name, value, none string }{
		{"title", f.fields.Title, "from the first heading, else the file's name"},
		{"slug", f.fields.Slug, "the address; from the file's name"},
		{"date", f.fields.Date, "that of the first publishing"},
		{"tags", f.fields.Tags, "none"},
		{"summary", f.fields.Summary, "the beginning of the text"},
		{"draft", f.fields.Draft, "no"},
	} {
		value := markdown.Line(field.value)
		if value == "" {
			value = st.Dim.On(field.none)
		}
		items = append(items, item{
			name:  field.name,
			lines: []string{typeset.Truncate(st.Dim.On(leftAligned(field.name, labels))+value, room)},
			open:  func() { f.ask(field.name, field.value) },
		})
	}
	for i, file := range f.beside {
		label := ""
		if i == 0 {
			label = "beside"
		}
		line := st.Dim.On(leftAligned(label, labels) + markdown.Line(file))
		items = append(items, item{name: "file " + file, lines: []string{typeset.Truncate(line, room)}})
	}
	return items
}

// ask asks for the new value of a field. That of a switch is the other one.
func (f *form) ask(name, value string) {
	b := f.a.b
	if name == "draft" {
		if value == "yes" {
			f.set(name, "no")
		} else {
			f.set(name, "yes")
		}
		return
	}
	p := &prompt{b: b, label: name + ": ", enter: func(value string) { f.set(name, value) }}
	p.text = markdown.Line(value)
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

// set edits a field in the text.
func (f *form) set(name, value string) {
	b, e, visitor := f.a.b, f.e, f.a.visitor
	path, version, text := e.path, e.buf.Version(), e.buf.Text()
	f.a.hold(func() func() {
		now, err := visitor.SetField(path, []byte(text.String()), name, value)
		var values formValues
		if err == nil {
			values = readForm(visitor, path, now)
		}
		return func() {
			switch {
			case err != nil:
				b.say("not done: " + markdown.Line(err.Error()))
			case e.buf.Version() != version: // saving has changed the text meanwhile
				f.set(name, value)
			case !e.buf.Fits(len(now)):
				e.sayTooLong()
			default:
				e.take(string(now))
				e.afterEdit()
				f.formValues = values
				f.menu.rebuild()
			}
		}
	}, f.isOpen)
}

// lastTag is the tag that is being typed at the end of a list of tags.
func lastTag(text string) string {
	return strings.TrimLeft(text[strings.LastIndexByte(text, ',')+1:], " ")
}

// tagsLike returns the blog's tags that begin like the one being typed, the
// most used ones first. Tags that are in the list already are left out.
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
		name := markdown.Line(t.Name)
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
