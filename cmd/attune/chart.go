package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"
)

// line is one line of a chart: values at times, oldest first.
type line struct {
	name  string
	at    []time.Time
	value []float64
	live  []bool // marked with a star
}

const (
	// chartHeight is how many rows the values take: readable beside what was
	// typed before, on the smallest terminal.
	chartHeight = 14
	// minChart and maxChart bound the columns of a chart: below, dates do not fit,
	// and above, the eye finds no value at the left edge.
	minChart, maxChart = 40, 160
	// A braille character is a grid of dots.
	dotsWide, dotsHigh = 2, 4

	star = '★'
)

// marks are the points of one line and the next; lines are told apart by them
// also where there are no colours.
func marks() []rune { return []rune("●◆■▲○◇□△") }

// colours of lines, as ANSI codes, in the order of marks.
func colours() []string { return []string{"36", "33", "35", "32", "34", "31"} }

// canvas is a grid of braille characters, with marks over some of them.
type canvas struct {
	wide, high int // in characters
	dots       [][]rune
	over       [][]rune
	owner      [][]int // index of the line that was drawn last, from 1
}

func newCanvas(wide, high int) *canvas {
	c := &canvas{wide: wide, high: high}
	for range high {
		c.dots, c.over, c.owner = append(c.dots, make([]rune, wide)), append(c.over, make([]rune, wide)), append(c.owner, make([]int, wide))
	}
	return c
}

// set lights a dot; x counts from the left, y from the top.
func (c *canvas) set(x, y, owner int) {
	// The bits of a braille character, by column and row of the dot.
	bit := [dotsWide][dotsHigh]rune{{0x01, 0x02, 0x04, 0x40}, {0x08, 0x10, 0x20, 0x80}}
	col, row := x/dotsWide, y/dotsHigh
	c.dots[row][col] |= bit[x%dotsWide][y%dotsHigh]
	c.owner[row][col] = owner
}

// join draws a straight line of dots (J. E. Bresenham, Algorithm for computer
// control of a digital plotter, IBM Systems Journal 4, 1965).
func (c *canvas) join(x0, y0, x1, y1, owner int) {
	dx, dy := abs(x1-x0), -abs(y1-y0)
	sx, sy, err := sign(x1-x0), sign(y1-y0), dx+dy
	for {
		c.set(x0, y0, owner)
		if x0 == x1 && y0 == y1 {
			return
		}
		if 2*err >= dy {
			err += dy
			x0 += sx
		} else {
			err += dx
			y0 += sy
		}
	}
}

func abs(x int) int { return max(x, -x) }

func sign(x int) int { return min(1, max(-1, x)) }

// row is the text of one row.
func (c *canvas) row(y int, colour bool) string {
	var b strings.Builder
	for x := range c.wide {
		r := c.over[y][x]
		if r == 0 && c.dots[y][x] != 0 {
			r = 0x2800 + c.dots[y][x]
		}
		switch {
		case r == 0:
			b.WriteByte(' ')
		case colour:
			b.WriteString(painted(string(r), c.owner[y][x]-1))
		default:
			b.WriteRune(r)
		}
	}
	return strings.TrimRight(b.String(), " ")
}

func painted(text string, line int) string {
	return "\x1b[" + colours()[line%len(colours())] + "m" + text + "\x1b[0m"
}

