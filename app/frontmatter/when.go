package frontmatter

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"sheaf/app/lazyregexp"
	"sheaf/app/markdown"
)

// What people type: "9:00", "9am"; "tomorrow 9:00"; "9am on friday"; "2 hours
// and 5 minutes", a span at a time.
var (
	clockAlone = lazyregexp.New(`^(?i)(?:at )?(\d{1,2})(?::(\d\d)(?::(\d\d))?)? ?([ap]m)?$`)
	dayClock   = lazyregexp.New(`^(?i)(.+?),? ` +
		`((?:at )?\d{1,2}(?::\d\d){0,2} ?(?:[ap]m)?|(?:at )?noon|(?:at )?midnight)$`)
	clockDay = lazyregexp.New(`^(?i)` +
		`((?:at )?\d{1,2}(?::\d\d){1,2} ?(?:[ap]m)?|\d{1,2} ?[ap]m|noon|midnight),? (?:on )?(.+)$`)
	span = lazyregexp.New(`^(\d{1,4}|an?|one) ?` +
		`(minutes?|mins?|months?|m|hours?|hrs?|h|days?|d|weeks?|w|years?)(?:$|,? and |,? ?)`)
)

// ParseWhen reads a date as people type it: "2026-12-01", "2026-12-01 9:00",
// "1 Dec", "tomorrow 9:00", "9am on friday", "in 2h", "18:30", RFC 3339, and
// what front matters may say. loc is the blog's zone. A day without a time is
// its beginning; a time without a day is the next one that comes; a weekday is
// never today. A time that clocks skip when they are put forward is an error.
func ParseWhen(text string, now time.Time, loc *time.Location) (time.Time, error) {
	if loc == nil {
		loc = time.Local
	}
	text = strings.Join(strings.Fields(text), " ")
	t, ok := time.Time{}, false
	if len(text) <= 100 {
		t, ok = parseWhen(text, now.In(loc))
	}
	if year := t.UTC().Year(); !ok || year < 1 || year > 9999 {
		return time.Time{}, fmt.Errorf("%q is not a date", markdown.Shorten(text, 40))
	}
	return t, nil
}

// parseWhen is ParseWhen for a text with single blanks, at now in the blog's
// zone.
func parseWhen(text string, now time.Time) (time.Time, bool) {
	if strings.EqualFold(text, "now") {
		return now.Truncate(time.Second), true
	}
	if t, ok := parseDelay(strings.ToLower(text), now); ok {
		return t, true
	}
	if strings.ContainsAny(text, ":mMnN") { // a lone number is no time
		if c, ok := parseTimeOfDay(text); ok {
			today := startOfDay(now)
			if t, ok := c.on(today); ok && t.After(now) {
				return t, true
			}
			return c.on(today.AddDate(0, 0, 1))
		}
	}
	if m := dayClock().FindStringSubmatch(text); m != nil {
		c, ok := parseTimeOfDay(m[2])
		if day, is := parseDay(m[1], now); ok && is && !strings.Contains(m[1], ":") {
			return c.on(day)
		}
	}
	if m := clockDay().FindStringSubmatch(text); m != nil {
		c, ok := parseTimeOfDay(m[1])
		if day, is := parseDay(m[2], now); ok && is && !strings.Contains(m[2], ":") {
			return c.on(day)
		}
	}
	return parseDay(text, now)
}

// parseDelay reads a distance from now: "in 2h", "1 day and 3 hours".
func parseDelay(s string, now time.Time) (time.Time, bool) {
	s = strings.TrimPrefix(s, "in ")
	t := now
	for first := true; s != "" || first; first = false {
		m := span().FindStringSubmatch(s)
		if m == nil {
			return t, false
		}
		s = s[len(m[0]):]
		n, err := strconv.Atoi(m[1])
		if err != nil {
			n = 1
		}
		switch unit := m[2]; {
		case strings.HasPrefix(unit, "mo"):
			t = t.AddDate(0, n, 0)
		case unit[0] == 'm':
			t = t.Add(time.Duration(n) * time.Minute)
		case unit[0] == 'h':
			t = t.Add(time.Duration(n) * time.Hour)
		case unit[0] == 'd':
			t = t.AddDate(0, 0, n)
		case unit[0] == 'w':
			t = t.AddDate(0, 0, 7*n)
		default:
			t = t.AddDate(n, 0, 0)
		}
	}
	return t.Truncate(time.Minute), true
}

// A timeOfDay is what a clock shows.
type timeOfDay struct{ hour, minute, second int }

// parseTimeOfDay reads "9:00", "9am", "at 18:30", "noon".
func parseTimeOfDay(s string) (c timeOfDay, ok bool) {
	switch strings.TrimPrefix(strings.ToLower(s), "at ") {
	case "noon":
		return timeOfDay{hour: 12}, true
	case "midnight":
		return timeOfDay{}, true
	}
	m := clockAlone().FindStringSubmatch(s)
	if m == nil {
		return c, false
	}
	c.hour, _ = strconv.Atoi(m[1])
	c.minute, _ = strconv.Atoi(m[2])
	c.second, _ = strconv.Atoi(m[3])
	switch half := strings.ToLower(m[4]); {
	case half != "" && (c.hour < 1 || c.hour > 12):
		return c, false
	case half == "pm" && c.hour < 12:
		c.hour += 12
	case half == "am" && c.hour == 12:
		c.hour = 0
	}
	return c, c.hour < 24 && c.minute < 60 && c.second < 60
}

// on is the moment of a day at which a clock shows c. There may be none, where
// clocks are put forward.
func (c timeOfDay) on(day time.Time) (time.Time, bool) {
	t := time.Date(day.Year(), day.Month(), day.Day(), c.hour, c.minute, c.second, 0, day.Location())
	return t, t.Hour() == c.hour && t.Minute() == c.minute
}

func startOfDay(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
}

// parseDay reads a day; one without a year is the next of that name.
func parseDay(s string, now time.Time) (time.Time, bool) {
	today := startOfDay(now)
	word := strings.ToLower(s)
	switch word {
	case "today":
		return today, true
	case "tomorrow":
		return today.AddDate(0, 0, 1), true
	case "day after tomorrow", "the day after tomorrow":
		return today.AddDate(0, 0, 2), true
	}
	for _, lead := range []string{"on ", "next ", "this "} {
		word = strings.TrimPrefix(word, lead)
	}
	for d := range 7 {
		day := today.AddDate(0, 0, d+1)
		if name := strings.ToLower(day.Weekday().String()); word == name || word == name[:3] {
			return day, true
		}
	}
	if t, err := ParseDate(s, now.Location()); err == nil {
		return t, true
	}
	if !strings.ContainsAny(s, "0123456789") || strings.Contains(s, ":") {
		return time.Time{}, false
	}
	for year := now.Year(); year < now.Year()+9; year++ { // 29 February may be far
		if t, err := wordedDate(fmt.Sprintf("%s %d", s, year), now.Location()); err == nil && !t.Before(today) {
			return t, true
		}
	}
	return time.Time{}, false
}
