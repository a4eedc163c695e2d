package shell

import (
	"math"
	"slices"
	"strings"

	"sheaf/app/blog"
	"sheaf/app/typeset"
)

// A verb is a command. Its usage is not only shown: the first word is the
// verb's name, and the others decide how arguments are parsed. Words in
// capitals are operands, of which WORDS and DATE take any number, [OPTIONAL]
// ones need not be given, and [--option VALUE] and [--option] are options.
type verb struct {
	usage string
	help  string

	// One of the two runs it. Readers are not told that a command for authors
	// exists.
	run        func(*call) error
	forAuthors func(authorCall) error
}

func (v verb) name() string {
	name, _, _ := strings.Cut(v.usage, " ")
	return name
}

// verbs returns all commands in the order of the help.
func verbs() []verb {
	all := []verb{
		{usage: "ls [--json] [--tag TAG]", run: (*call).list,
			help: "list the posts, newest first"},
		{usage: "read SLUG [--width N] [--color auto|always|never]", run: (*call).read,
			help: "a post, set for the terminal; SLUG alone is the same"},
		{usage: "latest [--width N] [--color auto|always|never]", run: (*call).latest,
			help: "the newest post"},
		{usage: "cat SLUG", run: (*call).cat,
			help: "a post's source, byte for byte"},
		{usage: "search WORDS [--json]", run: (*call).search,
			help: "posts in which all words stand"},
		{usage: "tags [--json]", run: (*call).tags,
			help: "the tags, and how many posts have them"},
		{usage: "feed", run: (*call).feed,
			help: "the newest posts as an Atom feed"},
	}
	all = append(all, authorsVerbs()...)
	return append(all, verb{usage: "help", run: (*call).help, help: "this list"})
}

// authorsVerbs returns the commands of authors.
func authorsVerbs() []verb {
	return []verb{
		{usage: "publish [PATH] < post.md", forAuthors: authorCall.publish,
			help: "publish a file, or a draft: publish SLUG"},
		{usage: "unpublish SLUG", forAuthors: authorCall.unpublish,
			help: "make a post a draft"},
		{usage: "schedule SLUG DATE", forAuthors: authorCall.schedule,
			help: "let a post go live by itself: friday 18:00"},
		{usage: "rm SLUG", forAuthors: authorCall.remove,
			help: "remove a post; restore brings it back"},
		{usage: "mv SLUG NEW", forAuthors: authorCall.rename,
			help: "give a post another slug; the old one leads to it"},
		{usage: "check [PATH] < post.md", forAuthors: authorCall.check,
			help: "what publish would say"},
		{usage: "drafts [--json]", forAuthors: authorCall.drafts,
			help: "the posts that readers do not see"},
		{usage: "preview SLUG [--revoke]", forAuthors: authorCall.preview,
			help: "an address that shows one draft to whoever has it"},
		{usage: "log [SLUG] [--json]", forAuthors: authorCall.log,
			help: "who changed what and when, newest first"},
		{usage: "diff SLUG [REV]", forAuthors: authorCall.diff,
			help: "what has changed since a revision, or in the last one"},
		{usage: "restore SLUG REV", forAuthors: authorCall.restore,
			help: "a post as it was at a revision, removed ones too"},
		{usage: "undo REV", forAuthors: authorCall.undo,
			help: "take one revision back"},
		{usage: "stats [--json]", forAuthors: authorCall.stats,
			help: "what readers read, and how many come"},
	}
}

// IsVerb reports whether a word is a command. All others are addresses of
// posts.
func IsVerb(word string) bool {
	_, ok := findVerb(word)
	return ok
}

func findVerb(word string) (verb, bool) {
	all := verbs()
	i := slices.IndexFunc(all, func(v verb) bool { return v.name() == word })
	if i < 0 {
		return verb{}, false
	}
	return all[i], true
}

// dispatch finds out which command the arguments are, and runs it.
func (c *call) dispatch() error {
	name, args := "ls", c.Args
	if len(args) > 0 {
		name, args = args[0], args[1:]
	}
	if name == "--help" || name == "-h" {
		name = "help"
	}
	v, ok := findVerb(name)
	if !ok {
		if strings.HasPrefix(name, "-") {
			return misuse(excerpt(name)+": no such option", "help lists the commands")
		}
		// An address alone is short for read.
		if _, _, err := c.findPost(name); err != nil {
			return err
		}
		v, _ = findVerb("read")
		args = c.Args
	}
	author, is := c.Visitor.Author()
	if v.forAuthors != nil && !is {
		return blog.ErrNotAuthor
	}
	c.verb = v
	if err := c.parse(args); err != nil {
		return err
	}
	if v.forAuthors != nil {
		return v.forAuthors(authorCall{c, author})
	}
	return v.run(c)
}

