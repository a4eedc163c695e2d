package frontmatter

import (
	"testing"
	"time"
)

func TestParseWhen(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 24, 15, 30, 20, 0, berlin) // a Tuesday
	for text, want := range map[string]string{
		"2026-12-01":                  "2026-12-01 00:00",
		"2026-12-01 9:00":             "2026-12-01 09:00",
		"2026-12-01 at noon":          "2026-12-01 12:00",
		"2026-12-01T09:00":            "2026-12-01 09:00",
		"2026-12-01T09:00:00Z":        "2026-12-01 10:00",
		"2026-12-01 09:00 UTC":        "2026-12-01 10:00",
		"2026-07-01 09:00":            "2026-07-01 09:00",
		"1 Dec 2026 9pm":              "2026-12-01 21:00",
		"December 1, 2026":            "2026-12-01 00:00",
		"1 december":                  "2026-12-01 00:00",
		"Dec 1st, 9:00":               "2026-12-01 09:00",
		"1 november 9:00":             "2027-11-01 09:00",
		"24 Nov":                      "2026-11-24 00:00",
		"29 Feb":                      "2028-02-29 00:00",
		"today 23:59":                 "2026-11-24 23:59",
		"tomorrow":                    "2026-11-25 00:00",
		"Tomorrow  9:00":              "2026-11-25 09:00",
		"tomorrow at 9am":             "2026-11-25 09:00",
		"tomorrow 12am":               "2026-11-25 00:00",
		"9:00 tomorrow":               "2026-11-25 09:00",
		"the day after tomorrow":      "2026-11-26 00:00",
		"friday 18:00":                "2026-11-27 18:00",
		"on Friday at 6 pm":           "2026-11-27 18:00",
		"9am on friday":               "2026-11-27 09:00",
		"tue":                         "2026-12-01 00:00",
		"next tuesday 9:00":           "2026-12-01 09:00",
		"in 2h":                       "2026-11-24 17:30",
		"in 1h30m":                    "2026-11-24 17:00",
		"2 hours and 5 minutes":       "2026-11-24 17:35",
		"in 3 days":                   "2026-11-27 15:30",
		"in a week":                   "2026-12-01 15:30",
		"in 1 month":                  "2026-12-24 15:30",
		"In An Hour":                  "2026-11-24 16:30",
		"18:30":                       "2026-11-24 18:30",
		"9:00":                        "2026-11-25 09:00",
		"9am":                         "2026-11-25 09:00",
		"noon":                        "2026-11-25 12:00",
		"now":                         "2026-11-24 15:30",
		"2027-03-28 03:00":            "2027-03-28 03:00",
		"2027-03-28 02:30":            "", // the clocks are put forward
		"":                            "",
		"in":                          "",
		"in 2":                        "",
		"tomorow":                     "",
		"9":                           "",
		"25:00":                       "",
		"13pm":                        "",
		"9:60":                        "",
		"2026-13-01":                  "",
		"30 Feb":                      "",
		"tomorrow 9:00 x":             "",
		"tomorrow 9:00 10:00":         "",
		"in 9999 years":               "",
		"2026-12-01 9:00 9:00":        "",
		"yesterday":                   "",
		"\x1b[31m":                    "",
		"friday the 13th of whatever": "",
	} {
		got := ""
		at, err := ParseWhen(text, now, berlin)
		if err == nil {
			got = at.In(berlin).Format("2006-01-02 15:04")
		}
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// FuzzParseWhen: a date that is understood is the same when it is written out.
func FuzzParseWhen(f *testing.F) {
	for _, s := range []string{"tomorrow 9:00", "in 2h", "1 Dec 2026 9pm", "friday", "9am on 1 december", "2026-12-01T09:00:00+01:00", "in 1 day and 2 hours", "12/1/2026 noon", "0001-01-01T", "1 may 2026 9:00 GMT +1"} {
		f.Add(s)
	}
	now := time.Date(2026, 11, 24, 15, 30, 20, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		at, err := ParseWhen(s, now, time.UTC)
		if err != nil {
			return
		}
		text := at.UTC().Format("2006-01-02 15:04:05")
		again, err := ParseWhen(text, now, time.UTC)
		if err != nil || !again.Equal(at.Truncate(time.Second)) {
			t.Errorf("%q is %v; %q is %v, %v", s, at, text, again, err)
		}
	})
}
