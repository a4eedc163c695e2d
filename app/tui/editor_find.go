package tui

import (
	"fmt"
	"strconv"
	"strings"

	"sheaf/app/markdown"
)

// askFind searches while the words are typed, from where the cursor was. Enter
// with no words goes to the next match of the last ones; escape goes back.
func (e *editor) askFind() {
	_, start := e.buf.Selection()
	t := e.buf.Text()
	e.b.prompt = &prompt{b: e.b, label: "find: ",
		tail: func() string {
			if e.b.prompt == nil || e.b.prompt.text == "" {
				return ""
			}
			if n := t.Count(e.b.prompt.text); n > 0 {
				if n == 1 {
					return "1 match"
				}
				return strconv.Itoa(n) + " matches"
			}
			return "no match"
		},
		change: func(words string) {
			e.view.sought = words
			if from, to, ok := t.Find(words, start); ok && words != "" {
				e.buf.MoveTo(from, false)
				e.buf.MoveTo(to, true)
			} else {
				e.buf.MoveTo(start, false)
			}
			e.view.scrolledAway = false
		},
		enter: func(words string) {
			if words == "" && e.view.sought != "" {
				e.find(e.view.sought, true)
				return
			}
			e.find(words, false)
		},
		cancel: func() {
			e.view.sought = ""
			e.buf.MoveTo(start, false)
		},
	}
	if sel := e.buf.Selected(); sel != "" && len(sel) < maxTyped && !strings.Contains(sel, "\n") {
		e.b.prompt.text = sel
		e.view.sought = sel
	}
}

// find selects a match of the words: the one at the cursor, or the next. It
// goes on from the beginning of the text and reports whether there is one.
func (e *editor) find(words string, next bool) bool {
	anchor, at := e.buf.Selection()
	e.view.sought = words
	start := min(anchor, at)
	if next {
		start = max(anchor, at)
	}
	from, to, ok := e.buf.Text().Find(words, start)
	if !ok {
		e.b.say("No match for «" + markdown.Line(words) + "».")
		e.view.sought = ""
		return false
	}
	if from < start {
		e.b.say("from the beginning again")
	}
	e.buf.MoveTo(from, false)
	e.buf.MoveTo(to, true)
	e.view.goalColumn, e.view.scrolledAway = -1, false
	return true
}

// askReplace asks what to replace, and by what.
func (e *editor) askReplace() {
	e.b.prompt = &prompt{lineInput: lineInput{e.view.sought}, b: e.b, label: "replace: ", enter: func(words string) {
		if words == "" {
			return
		}
		e.b.prompt = &prompt{b: e.b, label: "by: ", bare: true, enter: func(by string) {
			if e.find(words, false) {
				e.askEach(words, by)
			}
		}}
	}}
}

// askEach goes from match to match.
func (e *editor) askEach(words, by string) {
	next := func() {
		if e.find(words, true) {
			e.askEach(words, by)
		}
	}
	e.b.ask("Replace this one?",
		option{"y", "yes", func() {
			e.buf.Replace(by)
			if e.tooLong() {
				return
			}
			e.afterEdit()
			next()
		}},
		option{"n", "next", next},
		option{"a", "all", func() {
			n := e.buf.ReplaceAll(words, by)
			if e.tooLong() {
				return
			}
			e.view.sought = ""
			e.afterEdit()
			e.b.say(fmt.Sprintf("replaced %d", n))
		}},
	)
}

func (e *editor) askLine() {
	e.b.prompt = &prompt{b: e.b, label: "line: ",
		tail: func() string { return "of " + strconv.Itoa(e.buf.Text().Lines()) },
		enter: func(s string) {
			n, err := strconv.Atoi(s)
			if err != nil {
				return
			}
			t := e.buf.Text()
			e.buf.MoveTo(t.LineStart(max(min(n, t.Lines()), 1)-1), false)
			e.afterEdit()
		},
	}
}
