package shell

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"
	"strconv"
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

// Verb is a word that Run knows.
type Verb struct {
	Name  string
	Usage string // with its arguments: words in capitals, [optional], [--option VALUE]
	Help  string

	author bool // readers are not told of it
	run    func(*call) error
}

// Verbs are all words that Run knows, in the order of the help. Any other word
// is the address of a post.
func Verbs() []Verb {
	const everyone, authors = false, true
	return []Verb{
		{"ls", "ls [--json] [--tag TAG]", "list the posts, newest first", everyone, (*call).list},
		{"read", "read SLUG [--width N] [--color auto|always|never]", "a post, set for the terminal; SLUG alone is the same", everyone, (*call).read},
		{"latest", "latest [--width N] [--color auto|always|never]", "the newest post", everyone, (*call).latest},
		{"cat", "cat SLUG", "a post's source, byte for byte", everyone, (*call).cat},
		{"search", "search WORDS [--json]", "posts in which all words stand", everyone, (*call).search},
		{"tags", "tags [--json]", "the tags, and how many posts have them", everyone, (*call).tags},
		{"feed", "feed", "the newest posts as an Atom feed", everyone, (*call).feed},

		{"publish", "publish [PATH] < post.md", "publish a file, or a draft: publish SLUG", authors, (*call).publish},
		{"unpublish", "unpublish SLUG", "make a post a draft", authors, (*call).unpublish},
		{"schedule", "schedule SLUG DATE", "let a post go live by itself: friday 18:00", authors, (*call).schedule},
		{"rm", "rm SLUG", "remove a post; restore brings it back", authors, (*call).remove},
		{"mv", "mv SLUG NEW", "give a post another slug; the old one leads to it", authors, (*call).rename},
		{"check", "check [PATH] < post.md", "what publish would say", authors, (*call).check},
		{"drafts", "drafts [--json]", "the posts that readers do not see", authors, (*call).drafts},
		{"preview", "preview SLUG [--revoke]", "an address that shows one draft to whoever has it", authors, (*call).preview},
		{"log", "log [SLUG] [--json]", "who changed what and when, newest first", authors, (*call).log},
		{"diff", "diff SLUG [REV]", "what has changed since a revision, or in the last one", authors, (*call).diff},
		{"restore", "restore SLUG REV", "a post as it was at a revision, removed ones too", authors, (*call).restore},
		{"undo", "undo REV", "take one revision back", authors, (*call).undo},
		{"stats", "stats [--json]", "what readers read, and how many come", authors, (*call).stats},

		{"help", "help", "this list", everyone, (*call).help},
	}
}