// usageError is the answer to a command that is used in another way than its
// usage says.
func (c *call) usageError(why string) error {
	return misuse(c.verb.name()+": "+why, "usage: "+c.verb.usage)
}

// parse takes options and operands apart, as the verb's usage has them.
func (c *call) parse(args []string) error {
	c.options = map[string]string{}
	usage := c.verb.usage
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if arg == "--" {
			c.operands = append(c.operands, args...)
			break
		}
		if len(arg) < 2 || arg[0] != '-' {
			c.operands = append(c.operands, arg)
			continue
		}
		name, value, given := strings.Cut(arg, "=")
		switch flag := strings.Contains(usage, "["+name+"]"); {
		case !flag && !strings.Contains(usage, "["+name+" "):
			return c.usageError("no option " + excerpt(name))
		case flag && given:
			return c.usageError(name + " takes no value")
		case !flag && !given:
			if len(args) == 0 {
				return c.usageError(name + " needs a value")
			}
			value, args = args[0], args[1:]
		}
		c.options[name] = value
	}
	needed, most := c.verb.arity()
	if n := len(c.operands); n < len(needed) {
		return c.usageError(needed[n].question())
	} else if n > most {
		return c.usageError("too many words")
	}
	return nil
}

// An operand is what a word of a usage stands for: SLUG, DATE.
type operand string

// question asks for an operand that is missing.
func (o operand) question() string {
	switch o {
	case "SLUG":
		return "which post?"
	case "WORDS":
		return "which words?"
	case "DATE":
		return "when?"
	case "NEW":
		return "which new slug?"
	case "REV":
		return "which revision?"
	}
	return string(o) + " is missing"
}

// arity returns the operands a verb needs, and how many it takes.
func (v verb) arity() (needed []operand, most int) {
	option := false
	for _, w := range strings.Fields(v.usage)[1:] {
		switch {
		case w == "<":
			return needed, most
		case option, strings.HasPrefix(w, "[--"):
			option = !strings.HasSuffix(w, "]")
		case strings.HasPrefix(w, "["):
			most++
		default:
			needed = append(needed, operand(w))
			if most++; w == "WORDS" || w == "DATE" {
				most = math.MaxInt
			}
		}
	}
	return needed, most
}

func (c *call) hasOption(name string) bool {
	_, ok := c.options[name]
	return ok
}

// help lists the commands the visitor may use, each with what it does: beside
// it or, in a narrow terminal, below it.
func (c *call) help() error {
	site, host := c.edition.Site(), c.host()
	title := oneLine(site.Title)
	if site.Tagline != "" {
		title += " · " + oneLine(site.Tagline)
	}
	type entry struct{ command, help string }
	entries := []entry{
		{host.Command(""), "the blog in a browser for the terminal"},
		{host.Open("SLUG"), "the browser at one post; SLUG#HEADING goes to a heading"},
	}
	for _, v := range verbs() {
		if v.forAuthors == nil || c.Visitor.IsAuthor() {
			entries = append(entries, entry{host.Command(v.usage), v.help})
		}
	}
	commands, helps := 0, 0 // widths
	for _, e := range entries {
		commands, helps = max(commands, typeset.Width(e.command)), max(helps, typeset.Width(e.help))
	}
	beside := !c.Terminal || c.Width >= commands+2+helps
	rows := []string{title, ""}
	for _, e := range entries {
		if beside {
			rows = append(rows, padRight(e.command, commands)+"  "+e.help)
			continue
		}
		rows = append(rows, typeset.Wrap(e.command, max(c.Width, minWidth))...)
		for _, l := range typeset.Wrap(e.help, max(c.Width-4, minWidth)) {
			rows = append(rows, "    "+l)
		}
	}
	for _, r := range rows {
		if err := c.println(oneLine(r)); err != nil {
			return err
		}
	}
	return nil
}
