// Package markdown understands sources: Markdown as CommonMark and GitHub have
// it, and as the site generators of this world have it (Franklin, Hugo,
// Jekyll, Zola, Eleventy, Astro and other MDX, Obsidian). Whatever the
// dialect, one kind of tree comes out.
//
// # The two doors
//
// [Read] takes a source apart without parsing it: front matter, first heading,
// number of words ([Source]). [Skim] does so for ten thousand files at start:
// it is quicker, and declines what is not plain.
//
// [Parse] gives the whole [Document]. It never fails and never panics: what
// cannot be understood is shown as the author typed it, and said in
// Document.Problems. Both are pure functions of their arguments and bounded in
// size, depth and time; their results are immutable and may be shared.
//
// # How a source becomes a tree
//
//  1. clean.go   bytes to safe text: valid UTF-8, no control characters
//  2. dialect.go says which dialect it is, and front.go cuts the front matter
//     off (julia.go: definitions anywhere)
//  3. protect.go all that must not be read as markup (code, math, comments,
//     raw text) is replaced by one rune each, a placeholder
//  4. franklin.go, template.go, mdx.go and obsidian.go bring the dialect's own
//     words to Markdown and to placeholders
//  5. html.go    raw HTML becomes Markdown and placeholders
//  6. finish.go  nesting and runs of delimiters are limited, code returns as
//     fences
//  7. tree.go    goldmark parses, and placeholders in its tree become nodes
//
// A placeholder is a rune of plane 16 of Unicode (private use); the source is
// cleaned of them first, so an author cannot write one. As a placeholder is a
// letter to every later pass, no pass needs to know what code or math is. Every
// pass knows for each line it writes from which line of the source it came
// (package srcmap).
//
// # The tree
//
// A tree holds goldmark's own kinds and those of its table, strikethrough, task
// list, definition list and footnote extensions, and the kinds of nodes.go. It
// never holds an HTMLBlock or a RawHTML. Display text of a leaf comes from
// [Document.TextOf] and from nowhere else: it decodes entities and escapes,
// once.
package markdown