// IsVerb reports whether a word is one of Verbs.
func IsVerb(word string) bool {
	return slices.ContainsFunc(Verbs(), func(v Verb) bool { return v.Name == word })
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

func usage(v Verb, why string) error {
	return &refusal{2, v.Name + ": " + why, "usage: " + v.Usage}
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

// parse takes options and other words apart, by what the verb's usage names.
func (c *call) parse(v Verb, args []string) error {
	c.options = map[string]string{}
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if arg == "--" {
			c.words = append(c.words, args...)
			break
		}
		if len(arg) < 2 || arg[0] != '-' {
			c.words = append(c.words, arg)
			continue
		}
		name, value, given := strings.Cut(arg, "=")
		switch {
		case !strings.Contains(v.Usage, "["+name+"]") && !strings.Contains(v.Usage, "["+name+" "):
			return usage(v, "no option "+brief(name))
		case strings.Contains(v.Usage, "["+name+"]"):
			if given {
				return usage(v, name+" takes no value")
			}
		case !given:
			if len(args) == 0 {
				return usage(v, name+" needs a value")
			}
			value, args = args[0], args[1:]
		}
		c.options[name] = value
	}
	needed, most := v.arguments()
	if n := len(c.words); n < len(needed) {
		return usage(v, map[string]string{
			"SLUG": "which post?", "WORDS": "which words?", "DATE": "when?", "NEW": "which new slug?", "REV": "which revision?",
		}[needed[n]])
	} else if n > most {
		return usage(v, "too many words")
	}
	return nil
}

// arguments are the words that the usage asks for, and how many it takes.
func (v Verb) arguments() (needed []string, most int) {
	option := false
	for _, w := range strings.Fields(v.Usage)[1:] {
		switch {
		case w == "<":
			return needed, most
		case option, strings.HasPrefix(w, "[--"):
			option = !strings.HasSuffix(w, "]")
		case strings.HasPrefix(w, "["):
			most++
		default:
			needed = append(needed, w)
			if most++; w == "WORDS" || w == "DATE" {
				most = math.MaxInt
			}
		}
	}
	return needed, most
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

func (c *call) cat() error {
	p, _, err := c.find(c.words[0])
	if err != nil {
		return err
	}
	src, err := p.Source()
	if errors.Is(err, fs.ErrNotExist) {
		return notFound(c.words[0])
	}
	if err != nil {
		return err
	}
	c.Visitor.Viewed(p)
	if c.Terminal {
		src = []byte(markdown.Clean(string(src)))
	}
	_, err = c.out.Write(src)
	return err
}

func (c *call) read() error {
	p, heading, err := c.find(c.words[0])
	if err != nil {
		return err
	}
	return c.set(p, heading)
}

func (c *call) latest() error {
	for _, p := range c.edition.Posts() {
		if p.State == blog.Published {
			return c.set(p, "")
		}
	}
	return &refusal{1, "latest: no posts yet", ""}
}

// The measure: lines longer than this are hard to read.
const (
	measure           = 80
	narrowest, widest = 10, 1000
)

// set prints a post as a page, from a heading on if one is named.
func (c *call) set(p *blog.Post, heading string) error {
	width := measure
	if c.Terminal && c.Width > 0 {
		width = min(width, c.Width)
	}
	if v, ok := c.options["--width"]; ok {
		n, err := strconv.Atoi(v)
		if err != nil || n < narrowest || n > widest {
			return &refusal{2, fmt.Sprintf("--width %s: not a number from %d to %d", brief(v), narrowest, widest), ""}
		}
		width = n
	}
	color := c.Color
	switch v := c.options["--color"]; v {
	case "", "auto":
	case "always", "never":
		color = v == "always"
	default:
		return &refusal{2, "--color " + brief(v) + ": not auto, always or never", ""}
	}
	page := c.Setter.Page(p.Document(), typeset.Header{Title: p.Title, Note: p.Note()}, width, c.theme(color))
	lines := page.Lines
	if heading != "" {
		at, ok := page.Anchor(heading)
		if !ok {
			return &refusal{1, brief(c.words[0]) + ": no such heading", "read " + p.Slug + " shows all of the post"}
		}
		lines = lines[at:]
	}
	c.Visitor.Viewed(p)
	for _, l := range lines {
		if err := c.put(l); err != nil {
			return err
		}
	}
	return nil
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

func (c *call) help() error {
	site, host := c.edition.Site(), c.host()
	title := line(site.Title)
	if site.Tagline != "" {
		title += " · " + line(site.Tagline)
	}
	ways := [][2]string{
		{"ssh " + host, "the blog in a browser for the terminal"},
		{"ssh -t " + host + " SLUG", "the browser at one post; SLUG#HEADING goes to a heading"},
	}
	for _, v := range Verbs() {
		if v.author && !c.Visitor.IsAuthor() {
			continue
		}
		ways = append(ways, [2]string{"ssh " + host + " " + v.Usage, v.Help})
	}
	rows := []string{title, ""}
	wide, help := 0, 0
	for _, w := range ways {
		wide, help = max(wide, typeset.Width(w[0])), max(help, typeset.Width(w[1]))
	}
	beside := !c.Terminal || c.Width >= wide+2+help
	for _, w := range ways {
		if beside {
			rows = append(rows, pad(w[0], wide)+"  "+w[1])
			continue
		}
		rows = append(rows, typeset.Wrap(w[0], max(c.Width, narrowest))...)
		for _, l := range typeset.Wrap(w[1], max(c.Width-4, narrowest)) {
			rows = append(rows, "    "+l)
		}
	}
	for _, r := range rows {
		if err := c.put(line(r)); err != nil {
			return err
		}
	}
	return nil
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
