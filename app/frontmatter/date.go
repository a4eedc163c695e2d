package frontmatter

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
)

var errNotDate = errors.New("not a date")

// Date returns the field's value as a time. TOML and Julia have dates of their
// own, everything else is read by ParseDate. What names no zone is in loc.
func (f Field) Date(loc *time.Location) (time.Time, error) {
	switch v := f.Value.(type) {
	case time.Time: // TOML's offset date-times, Julia's dates (those in UTC)
		if v.Location() == time.UTC && v.Hour() == 0 && v.Minute() == 0 && v.Second() == 0 {
			return time.Date(v.Year(), v.Month(), v.Day(), 0, 0, 0, 0, loc), nil
		}
		return v, nil
	case toml.LocalDate:
		return v.AsTime(loc), nil
	case toml.LocalDateTime:
		return v.AsTime(loc), nil
	case int64:
		return ParseDate(strconv.FormatInt(v, 10), loc)
	case string:
		return ParseDate(v, loc)
	}
	return time.Time{}, errNotDate
}

// ParseDate understands every way of writing a date that is met in blogs:
// 2021-04-08 (also with / . or 年月日) with or without a time and a zone, RFC
// 3339 and 1123, 8 April 2021, April 8th, 2021, Thu 8 Apr 2021 10:00, Julia's
// Date(2021, 4, 8), 08.04.2021, 4/8/2021 (month first unless it cannot be),
// 2021-04, seconds since 1970.
func ParseDate(s string, loc *time.Location) (time.Time, error) {
	s = strings.TrimSpace(s)
	for _, name := range []string{"DateTime", "Date"} {
		if rest, ok := strings.CutPrefix(s, name); ok {
			rest = strings.TrimSpace(rest)
			if len(rest) > 2 && rest[0] == '(' && rest[len(rest)-1] == ')' {
				return juliaDate(rest[1:len(rest)-1], loc)
			}
		}
	}
	s = strings.Trim(s, "\"'")
	s = strings.TrimSpace(s)
	if len(s) < 6 || len(s) > 64 {
		return time.Time{}, errNotDate
	}
	if c := s[0]; c >= '0' && c <= '9' {
		if d, rest, ok := leadingDate(s); ok {
			return d.at(rest, loc)
		}
	}
	return wordedDate(s, loc)
}

// A date is a day, 0 where a part is not known.
type date struct{ year, month, day int }

// at is the moment at the clock and in the zone that rest names.
func (d date) at(rest string, loc *time.Location) (time.Time, error) {
	if d.month < 1 || d.month > 12 || d.day < 1 || d.year < 1 || d.year > 9999 {
		return time.Time{}, errNotDate
	}
	c, ok := parseClock(rest, loc)
	if !ok {
		return time.Time{}, errNotDate
	}
	t := time.Date(d.year, time.Month(d.month), d.day, c.hour, c.minute, c.second, c.nano, c.zone)
	if t.Day() != d.day {
		return time.Time{}, errNotDate // 31 April
	}
	return t, nil
}

// number reads the figures, ten at most, that s begins with; n is how many.
func number(s string) (v, n int) {
	for n < len(s) && n < 10 && s[n] >= '0' && s[n] <= '9' {
		v = v*10 + int(s[n]-'0')
		n++
	}
	return v, n
}

