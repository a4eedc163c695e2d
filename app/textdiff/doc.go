// Package textdiff compares texts: by lines, by words, and two with the one
// that both began from.
//
//   - [Unified] is the difference of two texts as `diff -u` prints it, a [Line]
//     at a time.
//   - [Words] is the difference by words, as a list of [Span] values that
//     together are either text.
//   - [Merge] is the three-way comparison: a list of [Hunk] values that say who
//     changed what.
//
// All functions are pure and safe for concurrent use. Their work is bounded:
// of texts that differ in very many lines, the middle counts as replaced as a
// whole. What they return is taken from the texts as it stands, not cleaned
// for a terminal.
package textdiff
