package transfer

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"sheaf/app/lazyregexp"
	"sheaf/app/markdown"
)

// rsyncArgs is the command line of the far end, as parseRsync has accepted it.
type rsyncArgs struct {
	sender       bool // the client receives files
	dryRun       bool
	needsContent bool     // sizes and times of the files do not do
	options      []string // for the program, each of them known
	paths        []string // clean, relative to the top; "" is the top itself
}

// Options that are more than a letter. Each that may come is listed, with the
// form of its value; all others are refused.
var (
	rsyncNumberOption = lazyregexp.New(`^-[@B]-?[0-9]{1,9}$`)
	// rsyncCapabilities end a word of letters: what the client is able to do.
	rsyncCapabilities = lazyregexp.New(`^e[0-9]{0,3}\.[0-9]{0,3}[a-zA-Z]*$`)
	rsyncLongOption   = lazyregexp.New(`^--(` + strings.Join([]string{
		`checksum`,
		`delete`,
		`delete-(after|before|delay|during|excluded)`,
		`delay-updates`,
		`dirs`,
		`existing`,
		`force`,
		`fsync`,
		`fuzzy`,
		`ignore-(errors|existing|missing-args|times)`,
		`list-only`,
		`mkpath`,
		`msgs2stderr`,
		`no-(r|W|implied-dirs|relative|specials|whole-file|i-r|inc-recursive|msgs2stderr)`,
		`numeric-ids`,
		`omit-(dir|link)-times`,
		`one-file-system`,
		`partial`,
		`prune-empty-dirs`,
		`safe-links`,
		`size-only`,
		`stats`,
		`use-qsort`,
		`whole-file`,
		`(block-size|bwlimit|max-delete|timeout)=[0-9.]{1,12}[kKmM]?`,
		`checksum-choice=[a-z0-9,]{1,40}`,
		`iconv=[a-zA-Z0-9_,.:-]{1,60}`,
		`info=[a-z0-9,]{1,100}`,
		`(log-format|out-format)=[%a-zA-Z]{1,8}`,
		`(max|min)-size=[0-9]{1,12}[kKmMgG]?`,
		`(modify-window|checksum-seed)=-?[0-9]{1,10}`,
	}, "|") + `)$`)

	// No option of compression reaches the program, which would take as much
	// memory as the client likes. Without -z these mean nothing, and are dropped.
	rsyncIdleCompression = lazyregexp.New(
		`^--(compress-(level|threads)=-?[0-9]{1,10}|compress-choice=none|skip-compress=.{0,500})$`)
	// These decide what is sent, and the client would not understand the answer
	// if they were dropped.
	rsyncCompression = lazyregexp.New(`^--(compress|new-compress|old-compress|zc|compress-choice|zl|zt)(=|$)`)
)

// errCompression refuses what would have the program compress.
var errCompression = errors.New("compression (-z, --compress and what begins like it) is not done here; leave it out")

const (
	// rsyncLetters are the options of one letter, which may come together:
	// -vlogDtpre.iLsfxCIvu. Among those that are missing are K, which makes
	// links that lead somewhere, and s, which sends the paths where they cannot
	// be checked.
	rsyncLetters = "vqlogDtpcnruWSxXAEJOIibdyHRmNUC"
	// rsyncSenderLetters follow links on the sending side. The blog has none.
	rsyncSenderLetters = "Lk"
)

// parseRsync reads `--server [--sender] OPTIONS . PATH...`, and refuses what it
// does not know: the command line comes from the client.
func parseRsync(args []string) (a rsyncArgs, err error) {
	if len(args) == 0 || args[0] != "--server" {
		return a, errors.New("only the program rsync is answered")
	}
	args = args[1:]
	if len(args) > 0 && args[0] == "--sender" {
		a.sender, args = true, args[1:]
	}
	for ; len(args) > 0 && args[0] != "."; args = args[1:] {
		option := args[0]
		switch {
		case strings.HasPrefix(option, "--partial-dir="):
			continue // nothing is kept of what is cut off
		case rsyncIdleCompression().MatchString(option):
			continue
		case rsyncCompression().MatchString(option):
			return a, errCompression
		case option == "--partial-dir" && len(args) > 1:
			args = args[1:]
			continue
		case a.sender && (option == "--files-from=-" || option == "--from0"):
		case rsyncNumberOption().MatchString(option), rsyncLongOption().MatchString(option):
			a.needsContent = a.needsContent || option == "--checksum"
		default:
			if err := a.parseLetters(option); err != nil {
				return a, err
			}
		}
		a.options = append(a.options, option)
	}
	if len(args) == 0 {
		return a, errors.New("no path is given; -s is not understood here")
	}
	args = args[1:]
	if len(args) == 0 {
		args = []string{""}
	}
	if !a.sender && len(args) > 1 {
		return a, errors.New("more than one place to copy to")
	}
	for _, p := range args {
		clean, err := rsyncPath(p)
		if err != nil {
			return a, err
		}
		a.paths = append(a.paths, clean)
	}
	return a, nil
}

// parseLetters reads a word of options of one letter.
func (a *rsyncArgs) parseLetters(word string) error {
	if len(word) < 2 || word[0] != '-' || word[1] == '-' {
		return fmt.Errorf("%s cannot be used here", markdown.Line(word))
	}
	for i, l := range word[1:] {
		if l == 'e' {
			if !rsyncCapabilities().MatchString(word[1+i:]) {
				return fmt.Errorf("%s is not understood", markdown.Line(word))
			}
			break
		}
		if l == 'z' {
			return errCompression
		}
		if !strings.ContainsRune(rsyncLetters, l) && !(a.sender && strings.ContainsRune(rsyncSenderLetters, l)) {
			return fmt.Errorf("-%s cannot be used here", markdown.Line(string(l)))
		}
		a.dryRun = a.dryRun || l == 'n'
		a.needsContent = a.needsContent || l == 'c'
	}
	return nil
}

// rsyncPath returns a client's path relative to the top of the blog. It keeps a
// slash at the end, by which rsync means what is in a folder.
func rsyncPath(p string) (string, error) {
	switch {
	case slices.Contains(strings.Split(p, "/"), ".."):
		return "", fmt.Errorf("%s leads out of the blog", markdown.Line(p))
	case strings.ContainsAny(p, "\x00\n\r\\"), !utf8.ValidString(p), len(p) > 4096:
		return "", fmt.Errorf("%s cannot be a path of the blog", markdown.Line(p[:min(len(p), 100)]))
	}
	p = strings.TrimPrefix(p, "~/")
	clean := strings.TrimPrefix(path.Clean("/"+p), "/")
	if clean != "" && (strings.HasSuffix(p, "/") || strings.HasSuffix(p, "/.")) {
		clean += "/"
	}
	return clean, nil
}
