package sshd

import (
	"errors"
	"strings"
)

var (
	errQuote     = errors.New("a quote is not closed")
	errBackslash = errors.New("a backslash at the end")
)

// words takes a command line apart: blanks separate, single quotes keep
// everything, double quotes keep all but backslash before one of "\$`, and a
// backslash keeps what follows it. There is no shell: nothing is expanded.
func words(line string) ([]string, error) {
	var (
		all  []string
		word strings.Builder
		in   bool // a word has begun, which may be empty
	)
	for i := 0; i < len(line); i++ {
		switch c := line[i]; c {
		case ' ', '\t', '\n', '\r':
			if in {
				all = append(all, word.String())
				word.Reset()
				in = false
			}
		case '\\':
			if i++; i == len(line) {
				return nil, errBackslash
			}
			word.WriteByte(line[i])
			in = true
		case '\'':
			n := strings.IndexByte(line[i+1:], '\'')
			if n < 0 {
				return nil, errQuote
			}
			word.WriteString(line[i+1 : i+1+n])
			i += n + 1
			in = true
		case '"':
			in = true
			for i++; ; i++ {
				if i >= len(line) {
					return nil, errQuote
				}
				if line[i] == '"' {
					break
				}
				if line[i] == '\\' && i+1 < len(line) && strings.IndexByte("\"\\$`", line[i+1]) >= 0 {
					i++
				}
				word.WriteByte(line[i])
			}
		default:
			word.WriteByte(c)
			in = true
		}
	}
	if in {
		all = append(all, word.String())
	}
	return all, nil
}