// leadingDate reads a date in figures at the start of s, and returns what may be
// a clock behind it. Of day and month the month is first between slashes, unless
// it cannot be.
func leadingDate(s string) (d date, rest string, ok bool) {
	a, n := number(s)
	switch {
	case n == 10 && len(s) == 10: // seconds
		t := time.Unix(int64(a), 0).UTC()
		return date{t.Year(), int(t.Month()), t.Day()}, t.Format(" 15:04:05Z"), true
	case n == 8: // 20210408
		return date{a / 10000, a / 100 % 100, a % 100}, s[8:], true
	case n == 4:
		sep, w := separator(s[n:])
		if w == 0 {
			return d, "", false
		}
		b, m := number(s[n+w:])
		if m == 0 || m > 2 {
			return d, "", false
		}
		s = s[n+w+m:]
		if s == "" {
			return date{a, b, 1}, "", sep == '-' || sep == '/'
		}
		sep2, w := separator(s)
		if w == 0 || sep2 != sep && sep != '年' {
			return d, "", false
		}
		if s = s[w:]; s == "" && sep2 == '月' {
			return date{a, b, 1}, "", true
		}
		c, m := number(s)
		if m == 0 || m > 2 {
			return d, "", false
		}
		return date{a, b, c}, strings.TrimPrefix(s[m:], "日"), true
	case n == 1 || n == 2:
		sep, w := separator(s[n:])
		if w != 1 || sep == '-' {
			return d, "", false
		}
		b, m := number(s[n+1:])
		if m == 0 || m > 2 || n+1+m >= len(s) || s[n+1+m] != byte(sep) {
			return d, "", false
		}
		c, k := number(s[n+2+m:])
		if k != 4 {
			return d, "", false
		}
		rest = s[n+2+m+k:]
		if sep == '/' && a <= 12 {
			return date{c, a, b}, rest, true
		}
		return date{c, b, a}, rest, true
	}
	return d, "", false
}

func separator(s string) (rune, int) {
	for _, sep := range []string{"-", "/", ".", "_", "年", "月"} {
		if strings.HasPrefix(s, sep) {
			return []rune(sep)[0], len(sep)
		}
	}
	return 0, 0
}

// A clock is a time of day in a zone.
type clock struct {
	hour, minute, second, nano int
	zone                       *time.Location
}

// parseClock reads an optional time of day and zone, in s whole: 10:00,
// T10:00:00.123Z, at 10:00 pm, 10:00 +0200, none. The zone is loc if it names
// none.
func parseClock(s string, loc *time.Location) (c clock, ok bool) {
	c.zone = loc
	s = strings.Trim(s, " ,\u00a0\u202f")
	if s == "" {
		return c, true
	}
	if s[0] == 'T' || s[0] == 't' || s[0] == '_' || s[0] == '-' {
		s = s[1:]
	}
	s = strings.TrimPrefix(s, "at ")
	var n int
	if c.hour, n = number(s); n == 0 {
		// A date with a zone and no clock is not worth an error.
		c.zone, ok = zoneOf(s)
		return c, ok
	}
	if n > 2 || n >= len(s) || s[n] != ':' {
		return c, false
	}
	s = s[n+1:]
	if c.minute, n = number(s); n != 2 {
		return c, false
	}
	s = s[n:]
	if strings.HasPrefix(s, ":") {
		if c.second, n = number(s[1:]); n != 2 {
			return c, false
		}
		c.nano, s = fraction(s[1+n:])
	}
	s = strings.TrimSpace(s)
	if len(s) >= 2 && (s[1]|0x20 == 'm') && (len(s) == 2 || s[2] == ' ') {
		switch {
		case s[0]|0x20 == 'p' && c.hour < 12:
			c.hour += 12
		case s[0]|0x20 == 'a' && c.hour == 12:
			c.hour = 0
		}
		s = strings.TrimSpace(s[2:])
	}
	if c.hour > 23 || c.minute > 59 || c.second > 60 {
		return c, false
	}
	if s != "" {
		c.zone, ok = zoneOf(s)
		return c, ok
	}
	return c, true
}

// fraction reads the fraction of a second that s may begin with.
func fraction(s string) (nano int, rest string) {
	if s == "" || s[0] != '.' && s[0] != ',' {
		return 0, s
	}
	scale := int(time.Second)
	for s = s[1:]; s != "" && s[0] >= '0' && s[0] <= '9'; s = s[1:] {
		scale /= 10
		nano += int(s[0]-'0') * scale
	}
	return nano, s
}

