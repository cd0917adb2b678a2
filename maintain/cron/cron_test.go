package cron_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/maintain/cron"
)

// wantNever fails unless err says that an expression never fires, and is about a wrong request.
func wantNever(t *testing.T, text string, err error) {
	t.Helper()
	if !errors.Is(err, cron.ErrNeverFires) || attune.KindOf(err) != attune.Invalid {
		t.Fatalf("%s never fires, and Parse says: %v", text, err)
	}
}

func parse(t testing.TB, text string) cron.Expression {
	t.Helper()
	e, err := cron.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestNext has the times of documented examples and of month ends, by hand.
func TestNext(t *testing.T) {
	for _, c := range []struct{ text, after, want string }{
		{"cron(0 10 * * ? *)", "2026-03-01T09:59:59Z", "2026-03-01T10:00:00Z"},
		{"cron(0 10 * * ? *)", "2026-03-01T10:00:00Z", "2026-03-02T10:00:00Z"},
		{"cron(15 12 * * ? *)", "2026-12-31T12:15:00Z", "2027-01-01T12:15:00Z"},
		{"cron(0 18 ? * MON-FRI *)", "2026-03-06T18:00:00Z", "2026-03-09T18:00:00Z"}, // over a weekend
		{"cron(0 8 1 * ? *)", "2026-03-01T08:00:00Z", "2026-04-01T08:00:00Z"},
		{"cron(0/15 * * * ? *)", "2026-03-01T08:50:00Z", "2026-03-01T09:00:00Z"},
		{"cron(0 9 ? * 2#1 *)", "2026-03-01T00:00:00Z", "2026-03-02T09:00:00Z"}, // 1 = Sunday: 2 is Monday
		{"cron(0 9 ? * fril *)", "2026-03-01T00:00:00Z", "2026-03-27T09:00:00Z"},
		{"cron(0 9 ? * L *)", "2026-03-01T00:00:00Z", "2026-03-07T09:00:00Z"}, // the last day of the week
		{"cron(0 9 L * ? *)", "2028-02-01T00:00:00Z", "2028-02-29T09:00:00Z"},
		{"cron(0 9 LW * ? *)", "2026-02-01T00:00:00Z", "2026-02-27T09:00:00Z"},  // the 28th is a Saturday
		{"cron(0 9 15W * ? *)", "2026-02-01T00:00:00Z", "2026-02-16T09:00:00Z"}, // a Sunday
		{"cron(0 9 1W * ? *)", "2026-08-01T00:00:00Z", "2026-08-03T09:00:00Z"},  // a Saturday
		{"cron(0 22-2/2 * * ? *)", "2026-03-01T00:00:00Z", "2026-03-01T02:00:00Z"},
		{"cron(0 0 29 2 ? *)", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z"}, // 2100 is no leap year
		{"cron(0 0 ? 12-1 SAT-SUN *)", "2026-03-01T00:00:00Z", "2026-12-05T00:00:00Z"},
		{"cron(0 0 1 1 ? 1970)", "1969-06-01T00:00:00Z", "1970-01-01T00:00:00Z"},
		{"rate(1 minute)", "2026-03-01T08:50:00Z", "2026-03-01T08:51:00Z"},
		{"rate(12 hours)", "2026-03-01T08:50:00.5Z", "2026-03-01T12:00:00Z"},
		{"rate(7 days)", "1960-01-01T00:00:00Z", "1970-01-01T00:00:00Z"},
	} {
		after, _ := time.Parse(time.RFC3339, c.after)
		if got, ok := parse(t, c.text).Next(after); !ok || got.Format(time.RFC3339) != c.want {
			t.Errorf("%s after %s: %s %v, want %s", c.text, c.after, got, ok, c.want)
		}
	}
}

func TestRateCanBeCountedFromAMoment(t *testing.T) {
	began := time.Date(2026, 3, 1, 8, 50, 7, 5, time.UTC)
	e := parse(t, "rate(2 hours)").Anchored(began)
	at := began
	for i := range 3 {
		next, ok := e.Next(at)
		if want := began.Truncate(time.Second).Add(time.Duration(i+1) * 2 * time.Hour); !ok || !next.Equal(want) {
			t.Fatalf("the %d. time is %s, want %s", i, next, want)
		}
		at = next
	}
	if every, ok := e.Every(); !ok || every != 2*time.Hour || e.Phase() != 50*time.Minute+7*time.Second {
		t.Errorf("every %s (%v), phase %s", every, ok, e.Phase())
	}
	if c := parse(t, "cron(0 3 * * ? *)"); !reflect.DeepEqual(c, c.Anchored(began)) {
		t.Error("an anchor changed cron(…)")
	}
}

// TestFaults: each error names the field and what to write.
func TestFaults(t *testing.T) {
	for text, want := range map[string]string{
		"":                                     "neither cron(…) nor rate(…): write it like",
		"0 3 * * ? *":                          "neither cron(…) nor rate(…)",
		"delete":                               "neither cron(…) nor rate(…)",
		"cron(0 3 * * ? *":                     "neither cron(…) nor rate(…)",
		"CRON(0 3 * * ? *)":                    "neither cron(…) nor rate(…)",
		"cron()":                               "it has 0 fields and needs 6",
		"cron(0 3 * * 1)":                      "it has 5 fields and needs 6: minutes hours day-of-month month day-of-week year, like cron(0 3 ? * MON *); the year is missing",
		"cron(0 3 * * * *)":                    "day-of-month * and day-of-week * are both given: write ? for the one that does not matter",
		"cron(0 3 1 * MON *)":                  "day-of-month 1 and day-of-week MON are both given",
		"cron(0 3 ? * ? *)":                    "both ?: write * for one of them",
		"cron(60 3 * * ? *)":                   "minutes: 60 is not from 0 to 59; write 0 to 59",
		"cron(0 24 * * ? *)":                   "hours: 24 is not from 0 to 23",
		"cron(? 3 * * ? *)":                    "minutes: ? is not understood",
		"cron(0 3 0 * ? *)":                    "day-of-month: 0 is not from 1 to 31",
		"cron(0 3 1,? * ? *)":                  "day-of-month: ? stands alone, not in a list",
		"cron(0 3 32W * ? *)":                  "day-of-month: 32W is not understood: W follows one day",
		"cron(0 3 1-5W * ? *)":                 "day-of-month: 1-5W is not understood",
		"cron(0 3 L-31 * ? *)":                 "day-of-month: L-31 is not understood: L counts back from the last day, L-1 to L-30",
		"cron(0 3 L3 * ? *)":                   "day-of-month: L3 is not understood",
		"cron(0 3 * 13 ? *)":                   "month: 13 is not from 1 to 12",
		"cron(0 3 * JANUARY ? *)":              "month: JANUARY is not understood; write 1 to 12 or JAN to DEC",
		"cron(0 3 ? * 0 *)":                    "day-of-week: 0 is not from 1 to 7; write 1 (SUN) to 7 (SAT)",
		"cron(0 3 ? * 2#6 *)":                  "day-of-week: 2#6 is not understood: # is followed by 1 to 5",
		"cron(0 3 ? * MON#L *)":                "day-of-week: MON#L is not understood",
		"cron(0 3 * * ? 1969)":                 "year: 1969 is not from 1970 to 2199",
		"cron(0 3 * * ? 2030-2026)":            "year: the range 2030-2026 ends before it begins",
		"cron(*/0 3 * * ? *)":                  "minutes: the step in */0 is not a number from 1 to 60",
		"cron(*/ 3 * * ? *)":                   "minutes: the step in */ is not a number",
		"cron(/5 3 * * ? *)":                   "minutes: a number is missing",
		"cron(1,,2 3 * * ? *)":                 "minutes: a number is missing",
		"cron(+1 3 * * ? *)":                   "minutes: +1 is not understood",
		"cron(1-2-3 3 * * ? *)":                "minutes: 2-3 is not understood",
		"rate(5 minute)":                       "unit: 5 goes with minutes, not with minute; write rate(5 minutes)",
		"rate(1 hours)":                        "unit: 1 goes with hour, not with hours; write rate(1 hour)",
		"rate(0 minutes)":                      "value: 0 is not a whole number from 1",
		"rate(1.5 hours)":                      "value: 1.5 is not a whole number from 1",
		"rate(5 weeks)":                        "unit: weeks is not one of minute, minutes",
		"rate(5)":                              "rate takes a value and a unit",
		"rate(40000 days)":                     "more than a hundred years",
		"cron(" + strings.Repeat("1,", 600):    "bytes long, and at most 1024 are read",
		"rate(99999999999999999999 days)":      "value: 99999999999999999999 is not a whole number",
		"cron(0 99999999999999999999 * * ? *)": "hours: 99999999999999999999 is not understood",
	} {
		_, err := cron.Parse(text)
		if err == nil || !strings.Contains(err.Error(), want) || attune.KindOf(err) != attune.Invalid || errors.Is(err, cron.ErrNeverFires) {
			t.Errorf("%q: %v\nwant %s", text, err, want)
		}
	}
}

func TestSchedulesThatNeverFire(t *testing.T) {
	for _, text := range []string{"cron(0 0 31 2 ? *)", "cron(0 0 30,31 2 ? *)", "cron(0 0 29 2 ? 2100)", "cron(0 0 31W 4,6,9,11 ? *)", "cron(0 0 L-30 2 ? *)", "cron(0 0 ? 2 1#5 2026)"} {
		_, err := cron.Parse(text)
		wantNever(t, text, err)
	}
	e := parse(t, "cron(0 0 1 1 ? 2020-2025)")
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	wantNever(t, e.String(), e.Check(now))
	if err := e.Check(now.AddDate(-1, 0, -1)); err != nil {
		t.Error(err)
	}
	wantNever(t, "the zero value", cron.Expression{}.Check(now))
}

// TestAge has the texts that the original's users write.
func TestAge(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"365 days": 365 * day, "1 second": time.Second, "one week": 7 * day, "two days": 2 * day, "0.5 days": 12 * time.Hour,
		"90 minutes": 90 * time.Minute, "1 month": 31 * day, "2 months": 59 * day, "1 year": 365 * day, "4 years": 1461 * day,
		"1 year and 1 month": 396 * day, "1 week, 2 days": 9 * day, "An Hour": time.Hour, "0 seconds": 0, " 3  hours ": 3 * time.Hour, "1 hr 30 mins": 90 * time.Minute,
	} {
		if got, err := cron.ParseAge(text); err != nil || got != want {
			t.Errorf("%q is %s (%v), want %s", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"": "it is empty", "garbage": "garbage is not a number", "1h30m": "1h30m is not a number", "7": "7 is without a unit", "days": "days is not a number",
		"1 fortnight": "fortnight is not a unit", "0.5 months": "parts of a month have no length", "-1 days": "-1 is not a number", "1e3 days": "1e3 is not a number",
		"1 day and": "and is not a number", "and 1 day": "and is not a number", "900 years": "more than 200 years", "99999999999999999999 days": "more than 200 years", "1.2.3 days": "1.2.3 is not a number",
	} {
		if _, err := cron.ParseAge(text); err == nil || !strings.Contains(err.Error(), want) || attune.KindOf(err) != attune.Invalid {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{"cron(0/5 3-1 LW,15W,L-3 jan,3-2/2 ? 2026/3)", "cron(0 0 ? * FRIL,2#1,L *)", "rate(5 minutes)", "cron(0 0 31 2 ? *)", " cron( 1  2 3 4 ? 5 ) "} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := cron.Parse(text)
		if err != nil {
			return
		}
		again, err := cron.Parse(e.String())
		if err != nil || !reflect.DeepEqual(e, again) || e.String() != again.String() {
			t.Fatalf("%q prints %s, which reads as %+v (%v)", text, e, again, err)
		}
		at, ok := e.Next(time.Date(1800, 1, 1, 0, 0, 0, 0, time.UTC))
		if !ok || at.Year() < cron.MinYear || at.Year() > cron.MaxYear {
			t.Fatalf("%q first fires at %s (%v)", text, at, ok)
		}
		if every, rate := e.Every(); rate != (every > 0) || rate != (e.Calendars() == nil) || !rate && !matches(e.Calendars(), at) {
			t.Fatalf("%q: its calendars do not have its first time %s: %+v", text, at, e.Calendars())
		}
	})
}

func FuzzParseAge(f *testing.F) {
	for _, text := range []string{"365 days", "one week and 2 days", "0.5 hours", "4 years"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if age, err := cron.ParseAge(text); age < 0 || err != nil && age != 0 {
			t.Fatalf("%q is %s (%v)", text, age, err)
		}
	})
}
