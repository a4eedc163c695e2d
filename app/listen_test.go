package app

import "testing"

func TestSocketsOfSystemdAreForThisProcess(t *testing.T) {
	for _, c := range []struct {
		env  []string
		want int
		bad  bool
	}{
		{nil, 0, false},
		{[]string{"LISTEN_FDS=1"}, 0, false},
		{[]string{"LISTEN_PID=8", "LISTEN_FDS=1"}, 0, false},
		{[]string{"LISTEN_PID=7", "LISTEN_FDS=1"}, 1, false},
		{[]string{"LISTEN_PID=7", "LISTEN_FDS=2"}, 2, false},
		{[]string{"LISTEN_PID=7", "LISTEN_FDS=x"}, 0, true},
		{[]string{"LISTEN_PID=7", "LISTEN_FDS=-1"}, 0, true},
		{[]string{"LISTEN_PID=7"}, 0, true},
	} {
		if n, err := passedSockets(c.env, 7); n != c.want || (err != nil) != c.bad {
			t.Errorf("%v: %d %v", c.env, n, err)
		}
	}
}
