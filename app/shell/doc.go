// Package shell is the words of `ssh HOST WORD`: what scripts and people in a
// hurry ask a blog.
//
// Run answers one command line. Text goes to Out, reasons to Err as
// "sheaf: what: why" with a line "hint: ..." below where there is something
// to try. The status is 0 when it was done, 1 when it was refused or not
// found, 2 when the command was not understood.
//
// What comes out has no escape codes unless the caller allows colour, is cut
// to the terminal's width when there is one and complete when there is none,
// and holds no control character but line ends, whatever stands in a post.
// The one exception is `cat` into a pipe, which is the file byte for byte.
// JSON keeps its fields: new ones may come, none goes or changes its meaning.
//
// The verbs of authors end in the blog's own checks and answer with its
// receipt on Out, or with its reasons on Err. What they read from In is
// published only when the client still answers after its end.
//
// Who may see what is decided by the Visitor's edition alone: a draft and a
// post that does not exist are the same error here.
package shell
