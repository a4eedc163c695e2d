package markdown

import (
	"strings"
	"unicode/utf8"
)

// A placeholder is what one rune of plane 16 (private use) stands for while a
// source goes through the passes. Which fields it has depends on its kind.
type placeholder struct {
	kind                      placeholderKind
	n                         int
	name, text, target, title string
	src                       string // what the author typed
}

// placeholderKind says what a placeholder becomes, and what its fields hold.
type placeholderKind uint8

const (
	phNone        placeholderKind = iota
	phText                        // text: shown as it is, never parsed
	phCode                        // a code span; text
	phMath                        // a formula within text; text: TeX
	phBreak                       // a hard line break
	phImage                       // target, text: the alternative text, title
	phLink                        // a link without markup in it; target, text
	phInlineOpen                  // an inline element begins; name, target and title of a link
	phInlineClose                 // name
	phBlockOpen                   // a block element of a dialect begins; name, and text and title as that wants
	phBlockClose                  // name
	phFence                       // block of code; name: language, text: code, n: source line
	phFormula                     // displayed formula; text: TeX, name: equation number
	phContents                    // table of contents; n: 10 * lowest level + highest level
	phMore                        // <!--more-->: the end of the summary
	phCallout                     // first in a quote, which is a call-out; name, title
	phDetails                     // first in a quote, which is a details element; text: summary
	phRule                        // thematic break
	phID                          // name: the anchor of the heading it stands in
)

// block reports whether a placeholder of this kind is a block of its own.
func (k placeholderKind) block() bool { return k >= phFence && k <= phRule }

const (
	firstPlaceholder = 0x100000
	lastPlaceholder  = 0x10fffd
	placeholderLen   = 4    // bytes of a placeholder in UTF-8
	placeholderLead  = 0xf4 // the first of them; no other rune of cleaned text begins with it
)

// A stash holds the placeholders of one page and gives each its rune.
type stash struct {
	list  []placeholder
	index map[placeholder]rune
}

// put stores x and returns the text to write in its place: the rune of an
// equal placeholder, a new rune, or, when no more are left, x.src.
func (st *stash) put(x placeholder) string {
	if r, ok := st.index[x]; ok {
		return string(r)
	}
	if len(st.list) > lastPlaceholder-firstPlaceholder {
		return x.src
	}
	if st.index == nil {
		st.index = make(map[placeholder]rune)
	}
	r := rune(firstPlaceholder + len(st.list))
	st.list = append(st.list, x)
	st.index[x] = r
	return string(r)
}

// literal stores text that is shown as it is.
func (st *stash) literal(s string) string {
	return st.put(placeholder{kind: phText, text: s, src: s})
}

// wrap puts text between the placeholders of an inline element.
func (st *stash) wrap(element, text string) string {
	return st.put(placeholder{kind: phInlineOpen, name: element}) + text +
		st.put(placeholder{kind: phInlineClose, name: element})
}

// paragraph returns the placeholder that begins a new paragraph.
func (st *stash) paragraph() string { return st.put(placeholder{kind: phBlockOpen, name: "p"}) }

// at returns the placeholder s begins with.
func (st *stash) at(s string) (placeholder, bool) {
	if s == "" || s[0] != placeholderLead {
		return placeholder{}, false
	}
	r, _ := utf8.DecodeRuneInString(s)
	if i := int(r) - firstPlaceholder; i >= 0 && i < len(st.list) {
		return st.list[i], true
	}
	return placeholder{}, false
}

// restore puts back what the author typed.
func (st *stash) restore(s string) string {
	return st.replace(s, func(x placeholder) string { return x.src })
}

// text replaces placeholders by the text they show, for places that can hold
// only text.
func (st *stash) text(s string) string {
	return st.replace(s, func(x placeholder) string {
		switch x.kind {
		case phText, phCode, phMath, phFormula, phImage, phLink, phFence:
			return x.text
		case phBreak:
			return " "
		}
		return ""
	})
}

func (st *stash) replace(s string, by func(placeholder) string) string {
	if !hasPlaceholder(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		if x, ok := st.at(s[i:]); ok {
			b.WriteString(by(x))
			i += placeholderLen
			continue
		}
		b.WriteByte(s[i])
		i++
	}
	return b.String()
}

func hasPlaceholder(s string) bool { return strings.IndexByte(s, placeholderLead) >= 0 }
