package tui

import (
	"slices"
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
	where  screenKind
	keys   []string
	do     action
	shown  string // the keys as people read them; "": the first
	help   string // "": explained with the line before
	hint   string // on the bottom line; "": not there
	group  string
	prompt bool // usable while something is typed
}

var keymap = []binding{
	{where: choices, keys: []string{"enter", "l", "right"}, do: actOpen, shown: "enter l →", help: "open", hint: "read", group: "lists"},
	{where: onVersions, keys: []string{"enter", "l", "right"}, do: actOpen, hint: "what changed"},
	{where: onVersions, keys: []string{"R"}, do: actRestore, hint: "restore"},
	{where: onUnsaved, keys: []string{"enter", "l", "right"}, do: actOpen, hint: "continue"},
	{where: onUnsaved, keys: []string{"c"}, do: actCompare, hint: "compare"},
	{where: onUnsaved, keys: []string{"x"}, do: actDiscard, hint: "discard"},
	{where: onForm, keys: []string{"enter", "l", "right"}, do: actOpen, hint: "change"},
	{where: onMerge, keys: []string{"m"}, do: actTakeMine, hint: "mine"},
	{where: onMerge, keys: []string{"t"}, do: actTakeTheirs, hint: "theirs"},
	{where: onMerge, keys: []string{"b"}, do: actTakeBoth, hint: "both"},
	{where: onMerge, keys: []string{"enter"}, do: actFinish, hint: "go on with this text"},
	{where: onPost, keys: []string{"q"}, do: actBack, shown: "q", hint: "back", group: ""},
	{where: authorScreens, keys: []string{"q", "h", "left"}, do: actBack, hint: "back"},
	{where: onPager, keys: []string{"ctrl+p", "ctrl+q"}, do: actBack},

	{where: lists | onPost, keys: []string{"e"}, do: actEdit, help: "edit", hint: "edit", group: "author"},
	{where: lists, keys: []string{"N"}, do: actNewPost, help: "new post", hint: "new", group: "author"},
	{where: lists | onPost, keys: []string{"P"}, do: actPublish, help: "publish or take back", hint: "publish", group: "author"},
	{where: lists | onPost, keys: []string{"S"}, do: actSchedule, help: "schedule", hint: "schedule", group: "author"},
	{where: lists | onPost, keys: []string{"U"}, do: actUndo, help: "undo what was done last", hint: "undo", group: "author"},
	{where: lists | onPost, keys: []string{"v"}, do: actVersions, help: "versions", hint: "versions", group: "author"},
	{where: lists | onPost, keys: []string{"R"}, do: actRename, help: "rename: another address", group: "author"},
	{where: lists | onPost, keys: []string{"x"}, do: actRemove, help: "delete", group: "author"},
	{where: onHome, keys: []string{"D"}, do: actDrafts, help: "drafts only", hint: "drafts", group: "author"},
	{where: onList, keys: []string{"D"}, do: actDrafts},
	{where: lists, keys: []string{"w"}, do: actUnsaved, help: "texts not saved yet", group: "author"},
	{where: lists | onPost, keys: []string{"V"}, do: actShare, help: "preview address, for others", group: "author"},
	{where: lists, keys: []string{"#"}, do: actStats, help: "readers: views and sessions", group: "author"},

	{where: onEditor, keys: []string{"ctrl+s"}, do: actSave, shown: "^S", help: "save", hint: "save", group: "editor"},
	{where: onEditor, keys: []string{"ctrl+o"}, do: actPublishText, shown: "^O", help: "save and publish", hint: "publish", group: "editor"},
	{where: onEditor, keys: []string{"ctrl+p"}, do: actPreview, shown: "^P", help: "preview", hint: "preview", group: "editor"},
	{where: onEditor, keys: []string{"ctrl+t"}, do: actFields, shown: "^T", help: "title, date, tags …", hint: "fields", group: "editor"},
	{where: onEditor, keys: []string{"ctrl+f", "ctrl+w"}, do: actFindText, shown: "^F", help: "find, enter again: next", hint: "find", group: "editor"},
	{where: onEditor, keys: []string{"ctrl+q"}, do: actClose, shown: "^Q", help: "close", hint: "close", group: "editor"},
	{where: onEditor, keys: []string{"f3", "alt+w"}, do: actFindAgain, shown: "F3", help: "find the next one", group: "editor"},
	{where: onEditor, keys: []string{"ctrl+r", "ctrl+\\"}, do: actReplaceText, shown: "^R", help: "replace", group: "editor"},
	{where: onEditor, keys: []string{"ctrl+g", "ctrl+_"}, do: actGoToLine, shown: "^G", help: "go to a line", group: "editor"},
	{where: onEditor, keys: []string{"ctrl+z", "alt+u"}, do: actUndoText, shown: "^Z ^Y", help: "undo, redo", group: "editor"},
	{where: onEditor, keys: []string{"ctrl+y", "alt+e"}, do: actRedoText},
	{where: onEditor, keys: []string{"ctrl+x", "ctrl+k"}, do: actCutText, shown: "^X ^C ^V", help: "cut, copy, paste; ^X without a selection takes the line", group: "editor"},
	{where: onEditor, keys: []string{"ctrl+c", "alt+6"}, do: actCopyText},
	{where: onEditor, keys: []string{"ctrl+v", "ctrl+u"}, do: actPasteText},
	{where: onEditor, keys: []string{"ctrl+a"}, do: actSelectAll, shown: "^A", help: "select all; shift with a motion selects", group: "editor"},
	{where: onEditor, keys: []string{"alt+n", "alt+#"}, do: actLineNumbers, shown: "alt+N", help: "line numbers", group: "editor"},
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
	{where: onEditor, keys: []string{"f1"}, do: actHelp, shown: "F1", help: "these keys", group: "editor"},

	{where: onPost, keys: []string{"J"}, do: actOlder, shown: "J K", help: "next, previous post", hint: "next", group: "a post"},
	{where: onPost, keys: []string{"K"}, do: actNewer},
	{where: lists, keys: []string{"/"}, do: actFilter, help: "filter by title and tag", hint: "filter", group: "lists"},
	{where: choices, keys: []string{"s", "ctrl+f"}, do: actSearch, shown: "s", help: "search the whole blog", hint: "search", group: "lists"},
	{where: onPost, keys: []string{"s", "ctrl+f"}, do: actSearch},
	{where: onPost, keys: []string{"o"}, do: actOutline, help: "outline", hint: "outline", group: "a post"},
	{where: onPost, keys: []string{"f"}, do: actLinkLabels, help: "links by number", hint: "links", group: "a post"},
	{where: onHome, keys: []string{"f"}, do: actLinkLabels},
	{where: onPost, keys: []string{"c"}, do: actCopyCode, help: "copy a block of code", hint: "copy code", group: "a post"},
	{where: choices, keys: []string{"t"}, do: actTags, help: "tags", hint: "tags", group: "lists"},
	{where: choices, keys: []string{"A"}, do: actArchive, help: "archive, year by year", group: "lists"},
	{where: lists, keys: []string{"tab"}, do: actNextPage, help: "next page of the menu", hint: "pages", group: "lists"},
	{where: onList | onMenu | onHelp, keys: []string{"q"}, do: actBack, hint: "back"},

	{where: onPost, keys: []string{"/"}, do: actFind, shown: "/ n N", help: "find here, next, previous", group: "a post"},
	{where: onPost, keys: []string{"n"}, do: actFindNext},
	{where: onPost, keys: []string{"N"}, do: actFindPrevious},
	{where: onPost, keys: []string{"N"}, do: actNewPost},
	{where: onPost, keys: []string{"]"}, do: actHeadingNext, shown: "] [", help: "next, previous heading", group: "a post"},
	{where: onPost, keys: []string{"["}, do: actHeadingPrevious},
	{where: onPost, keys: []string{"tab"}, do: actLinkNext, shown: "tab enter", help: "select a link, follow it", group: "a post"},
	{where: onPost, keys: []string{"shift+tab"}, do: actLinkPrevious},
	{where: onPost, keys: []string{"enter"}, do: actOpenLink},
	{where: onPost, keys: []string{"H", "alt+left"}, do: actHistoryBack, shown: "H L", help: "history back, forward", group: "a post"},
	{where: onPost, keys: []string{"L", "alt+right"}, do: actHistoryForward},
	{where: onPost, keys: []string{"y"}, do: actCopyAddress, help: "copy the address", group: "a post"},
	{where: onPost, keys: []string{"h", "left"}, do: actBack, shown: "h ←", help: "back", group: "a post"},
	{where: onList | onMenu | onHelp, keys: []string{"h", "left"}, do: actBack},

	{where: everywhere, keys: []string{"j", "down"}, do: actLineDown, shown: "j k ↓ ↑", help: "a line", group: "moving"},
	{where: everywhere, keys: []string{"k", "up"}, do: actLineUp},
	{where: everywhere, keys: []string{"d", "ctrl+d"}, do: actHalfDown, shown: "d u", help: "half a page", group: "moving"},
	{where: everywhere, keys: []string{"u", "ctrl+u"}, do: actHalfUp},
	{where: everywhere, keys: []string{"space", "pgdown"}, do: actPageDown, shown: "space b", help: "a page", group: "moving"},
	{where: everywhere, keys: []string{"b", "pgup"}, do: actPageUp},
	{where: everywhere, keys: []string{"g", "home"}, do: actTop, shown: "g G", help: "beginning, end", group: "moving"},
	{where: everywhere, keys: []string{"G", "end"}, do: actBottom},

	{where: everywhere, keys: []string{"?"}, do: actHelp, help: "these keys", group: "everywhere"},
	{where: everywhere, keys: []string{"q"}, do: actBack, help: "back; at home, quit", group: "everywhere"},
	{where: everywhere, keys: []string{"esc"}, do: actCancel, help: "cancel, else back", group: "everywhere"},
	{where: everywhere, keys: []string{"T"}, do: actTheme, help: "dark, light, no colours", group: "everywhere"},
	{where: everywhere, keys: []string{"ctrl+c"}, do: actQuit, help: "quit", group: "everywhere", prompt: true},
}

// actionsOf gives what a key may mean on a screen; the first that is of use
// counts.
func actionsOf(key string, on screenKind) (all []action) {
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
