package tui

import (
	"strings"
)

// An action is what a key asks for.
type action int

const (
	actNone action = iota
	actHelp
	actBack
	actCancel
	actQuit
	actTheme

	// Through a text or a list.
	actLineDown
	actLineUp
	actHalfDown
	actHalfUp
	actPageDown
	actPageUp
	actTop
	actBottom

	actOpen
	actFilter
	actSearch
	actTags
	actArchive
	actNextPage

	actOlder
	actNewer
	actFind
	actFindNext
	actFindPrevious
	actOutline
	actHeadingNext
	actHeadingPrevious
	actLinkNext
	actLinkPrevious
	actOpenLink
	actLinkLabels
	actHistoryBack
	actHistoryForward
	actCopyCode
	actCopyAddress

	// Of authors, on posts.
	actNewPost
	actEdit
	actPublish
	actSchedule
	actRename
	actRemove
	actVersions
	actUndo
	actDrafts
	actUnsaved
	actShare
	actStats

	// Of one screen for authors.
	actRestore
	actCompare
	actDiscard
	actTakeMine
	actTakeTheirs
	actTakeBoth
	actFinish

	// Of the editor. Motions and typing are its own.
	actSave
	actPublishText
	actPreview
	actFields
	actFindText
	actFindAgain
	actReplaceText
	actGoToLine
	actUndoText
	actRedoText
	actCutText
	actCopyText
	actPasteText
	actSelectAll
	actLineNumbers
	actClose
)

// A screenKind is a set of kinds of screens.
type screenKind int

const (
	onHome screenKind = 1 << iota // the list with the home page above it
	onList                        // any other list of posts
	onMenu                        // a list of other things: tags, years, headings, hits
	onPost
	onHelp
	onVersions // of a post
	onUnsaved  // texts that were kept
	onForm     // the fields of a post
	onPager    // a text that is only looked at: a difference, a preview
	onMerge    // two versions of a text
	onEditor   // where keys type

	lists         = onHome | onList
	choices       = lists | onMenu
	authorScreens = onVersions | onUnsaved | onForm | onPager | onMerge // authors' alone, but for the editor
	everywhere    = choices | onPost | onHelp | authorScreens
)

// A binding is one line of the key map. The map below is the only one: keys
// are looked up in it, the bottom line takes its hints from it, and the help
// screen is made of it.
type binding struct {
	where screenKind
	keys  string // with blanks between them
	do    action
	shown string // the keys as people read them; "": the first
	help  string // "": explained with the line before
	hint  string // on the bottom line; "": not there
	group string
}

