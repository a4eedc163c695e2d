package typeset

import (
	"strings"
	"sync"
	"time"

	"github.com/alecthomas/chroma/v2"
	"github.com/alecthomas/chroma/v2/lexers"
)

// Listings beyond these bounds are shown without colours.
const (
	maxListingLines = 500
	maxListingBytes = 64 << 10
	maxListingLine  = 4 << 10
	highlightLimit  = 300 * time.Millisecond // for one listing
)

const maxLanguages = 1000 // names whose lexer is remembered

// A highlighter finds chroma's lexers by the names authors give them, and
// remembers what it found.
type highlighter struct {
	timeLimit time.Duration // for one listing

	mu    sync.Mutex
	found map[string]chroma.Lexer // nil: there is none
}

func newHighlighter() *highlighter {
	return &highlighter{timeLimit: highlightLimit, found: make(map[string]chroma.Lexer)}
}

// lexer returns the lexer of a language, nil when there is none. Text is never
// guessed at: a listing without a name is text.
func (h *highlighter) lexer(lang string) chroma.Lexer {
	if i := strings.IndexAny(lang, ":,{ "); i > 0 {
		lang = lang[:i]
	}
	switch lang = strings.ToLower(lang); lang {
	case "", "text", "plain", "plaintext", "txt", "output", "none", "nohighlight":
		return nil
	case "julia-repl", "jldoctest":
		lang = "julia"
	case "terminal":
		lang = "bash"
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	l, ok := h.found[lang]
	if !ok {
		l = findLexer(lang)
		if len(h.found) < maxLanguages { // names come from authors
			h.found[lang] = l
		}
	}
	return l
}

// findLexer looks for a name among names and aliases, then among endings of
// files. chroma's own look-up matches a name it does not know against every
// file pattern of every lexer, which takes milliseconds.
func findLexer(lang string) chroma.Lexer {
	all := lexers.GlobalLexerRegistry.Lexers
	for _, l := range all {
		c := l.Config()
		if strings.EqualFold(c.Name, lang) {
			return l
		}
		for _, a := range c.Aliases {
			if strings.EqualFold(a, lang) {
				return l
			}
		}
	}
	for _, l := range all {
		for _, f := range l.Config().Filenames {
			if ext, ok := strings.CutPrefix(f, "*."); ok && strings.EqualFold(ext, lang) {
				return l
			}
		}
	}
	return nil
}

// highlight cuts a text into rows of pieces with the faces of its tokens. It is
// not ok when the text is to be shown without colours: the theme has none, the
// language is not known, the text is too long or takes too long.
func (h *highlighter) highlight(lang, text string, pal *palette) (rows []row, ok bool) {
	if pal.tokens == nil || len(text) > maxListingBytes || strings.Count(text, "\n") > maxListingLines {
		return nil, false
	}
	lexer := h.lexer(lang)
	if lexer == nil {
		return nil, false
	}
	for l := range strings.Lines(text) {
		if len(l) > maxListingLine {
			return nil, false
		}
	}
	tokens, err := chroma.Coalesce(lexer).Tokenise(nil, text)
	if err != nil {
		return nil, false
	}
	var cur row
	start := time.Now()
	for n := 0; ; n++ {
		if n%64 == 63 && time.Since(start) > h.timeLimit {
			return nil, false
		}
		t := tokens()
		if t == chroma.EOF {
			break
		}
		f := pal.tokenFace(t.Type)
		for i, part := range strings.SplitAfter(t.Value, "\n") {
			if i > 0 {
				rows = append(rows, cur)
				cur = nil
			}
			if part = strings.TrimSuffix(part, "\n"); part == "" {
				continue
			}
			if k := len(cur); k > 0 && (cur[k-1].face == f || strings.TrimLeft(part, " ") == "") {
				cur[k-1].text += part
			} else {
				cur = append(cur, piece{text: part, face: f})
			}
		}
	}
	if len(cur) > 0 {
		rows = append(rows, cur)
	}
	return rows, true
}
