package shell

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"

	"sheaf/app/blog"
	"sheaf/app/markdown"
	"sheaf/app/typeset"
)

// A Call is one command line and where its answer goes.
type Call struct {
	Args    []string // none is `ls`
	Visitor blog.Visitor
	Setter  *typeset.Setter
	Feeds   *Feeds // shared by all calls; nil makes a feed for this one
	Theme   typeset.Theme
	Host    blog.Host // in printed addresses; "" is localhost

	// Denied is what a reader is told who tries an author's command, one line
	// or more; "" is only the reason.
	Denied string

	Terminal bool // Out is a terminal
	Width    int  // of the terminal, in cells; 0 is unknown
	Color    bool // escape codes are welcome

	In       io.Reader // nil has no input
	Out, Err io.Writer

	// Alive reports whether the client still answers. It is asked when the
	// input has ended, which may have been cut; nil is a client that does not.
	Alive func(context.Context) bool
}

// Run answers a call and returns the exit status. It returns when the answer is
// written, or when ctx ends. The visitor has been told of everything but err,
// which is an internal failure for the log.
func Run(ctx context.Context, c Call) (status int, err error) {
	out := bufio.NewWriterSize(c.Out, 16<<10)
	k := &call{Call: c, ctx: ctx, out: out, edition: c.Visitor.Edition()}
	err = k.dispatch()
	if e := out.Flush(); e != nil {
		return 1, nil // the visitor has gone
	}
	var r *refusal
	var refused *blog.Refusal
	switch {
	case err == nil:
		return 0, nil
	case errors.As(err, &r):
		k.say("sheaf: ", r.text)
		if r.hint != "" {
			k.say("hint: ", r.hint)
		}
		return r.status, nil
	case errors.As(err, &refused):
		k.say("sheaf: ", refused.Lines()...)
		return 1, nil
	case errors.Is(err, blog.ErrNotAuthor):
		k.say("", strings.Split(k.denial(), "\n")...)
		return 1, nil
	case ctx.Err() != nil:
		return 1, nil
	case k.verb.forAuthors != nil && blog.StorageProblem(err) != "":
		k.say("sheaf: ", k.verb.name()+": "+blog.StorageProblem(err)+"; nothing was changed")
		return 1, nil
	}
	return 1, err
}

// A call is a Call being answered.
type call struct {
	Call
	ctx      context.Context
	out      *bufio.Writer // of Call.Out
	edition  *blog.Edition
	verb     verb
	operands []string          // the arguments that are no options
	options  map[string]string // values by name, which begins with "--"
}

// An authorCall is a call of an author's command.
type authorCall struct {
	*call
	author blog.Author
}

// A refusal is an answer other than the one that was asked for.
type refusal struct {
	status int
	text   string
	hint   string // "" for none
}

func (r *refusal) Error() string { return r.text }

// refuse is the answer to a command that cannot be carried out.
func refuse(text, hint string) error { return &refusal{status: 1, text: text, hint: hint} }

// misuse is the answer to a command that is not understood.
func misuse(text, hint string) error { return &refusal{status: 2, text: text, hint: hint} }

// nothing is the answer to a command that has nothing to print.
func nothing(text string) error { return &refusal{status: 0, text: text} }

func notFound(address string) error {
	return refuse(excerpt(address)+": no such post or command", "ls lists the posts, help the commands")
}

// say writes lines to Err, each after a prefix.
func (c *call) say(prefix string, lines ...string) {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(prefix + oneLine(l) + "\n")
	}
	_, _ = io.WriteString(c.Err, b.String())
}

// denial is what a reader is told who tries to change something.
func (c *call) denial() string {
	if c.Denied != "" {
		return c.Denied
	}
	return "sheaf: " + blog.ErrNotAuthor.Error()
}

// println writes a line to Out, which must be safe for a terminal. The error
// means that the visitor has gone.
func (c *call) println(l string) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	_, _ = c.out.WriteString(l)
	return c.out.WriteByte('\n')
}

// fit cuts a line to the width of the terminal, if there is one.
func (c *call) fit(l string) string {
	if c.Terminal && c.Width > 0 {
		return typeset.Truncate(l, c.Width)
	}
	return l
}

// findPost returns the post at an address, and the heading after its "#", which
// is "" if there is none.
func (c *call) findPost(address string) (*blog.Post, string, error) {
	slug, heading, _ := strings.Cut(address, "#")
	p, err := c.edition.Post(slug)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", notFound(address)
	}
	return p, heading, err
}

// host is the blog's name in addresses.
func (c *call) host() blog.Host {
	if c.Host != "" {
		return c.Host
	}
	return "localhost"
}

// theme is the visitor's theme, or one without colours.
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

// oneLine makes text safe for a terminal and puts it on one line.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		return r
	}, markdown.Clean(s))
}

// excerpt is what a visitor has typed, in a form fit to be quoted to them.
func excerpt(s string) string {
	return typeset.Truncate(oneLine(s[:min(len(s), 400)]), 60)
}

// padLeft puts blanks before s to fill a column of so many cells.
func padLeft(s string, cells int) string {
	return strings.Repeat(" ", max(cells-typeset.Width(s), 0)) + s
}

// padRight puts blanks after s to fill a column of so many cells.
func padRight(s string, cells int) string {
	return s + strings.Repeat(" ", max(cells-typeset.Width(s), 0))
}
