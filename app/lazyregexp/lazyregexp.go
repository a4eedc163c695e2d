// Package lazyregexp has [New], which puts off compiling a regular expression
// until it is first used. Most commands use none of the program's expressions,
// and all of them would wait for every one at their start.
package lazyregexp

import (
	"regexp"
	"sync"
)

// New returns a function that compiles expr on its first call and returns the
// same expression on every call. It may be called by many goroutines at once,
// and panics if expr is not valid.
func New(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}
