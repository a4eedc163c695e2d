// Package shell answers `ssh HOST WORD`: what scripts, and people in a hurry,
// ask a blog.
//
// [Run] answers a [Call], which is one command line and where its answer goes.
// [IsVerb] tells whether a word is one of the commands; any other word is the
// address of a post, which is printed.
//
// Text goes to Out, reasons to Err as "sheaf: what: why", with a line
// "hint: ..." below where there is something to try. The exit status is 0 if
// the command was carried out, 1 if it was refused or found nothing, and 2 if
// it was not understood.
//
// The output has no escape codes unless the caller allows colour. It is cut to
// the terminal's width if there is one, and complete if there is none. It holds
// no control characters but line ends, whatever a post contains, with one
// exception: `cat` into a pipe is the file, byte for byte. Fields of JSON may
// be added; none goes away or changes its meaning.
//
// Authors' commands end in the blog's own checks. They answer with its receipt
// on Out, or with its reasons on Err. What they read from In is published only
// if the client still answers after the end of the input, which may have been
// cut.
//
// Who may see what is decided by the Visitor's edition alone: for a reader, a
// draft and a post that does not exist are the same error.
package shell
