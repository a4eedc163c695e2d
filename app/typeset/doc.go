// Package typeset sets a document for a terminal: a tree of package markdown
// goes in, a [Page] of finished lines of a given width and theme comes out.
//
// # What a page promises
//
// A page is immutable and may be shared by any number of sessions. Its lines
// hold text, SGR sequences and OSC 8 hyperlinks (http, https, mailto, gemini)
// and nothing else; no line is wider than the page, ends in blanks, or leaves a
// style or a link open. The theme "plain" holds no escape sequence at all.
//
// # Who sets what
//
// Styles come from glamour: its style configuration (the dark or the light one)
// says how emphasis, strong text, struck text and every kind of token in code
// look, and what colour a heading has unless the site names its own accent. The
// prose keeps the terminal's own two colours; of glamour's colours only the
// accent, one dim tone and those of code are used, never a background.
// glamour's block renderer is not used. It would unescape text a second time
// (package markdown has decoded it once), fold code without a mark, glue the
// paragraphs of list items, know no footnotes, math or call-outs, and spend an
// escape pair on each blank of padding. So blocks are set here, over the same
// goldmark tree, and wrapped by cells as package x/ansi measures them. Code is
// coloured with chroma's lexers and glamour's colours for them.
//
// # How a page is set
//
// The tree is walked block by block ([composer]). A block's inline nodes become
// runs (text with one face and perhaps a link), runs are broken into rows, and
// each row is written behind the margins of the containers it stands in (bars
// of quotes, bullets of lists). Faces become escape sequences only when a row
// is finished, and only where they change (ECMA-48, 8.3.117 SGR).
//
// A [Setter] keeps pages in a cache that is bounded in bytes, and makes a page
// once however many ask for it at the same time. Setting is bounded in time:
// past the limit the rest of the post follows as plain text, with a note. A
// panic costs the one page, which then shows as plain text, with a note.
//
// An [IncrementalPage] is the page of a post somebody is still writing. It
// takes over the blocks of the page before it that would come out the same, and
// knows them by a digest of everything that setting looks at. A node or a field
// that setting begins to look at must go into the digest ([digester]).
package typeset