var keymap = []binding{
	{where: choices, keys: "enter l right", do: actOpen, shown: "enter l →",
		help: "open", hint: "read", group: "lists"},
	{where: onVersions, keys: "enter l right", do: actOpen, hint: "what changed"},
	{where: onVersions, keys: "R", do: actRestore, hint: "restore"},
	{where: onUnsaved, keys: "enter l right", do: actOpen, hint: "continue"},
	{where: onUnsaved, keys: "c", do: actCompare, hint: "compare"},
	{where: onUnsaved, keys: "x", do: actDiscard, hint: "discard"},
	{where: onForm, keys: "enter l right", do: actOpen, hint: "change"},
	{where: onMerge, keys: "m", do: actTakeMine, hint: "mine"},
	{where: onMerge, keys: "t", do: actTakeTheirs, hint: "theirs"},
	{where: onMerge, keys: "b", do: actTakeBoth, hint: "both"},
	{where: onMerge, keys: "enter", do: actFinish, hint: "go on with this text"},
	{where: onPost, keys: "q", do: actBack, shown: "q", hint: "back"},
	{where: authorScreens, keys: "q h left", do: actBack, hint: "back"},
	{where: onPager, keys: "ctrl+p ctrl+q", do: actBack},

	{where: lists | onPost, keys: "e", do: actEdit, help: "edit", hint: "edit", group: "author"},
	{where: lists, keys: "N", do: actNewPost, help: "new post", hint: "new", group: "author"},
	{where: lists | onPost, keys: "P", do: actPublish, help: "publish or take back", hint: "publish", group: "author"},
	{where: lists | onPost, keys: "S", do: actSchedule, help: "schedule", hint: "schedule", group: "author"},
	{where: lists | onPost, keys: "U", do: actUndo, help: "undo what was done last", hint: "undo", group: "author"},
	{where: lists | onPost, keys: "v", do: actVersions, help: "versions", hint: "versions", group: "author"},
	{where: lists | onPost, keys: "R", do: actRename, help: "rename: another address", group: "author"},
	{where: lists | onPost, keys: "x", do: actRemove, help: "delete", group: "author"},
	{where: onHome, keys: "D", do: actDrafts, help: "drafts only", hint: "drafts", group: "author"},
	{where: onList, keys: "D", do: actDrafts},
	{where: lists, keys: "w", do: actUnsaved, help: "texts not saved yet", group: "author"},
	{where: lists | onPost, keys: "V", do: actShare, help: "preview address, for others", group: "author"},
	{where: lists, keys: "#", do: actStats, help: "readers: views and sessions", group: "author"},

	{where: onEditor, keys: "ctrl+s", do: actSave, shown: "^S", help: "save", hint: "save", group: "editor"},
	{where: onEditor, keys: "ctrl+o", do: actPublishText, shown: "^O",
		help: "save and publish", hint: "publish", group: "editor"},
	{where: onEditor, keys: "ctrl+p", do: actPreview, shown: "^P", help: "preview", hint: "preview", group: "editor"},
	{where: onEditor, keys: "ctrl+t", do: actFields, shown: "^T",
		help: "title, date, tags …", hint: "fields", group: "editor"},
	{where: onEditor, keys: "ctrl+f ctrl+w", do: actFindText, shown: "^F",
		help: "find, enter again: next", hint: "find", group: "editor"},
	{where: onEditor, keys: "ctrl+q", do: actClose, shown: "^Q", help: "close", hint: "close", group: "editor"},
	{where: onEditor, keys: "f3 alt+w", do: actFindAgain, shown: "F3", help: "find the next one", group: "editor"},
	{where: onEditor, keys: "ctrl+r ctrl+\\", do: actReplaceText, shown: "^R", help: "replace", group: "editor"},
	{where: onEditor, keys: "ctrl+g ctrl+_", do: actGoToLine, shown: "^G", help: "go to a line", group: "editor"},
	{where: onEditor, keys: "ctrl+z alt+u", do: actUndoText, shown: "^Z ^Y", help: "undo, redo", group: "editor"},
	{where: onEditor, keys: "ctrl+y alt+e", do: actRedoText},
	{where: onEditor, keys: "ctrl+x ctrl+k", do: actCutText, shown: "^X ^C ^V",
		help: "cut, copy, paste; ^X without a selection takes the line", group: "editor"},
	{where: onEditor, keys: "ctrl+c alt+6", do: actCopyText},
	{where: onEditor, keys: "ctrl+v ctrl+u", do: actPasteText},
	{where: onEditor, keys: "ctrl+a", do: actSelectAll, shown: "^A",
		help: "select all; shift with a motion selects", group: "editor"},
	{where: onEditor, keys: "alt+n alt+#", do: actLineNumbers, shown: "alt+N", help: "line numbers", group: "editor"},
	{keys: "ctrl+left", shown: "^← ^→", help: "a word", group: "typing"},
	{keys: "ctrl+up", shown: "^↑ ^↓", help: "a paragraph", group: "typing"},
	{keys: "home", shown: "home end", help: "the row, then the line", group: "typing"},
	{keys: "pgup", shown: "pgup pgdn", help: "a page", group: "typing"},
	{keys: "ctrl+home", shown: "^home ^end", help: "beginning, end", group: "typing"},
	{keys: "tab", shown: "tab", help: "nest a list's item, indent; shift+tab back", group: "typing"},
	{keys: "enter", shown: "enter", help: "in a list: the next item", group: "typing"},
	{keys: "alt+backspace", shown: "alt+⌫", help: "delete a word", group: "typing"},
	{keys: "shift", shown: "shift", help: "with any of these: select", group: "typing"},
	{keys: "mouse", shown: "mouse", help: "place the cursor, select; twice: a word", group: "typing"},
	{where: onEditor, keys: "f1", do: actHelp, shown: "F1", help: "these keys", group: "editor"},

	{where: onPost, keys: "J", do: actOlder, shown: "J K", help: "next, previous post", hint: "next", group: "a post"},
	{where: onPost, keys: "K", do: actNewer},
	{where: lists, keys: "/", do: actFilter, help: "filter by title and tag", hint: "filter", group: "lists"},
	{where: choices, keys: "s ctrl+f", do: actSearch, shown: "s",
		help: "search the whole blog", hint: "search", group: "lists"},
	{where: onPost, keys: "s ctrl+f", do: actSearch},
	{where: onPost, keys: "o", do: actOutline, help: "outline", hint: "outline", group: "a post"},
	{where: onPost, keys: "f", do: actLinkLabels, help: "links by number", hint: "links", group: "a post"},
	{where: onHome, keys: "f", do: actLinkLabels},
	{where: onPost, keys: "c", do: actCopyCode, help: "copy a block of code", hint: "copy code", group: "a post"},
	{where: choices, keys: "t", do: actTags, help: "tags", hint: "tags", group: "lists"},
	{where: choices, keys: "A", do: actArchive, help: "archive, year by year", group: "lists"},
	{where: lists, keys: "tab", do: actNextPage, help: "next page of the menu", hint: "pages", group: "lists"},
	{where: onList | onMenu | onHelp, keys: "q", do: actBack, hint: "back"},

	{where: onPost, keys: "/", do: actFind, shown: "/ n N", help: "find here, next, previous", group: "a post"},
	{where: onPost, keys: "n", do: actFindNext},
	{where: onPost, keys: "N", do: actFindPrevious},
	{where: onPost, keys: "N", do: actNewPost},
	{where: onPost, keys: "]", do: actHeadingNext, shown: "] [", help: "next, previous heading", group: "a post"},
	{where: onPost, keys: "[", do: actHeadingPrevious},
	{where: onPost, keys: "tab", do: actLinkNext, shown: "tab enter",
		help: "select a link, follow it", group: "a post"},
	{where: onPost, keys: "shift+tab", do: actLinkPrevious},
	{where: onPost, keys: "enter", do: actOpenLink},
	{where: onPost, keys: "H alt+left", do: actHistoryBack, shown: "H L",
		help: "history back, forward", group: "a post"},
	{where: onPost, keys: "L alt+right", do: actHistoryForward},
	{where: onPost, keys: "y", do: actCopyAddress, help: "copy the address", group: "a post"},
	{where: onPost, keys: "h left", do: actBack, shown: "h ←", help: "back", group: "a post"},
	{where: onList | onMenu | onHelp, keys: "h left", do: actBack},

	{where: everywhere, keys: "j down", do: actLineDown, shown: "j k ↓ ↑", help: "a line", group: "moving"},
	{where: everywhere, keys: "k up", do: actLineUp},
	{where: everywhere, keys: "d ctrl+d", do: actHalfDown, shown: "d u", help: "half a page", group: "moving"},
	{where: everywhere, keys: "u ctrl+u", do: actHalfUp},
	{where: everywhere, keys: "space pgdown", do: actPageDown, shown: "space b", help: "a page", group: "moving"},
	{where: everywhere, keys: "b pgup", do: actPageUp},
	{where: everywhere, keys: "g home", do: actTop, shown: "g G", help: "beginning, end", group: "moving"},
	{where: everywhere, keys: "G end", do: actBottom},

	{where: everywhere, keys: "?", do: actHelp, help: "these keys", group: "everywhere"},
	{where: everywhere, keys: "q", do: actBack, help: "back; at home, quit", group: "everywhere"},
	{where: everywhere, keys: "esc", do: actCancel, help: "cancel, else back", group: "everywhere"},
	{where: everywhere, keys: "T", do: actTheme, help: "dark, light, no colours", group: "everywhere"},
	{where: everywhere, keys: "ctrl+c", do: actQuit, help: "quit", group: "everywhere"},
}

