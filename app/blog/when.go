package blog

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var (
	inWords    = regexp.MustCompile(`^(?:in )?(\d{1,4}) ?(m|min|mins|minute|minutes|h|hour|hours|d|day|days|w|week|weeks|month|months)$`)
	clockWords = regexp.MustCompile(`^(?:at )?(\d{1,2})(?::(\d{2}))? ?(am|pm)?$`)
)

// ParseWhen reads a date as people type it: "2026-12-01", "2026-12-01 9:00",
// "1 Dec 2026", "tomorrow 9:00", "friday 18:00", "in 2h", "18:30", RFC 3339.
// loc is the blog's zone. A day without a time is its beginning; a time without
// a day is the next one that comes.
func ParseWhen(text string, now time.Time, loc *time.Location) (time.Time, error) {
	if loc == nil {
		loc = time.Local
	}
	now = now.In(loc)
	text = strings.Join(strings.Fields(text), " ")
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04"} {
		if t, err := time.ParseInLocation(layout, text, loc); err == nil {
			return t, nil
		}
	}
	words := strings.ToLower(text)
	if words == "now" {
		return now.Truncate(time.Second), nil
	}
	if m := inWords.FindStringSubmatch(words); m != nil {
		n, _ := strconv.Atoi(m[1])
		switch m[2][0] {
		case 'h':
			return now.Add(time.Duration(n) * time.Hour).Truncate(time.Minute), nil
		case 'd':
			return now.AddDate(0, 0, n).Truncate(time.Minute), nil
		case 'w':
			return now.AddDate(0, 0, 7*n).Truncate(time.Minute), nil
		}
		if strings.HasPrefix(m[2], "mo") {
			return now.AddDate(0, n, 0).Truncate(time.Minute), nil
		}
		return now.Add(time.Duration(n) * time.Minute).Truncate(time.Minute), nil
	}
	day, rest, ok := dayWords(words, now)
	if !ok {
		rest = words
	}
	hour, minute, clock := clockOf(rest)
	switch {
	case ok && rest == "":
		return day, nil
	case !clock:
		return time.Time{}, fmt.Errorf("%q is not a date", cut(text, 40))
	case !ok && !strings.Contains(rest, ":") && !strings.HasSuffix(rest, "m"):
		return time.Time{}, fmt.Errorf("%q is not a date", cut(text, 40))
	case !ok:
		day = time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, loc)
		if t := onDay(day, hour, minute); t.After(now) {
			return t, nil
		}
		day = day.AddDate(0, 0, 1)
	}
	return onDay(day, hour, minute), nil
}

func onDay(day time.Time, hour, minute int) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day(), hour, minute, 0, 0, day.Location())
}

// clockOf reads "9:00", "9am", "at 18:30".
func clockOf(s string) (hour, minute int, ok bool) {
	m := clockWords.FindStringSubmatch(s)
	if m == nil {
		return 0, 0, false
	}
	hour, _ = strconv.Atoi(m[1])
	minute, _ = strconv.Atoi(m[2])
	switch {
	case m[3] != "" && (hour < 1 || hour > 12):
		return 0, 0, false
	case m[3] == "pm" && hour < 12:
		hour += 12
	case m[3] == "am" && hour == 12:
		hour = 0
	}
	return hour, minute, hour < 24 && minute < 60
}

// dayWords reads the day that s begins with, and gives what follows it.
func dayWords(s string, now time.Time) (day time.Time, rest string, ok bool) {
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	words := strings.Split(s, " ")
	after := func(n int) string { return strings.Join(words[n:], " ") }
	switch words[0] {
	case "today":
		return today, after(1), true
	case "tomorrow":
		return today.AddDate(0, 0, 1), after(1), true
	case "next", "on":
		if len(words) > 1 {
			return dayWords(after(1), now)
		}
	}
	for d := time.Sunday; d <= time.Saturday; d++ {
		if name := strings.ToLower(d.String()); words[0] == name || words[0] == name[:3] {
			ahead := (int(d) - int(now.Weekday()) + 7) % 7
			if ahead == 0 {
				ahead = 7
			}
			return today.AddDate(0, 0, ahead), after(1), true
		}
	}
	for _, n := range []int{3, 1} {
		if len(words) < n {
			continue
		}
		first := strings.Join(words[:n], " ")
		for _, layout := range []string{"2006-01-02", "2006/01/02", "2 Jan 2006", "2 January 2006", "Jan 2 2006", "January 2 2006", "January 2, 2006", "Jan 2, 2006", "2.1.2006"} {
			if t, err := time.ParseInLocation(layout, first, now.Location()); err == nil {
				return t, after(n), true
			}
		}
	}
	return time.Time{}, "", false
}
