package tui

import "strings"

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
)

// A place is a set of kinds of screens.
type place int

const (
	onHome  place = 1 << iota // the list with the home page above it
	onList                    // any other list of posts
	onIndex                   // a list of other things: tags, years, headings, hits
	onPost
	onHelp

	lists      = onHome | onList
	choices    = lists | onIndex
	everywhere = choices | onPost | onHelp
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
	{where: onPost, keys: []string{"q"}, do: back, shown: "q", hint: "back", group: ""},
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

// actionOf finds what a key means on a screen.
func actionOf(key string, on place) action {
	for _, b := range keymap {
		if b.where&on == 0 {
			continue
		}
		for _, k := range b.keys {
			if k == key {
				return b.do
			}
		}
	}
	return none
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
