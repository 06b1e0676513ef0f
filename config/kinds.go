package config

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// The kinds of variables. Each holds the text of the environment; its methods read a text that check has found no fault
// with, and return the zero value for any other.
type (
	text   string // any text
	number string // a whole number within the field's min and max
	toggle string // true or false
	choice string // one of the field's words
	list   string // comma-separated texts
	secret string // a text that is never printed
)

// int returns the number.
func (n number) int() int {
	value, _ := strconv.Atoi(string(n))
	return value
}

// times returns the number as a duration counted in the unit given.
func (n number) times(unit time.Duration) time.Duration {
	return time.Duration(n.int()) * unit
}

// bool returns the truth value.
func (t toggle) bool() bool {
	value, _ := strconv.ParseBool(string(t))
	return value
}

// items returns the texts of the list without the space around them, nil when there are none.
func (l list) items() []string {
	var items []string
	for item := range strings.SplitSeq(string(l), ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

// within reports whether the number is whole and within the bounds; an empty bound is none.
func (n number) within(lowest, highest string) bool {
	value, err := strconv.Atoi(string(n))
	return err == nil && value >= bound(lowest, math.MinInt) && value <= bound(highest, math.MaxInt)
}

func bound(text string, otherwise int) int {
	if value, err := strconv.Atoi(text); err == nil {
		return value
	}
	return otherwise
}
