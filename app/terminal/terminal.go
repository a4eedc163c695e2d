// Package terminal knows the escape sequences that travel between a terminal
// and a program, in both directions.
//
// A [Painter] sends: it owns the screen, remembers the [Frame] that it shows
// and writes what the next one changes. A [Decoder] receives: it turns what a
// terminal sends into an [Event] for each key, paste and movement of the mouse.
// An [InputFilter] stands before any program that reads from a terminal and
// bounds what has no end of its own.
//
// Filter and decoder follow sequences by the same state machine (scanner.go),
// so that what one lets through the other understands in the same way.
//
// The sequences are those of ECMA-48 and of xterm's ctlseqs; bracketed paste,
// the mouse in SGR form (1006), synchronised output (2026) and keys by their
// code point (CSI u) are extensions that terminals which do not know them
// ignore.
package terminal