// actionsOf returns what a key may mean on a screen. The first of these that
// can be done is what it means.
func actionsOf(key string, on screenKind) (all []action) {
	for _, b := range keymap {
		if b.where&on != 0 && b.has(key) {
			all = append(all, b.do)
		}
	}
	return all
}

func (b binding) has(key string) bool {
	for k := range strings.FieldsSeq(b.keys) {
		if k == key {
			return true
		}
	}
	return false
}

// label is how the help screen writes the keys of a binding.
func (b binding) label() string {
	if b.shown != "" {
		return b.shown
	}
	return firstWord(b.keys)
}

// shortcut is the key that the bottom line names.
func (b binding) shortcut() string { return firstWord(b.label()) }

func firstWord(s string) string {
	word, _, _ := strings.Cut(s, " ")
	return word
}

// moves reports whether an action only moves through a text or a list.
func (a action) moves() bool { return a >= actLineDown && a <= actBottom }

// rows is by how many rows an action moves on a screen that has body rows.
func (a action) rows(body int) int {
	switch a {
	case actLineDown:
		return 1
	case actLineUp:
		return -1
	case actHalfDown:
		return max(body/2, 1)
	case actHalfUp:
		return -max(body/2, 1)
	case actPageDown:
		return max(body-1, 1)
	case actPageUp:
		return -max(body-1, 1)
	}
	return 0
}

// ofAuthor reports whether an action is one of authors on posts.
func (a action) ofAuthor() bool { return a >= actNewPost && a <= actStats }
