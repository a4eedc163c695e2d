package app

import (
	"fmt"
	"strconv"
	"strings"
)

// size is a number of bytes as people write it: 500MB, 2G, 1024, in powers of
// 1024. "all" and "" are no bound, which is 0.
type size int64

// UnmarshalText reads a size; the error says what a size is.
func (s *size) UnmarshalText(text []byte) error {
	word := strings.ToUpper(strings.TrimSpace(string(text)))
	if word == "ALL" || word == "" {
		*s = 0
		return nil
	}
	digits := strings.TrimRight(strings.TrimSuffix(strings.TrimSuffix(word, "B"), "I"), "KMGT")
	unit := strings.TrimSuffix(strings.TrimSuffix(word[len(digits):], "B"), "I")
	shift, ok := map[string]int{"": 0, "K": 10, "M": 20, "G": 30, "T": 40}[unit]
	n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
	if !ok || err != nil || n <= 0 || n > 1<<62>>shift {
		return fmt.Errorf("%q is not a size such as 500MB, nor all", text)
	}
	*s = size(n << shift)
	return nil
}
