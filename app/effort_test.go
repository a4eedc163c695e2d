package app_test

import (
	"os"
	"testing"
	"time"
)

// patience is how long a test waits for what has to happen at once, on a
// machine that may have much else to do. Only a test that fails waits so long.
const patience = 30 * time.Second

// effort is how often a test that looks for rare failures repeats itself: less
// often with -short, and as often as a release deserves with
// SHEAF_TEST_EFFORT=full, which .ci/run sets.
func effort(short, usual, full int) int {
	switch {
	case testing.Short():
		return short
	case os.Getenv("SHEAF_TEST_EFFORT") == "full":
		return full
	}
	return usual
}

// slow keeps a test of some seconds out of -short.
func slow(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes some seconds")
	}
}

// eventually waits until something is so; said tells what is so instead, when
// the test fails for it.
func eventually(t testing.TB, what string, ok func() bool, said ...func() string) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
		if time.Now().After(end) {
			break
		}
	}
	why := ""
	for _, f := range said {
		why += "\n" + f()
	}
	t.Fatalf("not within %v: %s%s", patience, what, why)
}
