package shell

import (
	"math"
	"slices"
	"strings"

	"sheaf/app/typeset"
)

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

func usage(v Verb, why string) error {
	return &refusal{2, v.Name + ": " + why, "usage: " + v.Usage}
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
