package markdown

import "strings"

// eol returns the end of the line that holds at: the offset of its \n, or the
// length of s.
func eol(s string, at int) int {
	if nl := strings.IndexByte(s[at:], '\n'); nl >= 0 {
		return at + nl
	}
	return len(s)
}

// lineAt returns the rest of the line from at on.
func lineAt(s string, at int) string { return s[at:eol(s, at)] }

// lineAround returns the whole line that holds at.
func lineAround(s string, at int) string {
	return s[strings.LastIndexByte(s[:at], '\n')+1 : eol(s, at)]
}

// indentation returns the column to which the blanks and tabs at the start of
// s lead, and their number. A tab stop has four columns.
func indentation(s string) (column, n int) {
	for n < len(s) {
		switch s[n] {
		case ' ':
			column++
		case '\t':
			column += 4 - column%4
		default:
			return column, n
		}
		n++
	}
	return column, n
}

// listMarker returns the length of the bullet or number s begins with; 0: none.
func listMarker(s string) int {
	if s == "" {
		return 0
	}
	n := 0
	switch {
	case s[0] == '-' || s[0] == '*' || s[0] == '+':
		n = 1
	case s[0] >= '0' && s[0] <= '9':
		for n < len(s) && n < 9 && s[n] >= '0' && s[n] <= '9' {
			n++
		}
		if n == len(s) || s[n] != '.' && s[n] != ')' {
			return 0
		}
		n++
	default:
		return 0
	}
	if n < len(s) && s[n] != ' ' && s[n] != '\t' && s[n] != '\n' {
		return 0
	}
	return n
}

// isRule reports whether a line is a thematic break: three or more of one of
// - * _ and blanks.
func isRule(s string) bool {
	s = strings.TrimSpace(s)
	if len(s) < 3 || s[0] != '-' && s[0] != '*' && s[0] != '_' {
		return false
	}
	n := 0
	for i := range len(s) {
		if s[i] == s[0] {
			n++
		} else if s[i] != ' ' && s[i] != '\t' {
			return false
		}
	}
	return n >= 3
}

// blankPrefix turns the containers a line begins with into what the lines
// below it begin with: list markers become blanks.
func blankPrefix(prefix string) string {
	b := []byte(prefix)
	for i, c := range b {
		if c != '>' && c != ' ' && c != '\t' {
			b[i] = ' '
		}
	}
	return string(b)
}

// isLetter reports whether c is an ASCII letter.
func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