// drawChart writes lines over time, columns wide, with axes and a legend. There
// must be a value in some line.
func drawChart(w io.Writer, lines []line, columns int, colour bool) error {
	low, high, from, to := bounds(lines)
	ticks, digits := niceTicks(low, high)
	low, high = min(low, ticks[0]), max(high, ticks[len(ticks)-1])
	margin := 0
	for _, t := range ticks {
		margin = max(margin, len(fmt.Sprintf("%.*f", digits, t)))
	}
	wide := min(maxChart, max(minChart, columns)) - margin - 2
	c := newCanvas(wide, chartHeight)
	x := func(at time.Time) int {
		if !to.After(from) {
			return wide * dotsWide / 2
		}
		return int(math.Round(float64(wide*dotsWide-1) * float64(at.Sub(from)) / float64(to.Sub(from))))
	}
	y := func(v float64) int {
		return int(math.Round(float64(chartHeight*dotsHigh-1) * (high - v) / (high - low)))
	}
	for i, l := range lines {
		for k := 1; k < len(l.at); k++ {
			c.join(x(l.at[k-1]), y(l.value[k-1]), x(l.at[k]), y(l.value[k]), i+1)
		}
	}
	anyLive := c.mark(lines, x, y)
	labels := map[int]string{}
	for _, t := range ticks {
		labels[y(t)/dotsHigh] = fmt.Sprintf("%.*f", digits, t)
	}
	var b strings.Builder
	for row := range chartHeight {
		edge := "│"
		if labels[row] != "" {
			edge = "┤"
		}
		fmt.Fprintf(&b, "%*s %s%s\n", margin, labels[row], edge, c.row(row, colour))
	}
	fmt.Fprintf(&b, "%*s └%s\n%*s%s\n", margin, "", strings.Repeat("─", wide), margin+2, "", timeAxis(from, to, wide))
	b.WriteString(legend(lines, anyLive, colour))
	_, err := io.WriteString(w, b.String())
	return err
}

// mark puts the points over the lines, stars last, so that none is hidden.
func (c *canvas) mark(lines []line, x func(time.Time) int, y func(float64) int) (anyLive bool) {
	for _, stars := range []bool{false, true} {
		for i, l := range lines {
			for k, at := range l.at {
				if l.live[k] != stars {
					continue
				}
				col, row := x(at)/dotsWide, y(l.value[k])/dotsHigh
				c.over[row][col], c.owner[row][col] = marks()[i%len(marks())], i+1
				if stars {
					c.over[row][col], anyLive = star, true
				}
			}
		}
	}
	return anyLive
}

func bounds(lines []line) (low, high float64, from, to time.Time) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, l := range lines {
		for k, at := range l.at {
			low, high = min(low, l.value[k]), max(high, l.value[k])
			if from.IsZero() || at.Before(from) {
				from = at
			}
			if at.After(to) {
				to = at
			}
		}
	}
	if high == low { // one value lies in the middle
		pad := max(math.Abs(high)/10, 0.01)
		low, high = low-pad, high+pad
	}
	return low, high, from, to
}

// niceTicks are about five round values that span low to high, and the digits
// after the point that tell them apart.
func niceTicks(low, high float64) (ticks []float64, digits int) {
	raw := (high - low) / 4
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	step := 10 * power
	for _, m := range []float64{1, 2, 5} {
		if m*power >= raw {
			step = m * power
			break
		}
	}
	digits = max(0, int(math.Ceil(-math.Log10(step)-1e-9)))
	for k := math.Floor(low/step + 1e-9); ; k++ {
		ticks = append(ticks, k*step)
		if k*step >= high-step*1e-9 {
			return ticks, digits
		}
	}
}

// timeAxis says when the chart begins, is half through, and ends.
func timeAxis(from, to time.Time, wide int) string {
	layout := time.DateOnly
	if to.Sub(from) < 48*time.Hour {
		layout = "01-02 15:04"
	}
	left, right := from.UTC().Format(layout), to.UTC().Format(layout)
	if !to.After(from) {
		return strings.Repeat(" ", (wide-len(left))/2) + left
	}
	middle := from.Add(to.Sub(from) / 2).UTC().Format(layout)
	rest := wide - len(left) - len(middle) - len(right)
	if rest < 4 {
		return left + strings.Repeat(" ", wide-len(left)-len(right)) + right
	}
	return left + strings.Repeat(" ", rest/2) + middle + strings.Repeat(" ", rest-rest/2) + right
}

func legend(lines []line, anyLive, colour bool) string {
	var parts []string
	for i, l := range lines {
		mark := string(marks()[i%len(marks())])
		if colour {
			mark = painted(mark, i)
		}
		parts = append(parts, mark+" "+l.name)
	}
	if anyLive {
		parts = append(parts, string(star)+" live")
	}
	return strings.Join(parts, "   ") + "\n"
}