// zoneOf knows Z, offsets, the usual abbreviations and the names of the zone
// data base.
func zoneOf(s string) (*time.Location, bool) {
	if i := strings.IndexByte(s, '('); i > 0 { // JavaScript's GMT+0100 (Irish Standard Time)
		s = strings.TrimSpace(s[:i])
	}
	if rest := strings.TrimSpace(strings.TrimPrefix(s, "GMT")); rest != "" {
		s = rest
	}
	first, second, _ := strings.Cut(s, " ")
	if second != "" && (second[0] >= 'A' || second[0] == '+' || second[0] == '-') {
		s = first // "+0100 CET", as git and Ruby write it
	}
	if s == "" {
		return nil, false
	}
	switch s {
	case "Z", "z", "UTC", "GMT", "utc":
		return time.UTC, true
	}
	if s[0] == '+' || s[0] == '-' {
		digits := strings.ReplaceAll(s[1:], ":", "")
		v, n := number(digits)
		if n != len(digits) || n < 1 || n == 3 || n > 4 {
			return nil, false
		}
		if n <= 2 {
			v *= 100
		}
		off := (v/100*60 + v%100) * 60
		if off > 18*3600 {
			return nil, false
		}
		if s[0] == '-' {
			off = -off
		}
		return time.FixedZone("", off), true
	}
	if h, ok := zoneHours(s); ok {
		return time.FixedZone(s, h*3600), true
	}
	if strings.Contains(s, "/") {
		if z, err := time.LoadLocation(s); err == nil {
			return z, true
		}
	}
	return nil, false
}

// zoneHours returns the hours that an abbreviated zone is before UTC.
func zoneHours(s string) (int, bool) {
	switch s {
	case "WET":
		return 0, true
	case "CET", "BST", "WEST", "IST":
		return 1, true
	case "CEST", "EET":
		return 2, true
	case "EEST", "MSK":
		return 3, true
	case "JST", "KST":
		return 9, true
	case "EST", "CDT":
		return -5, true
	case "EDT":
		return -4, true
	case "CST", "MDT":
		return -6, true
	case "MST", "PDT":
		return -7, true
	case "PST":
		return -8, true
	}
	return 0, false
}

// wordedDate reads dates with the month's name, in any order of the parts.
func wordedDate(s string, loc *time.Location) (time.Time, error) {
	var d date
	rest := s
	for rest != "" && (d.year == 0 || d.month == 0 || d.day == 0) {
		rest = strings.TrimLeft(rest, " ,.-/\u00a0\u202f")
		if rest == "" {
			break
		}
		if v, n := number(rest); n > 0 {
			if n < len(rest) && rest[n] == ':' {
				break // the clock
			}
			if !d.takeNumber(v, n) {
				return time.Time{}, errNotDate
			}
			if rest = rest[n:]; n <= 2 {
				rest = trimOrdinal(rest)
			}
			continue
		}
		n := 0
		for n < len(rest) && isLetter(rest[n]) {
			n++
		}
		if n < 2 || !d.takeWord(strings.ToLower(rest[:n])) {
			return time.Time{}, errNotDate
		}
		rest = rest[n:]
	}
	if d.day == 0 && d.month != 0 && d.year != 0 && strings.TrimSpace(rest) == "" {
		d.day = 1 // April 2021
	}
	if d.year == 0 && d.day != 0 {
		// Thu Apr 8 10:00:00 2021, as `date` prints it.
		if i := strings.LastIndexByte(rest, ' '); i > 0 {
			if v, n := number(rest[i+1:]); n == 4 && i+1+n == len(rest) {
				d.year, rest = v, rest[:i]
			}
		}
	}
	return d.at(rest, loc)
}

// takeNumber takes a number of n figures for the day or the year.
func (d *date) takeNumber(v, n int) bool {
	switch {
	case n == 4 && d.year == 0:
		d.year = v
	case n <= 2 && d.day == 0:
		d.day = v
	default:
		return false
	}
	return true
}

// takeWord takes the name of the month, and what may stand in a date besides.
func (d *date) takeWord(word string) bool {
	if m := monthOf(word); m > 0 && d.month == 0 {
		d.month = m
		return true
	}
	return weekday(word) || word == "of" || word == "the" || word == "on"
}

// trimOrdinal takes away what may follow the figures of a day.
func trimOrdinal(s string) string {
	for _, suffix := range []string{"st", "nd", "rd", "th", "."} {
		if rest, ok := strings.CutPrefix(s, suffix); ok {
			return rest
		}
	}
	return s
}

