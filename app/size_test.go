package app

import "testing"

func TestSizes(t *testing.T) {
	for text, want := range map[string]size{
		"": 0, "all": 0, "500MB": 500 << 20, "2g": 2 << 30, "1024": 1024, "3 KiB": 3 << 10, "7b": 7, "1T": 1 << 40,
		"0": -1, "-5": -1, "MB": -1, "5PB": -1, "1.5G": -1, "9999999999T": -1, "5MM": -1, "five": -1,
	} {
		var got size
		err := got.UnmarshalText([]byte(text))
		if err != nil {
			got = -1
		}
		if got != want {
			t.Errorf("%q: %d %v, want %d", text, got, err, want)
		}
	}
}
