package markdown

import "bytes"

// A fenceState is the fenced code that lines stand in, as follow sees it.
type fenceState struct {
	char     byte // ` or ~; 0 outside of code
	run      int  // how many of it opened the code
	franklin bool // ~ marks raw HTML and no code
}

func (f fenceState) open() bool { return f.char != 0 }

// follow takes the next line of a text, without its end, and reports whether it
// is a fence: it opens code or closes the one that is open. Fences in quotes
// and lists are seen, but not that their end ends them.
func follow[T string | []byte](f *fenceState, line T) bool {
	i := 0
	for i < len(line) && (line[i] == ' ' || line[i] == '\t' || line[i] == '>') {
		i++
	}
	line = line[i:]
	if f.open() {
		if closesFence(line, f.char) < f.run {
			return false
		}
		f.char, f.run = 0, 0
		return true
	}
	n := opensFence(line)
	if n == 0 || line[0] == '~' && f.franklin {
		return false
	}
	f.char, f.run = line[0], n
	return true
}

// opensFence returns the length of the fence that opens code in a line, 0 if
// there is none. The line begins with the fence (CommonMark 4.5).
func opensFence[T string | []byte](line T) int {
	if len(line) < 3 || line[0] != '`' && line[0] != '~' {
		return 0
	}
	n := runOf(line, line[0])
	if n < 3 {
		return 0
	}
	for i := n; line[0] == '`' && i < len(line); i++ {
		if line[i] == '`' {
			return 0 // code in a line
		}
	}
	return n
}

// closesFence returns the length of the fence of c that a line is and has
// nothing behind, 0 if it is none.
func closesFence[T string | []byte](line T, c byte) int {
	n := runOf(line, c)
	if n < 3 {
		return 0
	}
	for i := n; i < len(line); i++ {
		if line[i] != ' ' && line[i] != '\t' && line[i] != '\r' {
			return 0
		}
	}
	return n
}

// OpenFence returns the line of the source, from 1, at which code begins that
// is never closed; 0 if there is none.
func (s *Source) OpenFence() int {
	code := fenceState{franklin: s.Dialect == Franklin}
	opened := 0
	for n, line := range bytes.Split(s.Body, []byte("\n")) {
		if follow(&code, line) && code.open() {
			opened = s.BodyLine + n
		}
	}
	if !code.open() {
		return 0
	}
	return opened
}

// runOf counts how often c stands at the beginning of s.
func runOf[T string | []byte](s T, c byte) int {
	n := 0
	for n < len(s) && s[n] == c {
		n++
	}
	return n
}
