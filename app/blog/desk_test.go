package blog

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

func TestParseWhen(t *testing.T) {
	loc := time.FixedZone("CET", 3600)
	now := time.Date(2026, 11, 24, 15, 30, 20, 0, loc) // a Tuesday
	for text, want := range map[string]string{
		"2026-12-01":           "2026-12-01 00:00",
		"2026-12-01 9:00":      "2026-12-01 09:00",
		"2026-12-01T09:00":     "2026-12-01 09:00",
		"2026-12-01T09:00:00Z": "2026-12-01 10:00",
		"1 Dec 2026 9pm":       "2026-12-01 21:00",
		"December 1, 2026":     "2026-12-01 00:00",
		"tomorrow":             "2026-11-25 00:00",
		"Tomorrow 9:00":        "2026-11-25 09:00",
		"tomorrow at 9am":      "2026-11-25 09:00",
		"friday 18:00":         "2026-11-27 18:00",
		"tue":                  "2026-12-01 00:00",
		"in 2h":                "2026-11-24 17:30",
		"in 3 days":            "2026-11-27 15:30",
		"18:30":                "2026-11-24 18:30",
		"9:00":                 "2026-11-25 09:00",
		"":                     "",
		"tomorow":              "",
		"9":                    "",
		"25:00":                "",
		"2026-13-01":           "",
		"tomorrow 9:00 x":      "",
	} {
		got := ""
		if at, err := ParseWhen(text, now, loc); err == nil {
			got = at.In(loc).Format("2006-01-02 15:04")
		}
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestUnifiedTurnsOneTextIntoTheOther(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	text := func() []byte {
		var b strings.Builder
		for range r.IntN(30) {
			fmt.Fprintf(&b, "%c\n", 'a'+r.IntN(4))
		}
		return []byte(b.String())
	}
	for range 3000 {
		a, b := text(), text()
		var before, after strings.Builder
		dels := 0
		for _, s := range script(split(a), split(b)) {
			if s.kind != '+' {
				before.WriteString(string(s.line) + "\n")
			}
			if s.kind != '-' {
				after.WriteString(string(s.line) + "\n")
			}
			if s.kind != ' ' {
				dels++
			}
		}
		if before.String() != string(a) || after.String() != string(b) {
			t.Fatalf("%q to %q: steps from %q to %q", a, b, before.String(), after.String())
		}
	}
	got := ""
	for _, l := range unified([]byte("a\nb\nc\nd\ne\nf\ng\n"), []byte("a\nb\nc\nd\nX\nf\ng\n")) {
		got += string(l.Kind) + l.Text + "\n"
	}
	if want := "@@@ -2,6 +2,6 @@\n b\n c\n d\n-e\n+X\n f\n g\n"; got != want {
		t.Errorf("%s", got)
	}
}