// monthOf returns the number of a month from its name or the first three or
// four letters of it, 0 if it is none.
func monthOf(word string) int {
	for i, name := range [...]string{"january", "february", "march", "april", "may", "june", "july",
		"august", "september", "october", "november", "december"} {
		if word == name || len(word) >= 3 && len(word) <= 4 && strings.HasPrefix(name, word) {
			return i + 1
		}
	}
	return 0
}

// weekday reports the name of a day of the week, or its beginning.
func weekday(word string) bool {
	for _, name := range [...]string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"} {
		if len(word) >= 3 && strings.HasPrefix(name, word) {
			return true
		}
	}
	return false
}

// juliaDate reads the arguments of Date(2021, 4, 8) and DateTime(...).
func juliaDate(args string, loc *time.Location) (time.Time, error) {
	if args = strings.TrimSpace(args); strings.HasPrefix(args, "\"") {
		s, _, _ := strings.Cut(args[1:], "\"")
		return ParseDate(s, loc)
	}
	v := [7]int{0, 1, 1}
	for i, a := range strings.Split(args, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(a))
		if err != nil || i >= len(v) {
			return time.Time{}, errNotDate
		}
		v[i] = n
	}
	if v[3] > 23 || v[4] > 59 || v[5] > 59 || v[3] < 0 || v[4] < 0 || v[5] < 0 {
		return time.Time{}, errNotDate
	}
	t, err := date{v[0], v[1], v[2]}.at("", loc)
	if err != nil {
		return t, err
	}
	return t.Add(time.Duration(v[3])*time.Hour + time.Duration(v[4])*time.Minute + time.Duration(v[5])*time.Second), nil
}

// NameDate reads the date that a file's name begins or ends with and returns the
// rest of the name. A name that is nothing but a date stays as it is.
func NameDate(name string, loc *time.Location) (t time.Time, rest string, ok bool) {
	if d, n := dashedDate(name); n > 0 && (n == len(name) || strings.IndexByte("-_ ", name[n]) >= 0) {
		if t, err := d.at("", loc); err == nil {
			if rest = strings.TrimLeft(name[n:], "-_ "); rest == "" {
				rest = name
			}
			return t, rest, true
		}
	}
	for n := 8; n <= 10; n++ { // 2021-4-8 to 2021-04-08
		at := len(name) - n
		if at < 2 || name[at-1] != '-' && name[at-1] != '_' {
			continue
		}
		if d, m := dashedDate(name[at:]); m == n {
			if t, err := d.at("", loc); err == nil {
				return t, name[:at-1], true
			}
		}
	}
	return time.Time{}, name, false
}

// dashedDate reads YYYY-MM-DD or YYYY_MM_DD, also with single figures, at the
// start of a name; n is its length, 0 when there is none.
func dashedDate(s string) (d date, n int) {
	if len(s) < 8 || s[4] != '-' && s[4] != '_' {
		return d, 0
	}
	y, a := number(s[:4])
	m, b := number(s[5:])
	if a != 4 || b < 1 || b > 2 || 5+b >= len(s) || s[5+b] != s[4] {
		return d, 0
	}
	day, c := number(s[6+b:])
	if c < 1 || c > 2 {
		return d, 0
	}
	return date{y, m, day}, 6 + b + c
}

// BeginsWithDate reports whether a file's name begins with a date.
func BeginsWithDate(name string) bool {
	_, n := dashedDate(name)
	return n > 0
}

// PathDate finds folders YYYY/MM/DD (or one YYYY-MM-DD) in a path.
func PathDate(p string, loc *time.Location) (time.Time, bool) {
	parts := strings.Split(p, "/")
	for i := range parts {
		if d, n := dashedDate(parts[i]); n > 0 && n == len(parts[i]) {
			if t, err := d.at("", loc); err == nil {
				return t, true
			}
		}
		if i+2 < len(parts) && len(parts[i]) == 4 {
			y, n := number(parts[i])
			m, k := number(parts[i+1])
			d, l := number(parts[i+2])
			if n == 4 && y > 1900 && k == len(parts[i+1]) && k > 0 && k < 3 && l == len(parts[i+2]) && l > 0 && l < 3 {
				if t, err := (date{y, m, d}).at("", loc); err == nil {
					return t, true
				}
			}
		}
	}
	return time.Time{}, false
}
