package tui

import (
	"slices"
	"strings"
)

// An action is what a key asks for.
type action int

const (
	none action = iota
	help
	back
	cancel
	quit
	theme

	lineDown
	lineUp
	halfDown
	halfUp
	pageDown
	pageUp
	top
	bottom

	open
	filter
	search
	tags
	archive
	menu

	leave
	older
	newer
	find
	findNext
	findPrevious
	outline
	headingNext
	headingPrevious
	linkNext
	linkPrevious
	follow
	labels
	historyBack
	historyForward
	copyCode
	copyAddress

	// Of authors, on posts.
	writeNew
	edit
	publish
	schedule
	rename
	remove
	versions
	undo
	drafts
	unsaved
	share
	readers

	// Of one screen for authors.
	restore
	compare
	discard
	takeMine
	takeTheirs
	takeBoth
	finish

	// Of the editor. Motions and typing are its own.
	save
	publishText
	preview
	fieldsOf
	findText
	findAgain
	replaceText
	goToLine
	undoText
	redoText
	cutText
	copyText
	pasteText
	selectAll
	lineNumbers
	closeText
)

// A place is a set of kinds of screens.
type place int

const (
	onHome  place = 1 << iota // the list with the home page above it
	onList                    // any other list of posts
	onIndex                   // a list of other things: tags, years, headings, hits
	onPost
	onHelp
	onVersions // of a post
	onUnsaved  // texts that were kept
	onForm     // the fields of a post
	onScroll   // a text that is only looked at: a difference, a preview
	onMerge    // two versions of a text
	onEditor   // where keys type

	lists      = onHome | onList
	choices    = lists | onIndex
	ours       = onVersions | onUnsaved | onForm | onScroll | onMerge // authors' alone, but for the editor
	everywhere = choices | onPost | onHelp | ours
)

// A binding is one line of the key map. The map below is the only one: keys
// are looked up in it, the bottom line takes its hints from it, and the help
// screen is made of it.
type binding struct {
	where  place
	keys   []string
	do     action
	shown  string // the keys as people read them; "": the first
	help   string // "": explained with the line before
	hint   string // on the bottom line; "": not there
	group  string
	prompt bool // usable while something is typed
}

