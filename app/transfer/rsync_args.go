package transfer

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// The program rsync works on a copy of what it is to see, a new one for each
// session, and what it has made of it is one change of the blog. Its command
// line comes from the client, so each option has to be known; and what a client
// says later on, behind the command line, has to stay within the copy too: the
// name of a file with filter rules could be that of any file of the server.
// --confine-root sees to that, which rsync has since 3.5.0.

// rsyncCall is what a client asks of the far end.
type rsyncCall struct {
	sender  bool // the files go to the client
	dry     bool
	whole   bool     // what stands there has to be read, not only looked at
	options []string // for the program, all of them known
	paths   []string // cleaned, below the blog; with a slash at the end where the client had one
}

var (
	// rsyncNumber are the letters that have a number behind them.
	rsyncNumber = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^-[@B]-?[0-9]{1,9}$`) })
	// rsyncAbilities end the letters: what the client is able to.
	rsyncAbilities = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^e[0-9]{0,3}\.[0-9]{0,3}[a-zA-Z]*$`) })

	// rsyncWord is large, and made when it is asked for: most sessions never
	// need it.
	rsyncWord = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^--(checksum|delete|delete-(after|before|delay|during|excluded)|delay-updates|dirs|existing|force|fsync|fuzzy|` +
			`ignore-(errors|existing|missing-args|times)|list-only|mkpath|(new|old)-compress|no-(r|W|implied-dirs|relative|specials|whole-file|i-r|inc-recursive|msgs2stderr)|` +
			`msgs2stderr|numeric-ids|omit-(dir|link)-times|one-file-system|partial|prune-empty-dirs|safe-links|size-only|stats|use-qsort|whole-file|` +
			`(log-format|out-format)=[%a-zA-Z]{1,8}|info=[a-z0-9,]{1,100}|(max|min)-size=[0-9]{1,12}[kKmMgG]?|(block-size|bwlimit|max-delete|timeout)=[0-9.]{1,12}[kKmM]?|` +
			`(modify-window|checksum-seed|compress-level|compress-threads)=-?[0-9]{1,10}|(compress|checksum)-choice=[a-z0-9,]{1,40}|skip-compress=[a-zA-Z0-9/.,\[\]-]{0,500}|` +
			`iconv=[a-zA-Z0-9_,.:-]{1,60})$`)
	})
)

const (
	// rsyncLetters may come together: -vlogDtpre.iLsfxCIvu. Those that are not
	// here make links that lead somewhere (K), or send the paths where nobody
	// has looked at them yet (s).
	rsyncLetters = "vqlogDtpcnrzuWSxXAEJOIibdyHRmNUC"
	// rsyncSenderLetters follow links, of which the blog has none.
	rsyncSenderLetters = "Lk"
)

// parseRsync reads `--server [--sender] OPTIONS . PATH...`, and refuses what
// it does not know.
func parseRsync(args []string) (c rsyncCall, err error) {
	if len(args) == 0 || args[0] != "--server" {
		return c, errors.New("only the program rsync is answered")
	}
	args = args[1:]
	if len(args) > 0 && args[0] == "--sender" {
		c.sender, args = true, args[1:]
	}
	for ; len(args) > 0 && args[0] != "."; args = args[1:] {
		o := args[0]
		switch {
		case strings.HasPrefix(o, "--partial-dir="):
			continue // what is cut off is not kept
		case o == "--partial-dir" && len(args) > 1:
			args = args[1:]
			continue
		case c.sender && (o == "--files-from=-" || o == "--from0"):
		case rsyncNumber().MatchString(o), rsyncWord().MatchString(o):
			c.whole = c.whole || o == "--checksum"
		default:
			if err := c.letters(o); err != nil {
				return c, err
			}
		}
		c.options = append(c.options, o)
	}
	if len(args) == 0 {
		return c, errors.New("no path is given; -s is not understood here")
	}
	args = args[1:]
	if len(args) == 0 {
		args = []string{""}
	}
	if !c.sender && len(args) > 1 {
		return c, errors.New("more than one place to copy to")
	}
	for _, p := range args {
		clean, err := rsyncPath(p)
		if err != nil {
			return c, err
		}
		c.paths = append(c.paths, clean)
	}
	return c, nil
}

// letters reads options of one letter.
func (c *rsyncCall) letters(o string) error {
	if len(o) < 2 || o[0] != '-' || o[1] == '-' {
		return fmt.Errorf("%s cannot be used here", line(o))
	}
	for i, l := range o[1:] {
		if l == 'e' {
			if !rsyncAbilities().MatchString(o[1+i:]) {
				return fmt.Errorf("%s is not understood", line(o))
			}
			break
		}
		if !strings.ContainsRune(rsyncLetters, l) && !(c.sender && strings.ContainsRune(rsyncSenderLetters, l)) {
			return fmt.Errorf("-%s cannot be used here", line(string(l)))
		}
		c.dry = c.dry || l == 'n'
		c.whole = c.whole || l == 'c'
	}
	return nil
}

// rsyncPath is a path below the blog, whatever it begins with. Where it ends
// with a slash, the folder itself is meant.
func rsyncPath(p string) (string, error) {
	switch {
	case slices.Contains(strings.Split(p, "/"), ".."):
		return "", fmt.Errorf("%s leads out of the blog", line(p))
	case strings.ContainsAny(p, "\x00\n\r\\"), !utf8.ValidString(p), len(p) > 4096:
		return "", fmt.Errorf("%s cannot be a path of the blog", line(p[:min(len(p), 100)]))
	}
	p = strings.TrimPrefix(p, "~/")
	clean := strings.TrimPrefix(path.Clean("/"+p), "/")
	if clean != "" && (strings.HasSuffix(p, "/") || strings.HasSuffix(p, "/.")) {
		clean += "/"
	}
	return clean, nil
}
