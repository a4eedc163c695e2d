package frontmatter

import (
	"testing"
	"time"
)

func TestDates(t *testing.T) {
	dublin := time.FixedZone("", 3600)
	day := time.Date(2021, 4, 8, 0, 0, 0, 0, time.UTC)
	ten := time.Date(2021, 4, 8, 10, 0, 0, 0, time.UTC)
	for in, want := range map[string]time.Time{
		"2021-04-08": day, "2021-4-8": day, "2021/04/08": day, "2021.04.08": day, "20210408": day, "2021年4月8日": day,
		"8 April 2021": day, " 8 April 2021 ": day, "April 8, 2021": day, "Apr 8 2021": day, "8th April 2021": day,
		"April 8th, 2021": day, "the 8th of April, 2021": day, "Thursday, April 8, 2021": day, "8-Apr-2021": day, "8. April 2021": day,
		"Date(2021, 4, 8)": day, "Date(2021,4,8)": day, `Date("2021-04-08")`: day, "DateTime(2021, 4, 8, 10)": ten,
		"08.04.2021": day, "4/8/2021": day, "04/08/2021": day, "23/04/2021": day.AddDate(0, 0, 15),
		"2021-04": day.AddDate(0, 0, -7), "April 2021": day.AddDate(0, 0, -7),
		"2021-04-08T10:00:00Z": ten, "2021-04-08 10:00": ten, "2021-04-08 10:00:00": ten, "2021-04-08 10:00:00 UTC": ten,
		"2021-04-08T10:00:00+01:00":             time.Date(2021, 4, 8, 10, 0, 0, 0, dublin),
		"2021-04-08 10:00:00 +0100":             time.Date(2021, 4, 8, 10, 0, 0, 0, dublin),
		"2021-04-08 10:00:00 +1":                time.Date(2021, 4, 8, 10, 0, 0, 0, dublin),
		"2021-04-08T02:04:59.305Z":              time.Date(2021, 4, 8, 2, 4, 59, 305e6, time.UTC),
		"2021-04-08T02:04:59.305123456-07:00":   time.Date(2021, 4, 8, 9, 4, 59, 305123456, time.UTC),
		"Thu, 08 Apr 2021 10:00:00 +0000":       ten,
		"Thu Apr 8 10:00:00 2021":               ten,
		"Thu Apr 08 2021 10:00:00 GMT+0000 (Z)": ten,
		"8 Apr 2021 10:00 AM":                   ten, "April 8, 2021 at 10:00 PM": ten.Add(12 * time.Hour),
		"1617876000":              ten,
		"2021-04-08 11:00 GMT +1": ten,
	} {
		got, err := ParseDate(in, time.UTC)
		if err != nil || !got.Equal(want) {
			t.Errorf("%q: %v, %v; want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"", "tomorow", "yes", "2021", "2021-13-01", "2021-02-30", "31 April 2021", "2021-04-08 25:00", "Date(2021)x",
		"Date(x)", "Dates.today()", "2021-04-08 10:00 Nowhere", "12", "1.2.3", "99999999999999", "Date( )", "2021-04-08x", "-", "0000-00-00", "2021-04-08T", "2021-04-08 ("} {
		if got, err := ParseDate(in, time.UTC); err == nil {
			t.Errorf("%q is read as %v", in, got)
		}
	}
}
