package tui

import (
	"fmt"
	"time"

	"sheaf/app/blog"
)

// ago tells how long ago something was, in one unit.
func ago(t, now time.Time) string {
	switch d := now.Sub(t); {
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", int(d/time.Minute))
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h ago", int(d/time.Hour))
	case d < 30*24*time.Hour:
		return count(int(d/(24*time.Hour)), "day") + " ago"
	}
	return "on " + t.Format("2 Jan 2006")
}

func count(n int, what string) string { return fmt.Sprintf("%d %s", n, plural(n, what)) }

// until tells how far in the future something is.
func until(t, now time.Time) string {
	switch d := t.Sub(now); {
	case d < time.Hour:
		return fmt.Sprintf("in %d min", int((d+time.Minute-1)/time.Minute))
	case d < 48*time.Hour:
		return fmt.Sprintf("in %d h", int(d/time.Hour))
	case d < 100*24*time.Hour:
		return fmt.Sprintf("in %d days", int(d/(24*time.Hour)))
	}
	return t.Format("Jan 2006")
}

// badge is what authors see instead of a date if readers do not see a post:
// why.
func badge(p *blog.Post, now time.Time) string {
	switch p.State {
	case blog.Draft:
		return "draft"
	case blog.Scheduled:
		return until(p.Due(), now)
	case blog.Expired:
		return "expired"
	case blog.Broken:
		return "problem"
	}
	return ""
}

// fullTime writes a time in full, in the blog's time zone.
func (b *browser) fullTime(t time.Time) string {
	return t.In(b.zone()).Format("Monday, 2 January 2006, 15:04 MST")
}

func (b *browser) zone() *time.Location {
	if loc := b.edition.Site().Location; loc != nil {
		return loc
	}
	return time.Local
}
