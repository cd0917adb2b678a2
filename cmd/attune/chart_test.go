package main

import (
	"flag"
	"math"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

var rewrite = flag.Bool("rewrite", false, "write testdata/chart again")

// daily makes a line with a value on each of some days of 2026.
func daily(name string, live int, values map[int]float64) line {
	l := line{name: name}
	for day := range 400 {
		if v, ok := values[day]; ok {
			l.at, l.value, l.live = append(l.at, time.Date(2026, 1, 1+day, 6, 0, 0, 0, time.UTC)), append(l.value, v), append(l.live, day == live)
		}
	}
	return l
}

func charts() map[string][]line {
	weekly := map[int]float64{}
	for week := range 20 {
		weekly[7*week] = 0.3 + 0.004*float64(week) + 0.01*math.Sin(float64(week))
	}
	return map[string][]line{
		"weekly": {daily("aws-user-personalization", 126, weekly), daily("aws-popularity-count", -1, map[int]float64{0: 0.21, 50: 0.22, 133: 0.2})},
		"one":    {daily("aws-sims", 3, map[int]float64{3: 0.0421})},
		"hours": {{name: "aws-trending-now", at: []time.Time{time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 1, 1, 7, 30, 0, 0, time.UTC)},
			value: []float64{12, 3400}, live: []bool{false, false}}},
	}
}

// TestChart draws what it always drew; look at testdata/chart after -rewrite.
func TestChart(t *testing.T) {
	for name, lines := range charts() {
		var got strings.Builder
		if err := drawChart(&got, lines, 80, false); err != nil {
			t.Fatal(err)
		}
		file := "testdata/chart/" + name + ".txt"
		if *rewrite {
			if err := os.WriteFile(file, []byte(got.String()), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got.String() != string(want) {
			t.Errorf("%s:\n%s\nand was\n%s", name, got.String(), want)
		}
	}
}

// TestChartFits: whatever the terminal and the values, nothing lies outside.
func TestChartFits(t *testing.T) {
	for _, columns := range []int{0, 40, 77, 500} {
		for _, values := range []map[int]float64{{1: 0}, {1: 5, 2: 5}, {1: -3, 2: 1e9, 300: 0.5}, {1: 1e-9, 9: 2e-9}, {5: 0.1, 6: 0.3, 7: 0.2}} {
			var got strings.Builder
			if err := drawChart(&got, []line{daily("x", 2, values)}, columns, false); err != nil {
				t.Fatal(err)
			}
			rows := strings.Split(strings.TrimSuffix(got.String(), "\n"), "\n")
			if len(rows) != chartHeight+3 {
				t.Errorf("%d columns, %v: %d rows", columns, values, len(rows))
			}
			for _, row := range rows {
				if n := utf8.RuneCountInString(row); n > min(maxChart, max(minChart, columns)) {
					t.Errorf("%d columns, %v: a row of %d", columns, values, n)
				}
			}
			if points := strings.Count(got.String(), "●") + strings.Count(got.String(), "★"); points < 2 {
				t.Errorf("%v: no points\n%s", values, got.String())
			}
		}
	}
	var got strings.Builder
	if err := drawChart(&got, charts()["weekly"], 80, true); err != nil || !strings.Contains(got.String(), "\x1b[36m●\x1b[0m") {
		t.Errorf("no colours: %v", err)
	}
}

func TestNiceTicks(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		digits    int
		first     float64
		last      float64
	}{{0, 1, 1, 0, 1}, {0.21, 0.39, 2, 0.2, 0.4}, {12, 3400, 0, 0, 4000}, {-0.5, 0.5, 1, -0.5, 0.5}} {
		ticks, digits := niceTicks(c.low, c.high)
		if digits != c.digits || math.Abs(ticks[0]-c.first) > 1e-9 || math.Abs(ticks[len(ticks)-1]-c.last) > 1e-9 || len(ticks) > 7 {
			t.Errorf("%g to %g: %v with %d digits", c.low, c.high, ticks, digits)
		}
	}
}