var keymap = []binding{
	{where: choices, keys: []string{"enter", "l", "right"}, do: open, shown: "enter l →", help: "open", hint: "read", group: "lists"},
	{where: onVersions, keys: []string{"enter", "l", "right"}, do: open, hint: "what changed"},
	{where: onVersions, keys: []string{"R"}, do: restore, hint: "restore"},
	{where: onUnsaved, keys: []string{"enter", "l", "right"}, do: open, hint: "continue"},
	{where: onUnsaved, keys: []string{"c"}, do: compare, hint: "compare"},
	{where: onUnsaved, keys: []string{"x"}, do: discard, hint: "discard"},
	{where: onForm, keys: []string{"enter", "l", "right"}, do: open, hint: "change"},
	{where: onMerge, keys: []string{"m"}, do: takeMine, hint: "mine"},
	{where: onMerge, keys: []string{"t"}, do: takeTheirs, hint: "theirs"},
	{where: onMerge, keys: []string{"b"}, do: takeBoth, hint: "both"},
	{where: onMerge, keys: []string{"enter"}, do: finish, hint: "go on with this text"},
	{where: onPost, keys: []string{"q"}, do: back, shown: "q", hint: "back", group: ""},
	{where: ours, keys: []string{"q", "h", "left"}, do: back, hint: "back"},
	{where: onScroll, keys: []string{"ctrl+p", "ctrl+q"}, do: back},

	{where: lists | onPost, keys: []string{"e"}, do: edit, help: "edit", hint: "edit", group: "author"},
	{where: lists, keys: []string{"N"}, do: writeNew, help: "new post", hint: "new", group: "author"},
	{where: lists | onPost, keys: []string{"P"}, do: publish, help: "publish or take back", hint: "publish", group: "author"},
	{where: lists | onPost, keys: []string{"S"}, do: schedule, help: "schedule", hint: "schedule", group: "author"},
	{where: lists | onPost, keys: []string{"U"}, do: undo, help: "undo what was done last", hint: "undo", group: "author"},
	{where: lists | onPost, keys: []string{"v"}, do: versions, help: "versions", hint: "versions", group: "author"},
	{where: lists | onPost, keys: []string{"R"}, do: rename, help: "rename: another address", group: "author"},
	{where: lists | onPost, keys: []string{"x"}, do: remove, help: "delete", group: "author"},
	{where: onHome, keys: []string{"D"}, do: drafts, help: "drafts only", hint: "drafts", group: "author"},
	{where: onList, keys: []string{"D"}, do: drafts},
	{where: lists, keys: []string{"w"}, do: unsaved, help: "texts not saved yet", group: "author"},
	{where: lists | onPost, keys: []string{"V"}, do: share, help: "preview address, for others", group: "author"},
	{where: lists, keys: []string{"#"}, do: readers, help: "readers: views and sessions", group: "author"},

	{where: onEditor, keys: []string{"ctrl+s"}, do: save, shown: "^S", help: "save", hint: "save", group: "editor"},
	{where: onEditor, keys: []string{"ctrl+o"}, do: publishText, shown: "^O", help: "save and publish", hint: "publish", group: "editor"},
	{where: onEditor, keys: []string{"ctrl+p"}, do: preview, shown: "^P", help: "preview", hint: "preview", group: "editor"},
	{where: onEditor, keys: []string{"ctrl+t"}, do: fieldsOf, shown: "^T", help: "title, date, tags …", hint: "fields", group: "editor"},
	{where: onEditor, keys: []string{"ctrl+f", "ctrl+w"}, do: findText, shown: "^F", help: "find, enter again: next", hint: "find", group: "editor"},
	{where: onEditor, keys: []string{"ctrl+q"}, do: closeText, shown: "^Q", help: "close", hint: "close", group: "editor"},
	{where: onEditor, keys: []string{"f3", "alt+w"}, do: findAgain, shown: "F3", help: "find the next one", group: "editor"},
	{where: onEditor, keys: []string{"ctrl+r", "ctrl+\\"}, do: replaceText, shown: "^R", help: "replace", group: "editor"},
	{where: onEditor, keys: []string{"ctrl+g", "ctrl+_"}, do: goToLine, shown: "^G", help: "go to a line", group: "editor"},
	{where: onEditor, keys: []string{"ctrl+z", "alt+u"}, do: undoText, shown: "^Z ^Y", help: "undo, redo", group: "editor"},
	{where: onEditor, keys: []string{"ctrl+y", "alt+e"}, do: redoText},
	{where: onEditor, keys: []string{"ctrl+x", "ctrl+k"}, do: cutText, shown: "^X ^C ^V", help: "cut, copy, paste; ^X without a selection takes the line", group: "editor"},
	{where: onEditor, keys: []string{"ctrl+c", "alt+6"}, do: copyText},
	{where: onEditor, keys: []string{"ctrl+v", "ctrl+u"}, do: pasteText},
	{where: onEditor, keys: []string{"ctrl+a"}, do: selectAll, shown: "^A", help: "select all; shift with a motion selects", group: "editor"},
	{where: onEditor, keys: []string{"alt+n", "alt+#"}, do: lineNumbers, shown: "alt+N", help: "line numbers", group: "editor"},
	{keys: []string{"ctrl+left"}, shown: "^← ^→", help: "a word", group: "typing"},
	{keys: []string{"ctrl+up"}, shown: "^↑ ^↓", help: "a paragraph", group: "typing"},
	{keys: []string{"home"}, shown: "home end", help: "the row, then the line", group: "typing"},
	{keys: []string{"pgup"}, shown: "pgup pgdn", help: "a page", group: "typing"},
	{keys: []string{"ctrl+home"}, shown: "^home ^end", help: "beginning, end", group: "typing"},
	{keys: []string{"tab"}, shown: "tab", help: "nest a list's item, indent; shift+tab back", group: "typing"},
	{keys: []string{"enter"}, shown: "enter", help: "in a list: the next item", group: "typing"},
	{keys: []string{"alt+backspace"}, shown: "alt+⌫", help: "delete a word", group: "typing"},
	{keys: []string{"shift"}, shown: "shift", help: "with any of these: select", group: "typing"},
	{keys: []string{"mouse"}, shown: "mouse", help: "place the cursor, select; twice: a word", group: "typing"},
	{where: onEditor, keys: []string{"f1"}, do: help, shown: "F1", help: "these keys", group: "editor"},

	{where: onPost, keys: []string{"J"}, do: older, shown: "J K", help: "next, previous post", hint: "next", group: "a post"},
	{where: onPost, keys: []string{"K"}, do: newer},
	{where: lists, keys: []string{"/"}, do: filter, help: "filter by title and tag", hint: "filter", group: "lists"},
	{where: choices, keys: []string{"s", "ctrl+f"}, do: search, shown: "s", help: "search the whole blog", hint: "search", group: "lists"},
	{where: onPost, keys: []string{"s", "ctrl+f"}, do: search},
	{where: onPost, keys: []string{"o"}, do: outline, help: "outline", hint: "outline", group: "a post"},
	{where: onPost, keys: []string{"f"}, do: labels, help: "links by number", hint: "links", group: "a post"},
	{where: onHome, keys: []string{"f"}, do: labels},
	{where: onPost, keys: []string{"c"}, do: copyCode, help: "copy a block of code", hint: "copy code", group: "a post"},
	{where: choices, keys: []string{"t"}, do: tags, help: "tags", hint: "tags", group: "lists"},
	{where: choices, keys: []string{"A"}, do: archive, help: "archive, year by year", group: "lists"},
	{where: lists, keys: []string{"tab"}, do: menu, help: "next page of the menu", hint: "pages", group: "lists"},
	{where: onList | onIndex | onHelp, keys: []string{"q"}, do: back, hint: "back"},

	{where: onPost, keys: []string{"/"}, do: find, shown: "/ n N", help: "find here, next, previous", group: "a post"},
	{where: onPost, keys: []string{"n"}, do: findNext},
	{where: onPost, keys: []string{"N"}, do: findPrevious},
	{where: onPost, keys: []string{"N"}, do: writeNew},
	{where: onPost, keys: []string{"]"}, do: headingNext, shown: "] [", help: "next, previous heading", group: "a post"},
	{where: onPost, keys: []string{"["}, do: headingPrevious},
	{where: onPost, keys: []string{"tab"}, do: linkNext, shown: "tab enter", help: "select a link, follow it", group: "a post"},
	{where: onPost, keys: []string{"shift+tab"}, do: linkPrevious},
	{where: onPost, keys: []string{"enter"}, do: follow},
	{where: onPost, keys: []string{"H", "alt+left"}, do: historyBack, shown: "H L", help: "history back, forward", group: "a post"},
	{where: onPost, keys: []string{"L", "alt+right"}, do: historyForward},
	{where: onPost, keys: []string{"y"}, do: copyAddress, help: "copy the address", group: "a post"},
	{where: onPost, keys: []string{"h", "left"}, do: leave, shown: "h ←", help: "back", group: "a post"},
	{where: onList | onIndex | onHelp, keys: []string{"h", "left"}, do: leave},

	{where: everywhere, keys: []string{"j", "down"}, do: lineDown, shown: "j k ↓ ↑", help: "a line", group: "moving"},
	{where: everywhere, keys: []string{"k", "up"}, do: lineUp},
	{where: everywhere, keys: []string{"d", "ctrl+d"}, do: halfDown, shown: "d u", help: "half a page", group: "moving"},
	{where: everywhere, keys: []string{"u", "ctrl+u"}, do: halfUp},
	{where: everywhere, keys: []string{"space", "pgdown"}, do: pageDown, shown: "space b", help: "a page", group: "moving"},
	{where: everywhere, keys: []string{"b", "pgup"}, do: pageUp},
	{where: everywhere, keys: []string{"g", "home"}, do: top, shown: "g G", help: "beginning, end", group: "moving"},
	{where: everywhere, keys: []string{"G", "end"}, do: bottom},

	{where: everywhere, keys: []string{"?"}, do: help, help: "these keys", group: "everywhere"},
	{where: everywhere, keys: []string{"q"}, do: back, help: "back; at home, quit", group: "everywhere"},
	{where: everywhere, keys: []string{"esc"}, do: cancel, help: "cancel, else back", group: "everywhere"},
	{where: everywhere, keys: []string{"T"}, do: theme, help: "dark, light, no colours", group: "everywhere"},
	{where: everywhere, keys: []string{"ctrl+c"}, do: quit, help: "quit", group: "everywhere", prompt: true},
}

// actionsOf gives what a key may mean on a screen; the first that is of use
// counts.
func actionsOf(key string, on place) (all []action) {
	for _, b := range keymap {
		if b.where&on != 0 && slices.Contains(b.keys, key) {
			all = append(all, b.do)
		}
	}
	return all
}

// label gives the keys of a binding as people read them.
func (b binding) label() string {
	if b.shown != "" {
		return b.shown
	}
	return b.keys[0]
}

// shortcut is the one key that the bottom line names.
func (b binding) shortcut() string {
	word, _, _ := strings.Cut(b.label(), " ")
	return word
}
