package shell

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"

	"sheaf/app/blog"
	"sheaf/app/markdown"
	"sheaf/app/typeset"
)

// Call is one command line and where its answer goes.
type Call struct {
	Args     []string // none: ls
	Visitor  blog.Visitor
	Setter   *typeset.Setter
	Host     string // the public name of the blog, for addresses; "" is localhost
	Terminal bool   // Out is a terminal
	Width    int    // of the terminal
	Color    bool   // escape codes are welcome
	Theme    typeset.Theme
	Denied   string // what a reader is told who tries an author's verb: whole lines; "" is the bare reason
	In       io.Reader
	Out, Err io.Writer

	// Alive reports whether the client still answers: an input that has ended
	// may have been cut. nil never does.
	Alive func(context.Context) bool
}

// Run answers a call. An error is a failure of the machine, for the log; the
// visitor has not been told of it.
func Run(ctx context.Context, c Call) (status int, err error) {
	out := bufio.NewWriterSize(c.Out, 16<<10)
	k := &call{Call: c, ctx: ctx, out: out, edition: c.Visitor.Edition()}
	err = k.dispatch()
	if e := out.Flush(); e != nil {
		return 1, nil // the visitor has gone
	}
	var r *refusal
	var not *blog.Refusal
	switch {
	case err == nil:
		return 0, nil
	case errors.As(err, &r):
		k.explain(r)
		return r.status, nil
	case errors.As(err, &not):
		k.say("sheaf: ", not.Lines()...)
		return 1, nil
	case errors.Is(err, blog.ErrNotAuthor):
		k.say("", strings.Split(k.denied(), "\n")...)
		return 1, nil
	case ctx.Err() != nil:
		return 1, nil
	case k.verb.author && blog.Obstacle(err) != "":
		k.say("sheaf: ", k.verb.Name+": "+blog.Obstacle(err)+"; nothing was changed")
		return 1, nil
	}
	return 1, err
}

// call is a Call being answered.
type call struct {
	Call
	ctx     context.Context
	out     *bufio.Writer
	edition *blog.Edition
	verb    Verb
	words   []string // the arguments that are not options
	options map[string]string
}

// refusal is an answer that is not the one that was asked for.
type refusal struct {
	status int
	text   string
	hint   string
}

func (r *refusal) Error() string { return r.text }

func (c *call) explain(r *refusal) {
	text := "sheaf: " + line(r.text) + "\n"
	if r.hint != "" {
		text += "hint: " + line(r.hint) + "\n"
	}
	_, _ = io.WriteString(c.Err, text)
}

// say tells why not, a line for each reason.
func (c *call) say(before string, lines ...string) {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(before + line(l) + "\n")
	}
	_, _ = io.WriteString(c.Err, b.String())
}

// denied is what a reader is told who tries to change something.
func (c *call) denied() string {
	if c.Denied != "" {
		return c.Denied
	}
	return "sheaf: " + blog.ErrNotAuthor.Error()
}

func notFound(what string) error {
	return &refusal{1, brief(what) + ": no such post or command", "ls lists the posts, help the commands"}
}

func (c *call) dispatch() error {
	name, args := "ls", c.Args
	if len(args) > 0 {
		name, args = args[0], args[1:]
	}
	if name == "--help" || name == "-h" {
		name = "help"
	}
	verbs := Verbs()
	i := slices.IndexFunc(verbs, func(v Verb) bool { return v.Name == name })
	if i < 0 {
		if strings.HasPrefix(name, "-") {
			return &refusal{2, brief(name) + ": no such option", "help lists the commands"}
		}
		// An address alone is the short form of read.
		if _, _, err := c.find(name); err != nil {
			return err
		}
		i = slices.IndexFunc(verbs, func(v Verb) bool { return v.Name == "read" })
		args = c.Args
	}
	if verbs[i].author && !c.Visitor.IsAuthor() {
		return blog.ErrNotAuthor
	}
	if err := c.parse(verbs[i], args); err != nil {
		return err
	}
	c.verb = verbs[i]
	return c.verb.run(c)
}

func (c *call) has(option string) bool {
	_, ok := c.options[option]
	return ok
}

// find is the post at an address, and the heading behind its "#".
func (c *call) find(address string) (*blog.Post, string, error) {
	slug, heading, _ := strings.Cut(address, "#")
	p, err := c.edition.Post(slug)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", notFound(address)
	}
	return p, heading, err
}

// host is the name in addresses.
func (c *call) host() string {
	if c.Host != "" {
		return c.Host
	}
	return "localhost"
}

// put writes a line that holds nothing unsafe.
func (c *call) put(l string) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	_, _ = c.out.WriteString(l)
	return c.out.WriteByte('\n')
}

func (c *call) theme(color bool) typeset.Theme {
	t := c.Theme
	switch {
	case !color:
		t.Name = "plain"
	case t.Name == "" || t.Name == "plain":
		t.Name = "dark"
	}
	return t
}

// line makes one safe line of a text.
func line(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		return r
	}, markdown.Clean(s))
}

// brief is what a visitor has typed, fit to be said back.
func brief(s string) string {
	return typeset.Truncate(line(s[:min(len(s), 400)]), 60)
}

func leftPad(s string, cells int) string {
	return strings.Repeat(" ", max(cells-typeset.Width(s), 0)) + s
}

func pad(s string, cells int) string {
	return s + strings.Repeat(" ", max(cells-typeset.Width(s), 0))
}
