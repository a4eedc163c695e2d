package sshd

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestSplitCommand(t *testing.T) {
	for _, c := range []struct {
		line string
		want []string
		err  error
	}{
		{"", nil, nil},
		{" \t\r\n ", nil, nil},
		{"ls", []string{"ls"}, nil},
		{"  search   two words ", []string{"search", "two", "words"}, nil},
		{`search "two words"`, []string{"search", "two words"}, nil},
		{`search 'two words'`, []string{"search", "two words"}, nil},
		{`a'b c'"d e"f\ g`, []string{"ab cd ef g"}, nil},
		{`x ''`, []string{"x", ""}, nil},
		{`x ""`, []string{"x", ""}, nil},
		{`'it'\''s'`, []string{"it's"}, nil},
		{`"a \"b\" \\ \$c \d"`, []string{`a "b" \ $c \d`}, nil},
		{`'a \ b'`, []string{`a \ b`}, nil},
		{"cat $(id) `id` ; rm * > x | y & #z", []string{"cat", "$(id)", "`id`", ";", "rm", "*", ">", "x", "|", "y", "&", "#z"}, nil},
		{"publish it's", nil, errQuote},
		{`cat "arriving`, nil, errQuote},
		{`cat "arriving\"`, nil, errQuote},
		{`cat '`, nil, errQuote},
		{`cat arriving\`, nil, errBackslash},
		{"schön 日本", []string{"schön", "日本"}, nil},
	} {
		got, err := splitCommand(c.line)
		if !slices.Equal(got, c.want) || !errors.Is(err, c.err) {
			t.Errorf("%q: %q %v, want %q %v", c.line, got, err, c.want, c.err)
		}
	}
}

// What a careful client quotes comes out as it went in.
func FuzzSplitCommand(f *testing.F) {
	f.Add("it's", `a "b"`)
	f.Add(`\`, "x\ny")
	f.Fuzz(func(t *testing.T, a, b string) {
		_, _ = splitCommand(a)
		quote := func(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
		got, err := splitCommand(quote(a) + " " + quote(b))
		if err != nil || !slices.Equal(got, []string{a, b}) {
			t.Errorf("%q %q: %q %v", a, b, got, err)
		}
	})
}
