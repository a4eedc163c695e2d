package terminal

import (
	"slices"
	"strings"
	"testing"
)

func said(events []Event) (keys []string) {
	for _, e := range events {
		switch {
		case e.Key != "":
			keys = append(keys, e.Key)
		case e.Kind == Paste:
			keys = append(keys, "paste:"+e.Text)
		case e.Kind == Attributes:
			keys = append(keys, "attributes")
		case e.Kind == DarkBackground:
			keys = append(keys, "dark")
		case e.Kind == LightBackground:
			keys = append(keys, "light")
		}
	}
	return keys
}

func TestKeys(t *testing.T) {
	for in, want := range map[string]string{
		"jjjjj":                               "j j j j j",
		"é語\t \r\n":                           "é 語 tab space enter enter",
		"\x1b[A\x1b[B\x1bOC\x1bOD":            "up down right left",
		"\x1b[H\x1b[F\x1b[1~\x1b[4~":          "home end home end",
		"\x1b[5~\x1b[6~\x1b[3~":               "pgup pgdown delete",
		"\x1b[Z\x1b[1;3D\x1b[1;3C\x1b[1;5A":   "shift+tab alt+left alt+right ctrl+up",
		"\x01\x04\x15\x7f\b":                  "ctrl+a ctrl+d ctrl+u backspace backspace",
		"\x1bx":                               "alt+x",
		"\x1b\x1b[A":                          "esc up",
		"\x1b[27u\x1b[106u\x1b[100;5u":        "esc j ctrl+d",
		"\x1b]11;rgb:ffff/ffff/ffff\x07j":     "light j",
		"\x1b]11;rgb:1c/1c/1c\x1b\\":          "dark",
		"\x1b]11;rgb:bad\x07j":                "j",
		"\x1b[?62;1;6c":                       "attributes",
		"\x1b[200~two\nlines\x1b[A\x1b[201~j": "paste:two\nlines\x1b[A j",
		"\x1b[<0;3;4Mj":                       "j",
		"\x1b[[A\x1b[[Ej":                     "f1 f5 j",
		"\x1b]11;rgb:ffff\x18j":               "j",
		"\x1bé\x1b\xc3j":                      "alt+é j",
		"\x1b[12\x1b[A":                       "up",
		"\xff\xfe\x9bAj":                      "A j",
	} {
		// Whole, and cut in two at every place: but an escape that ends a
		// packet may be the key.
		for cut := range len(in) {
			if cut > 0 && in[cut-1] == '\x1b' && !strings.ContainsAny(in[cut:cut+1], "[O]") {
				continue
			}
			var d Decoder
			var got []Event
			if cut > 0 {
				got = d.Feed([]byte(in[:cut]))
			}
			got = append(got, d.Feed([]byte(in[cut:]))...)
			if keys := strings.Join(said(got), " "); keys != want {
				t.Errorf("%q cut at %d: %q, want %q", in, cut, keys, want)
			}
		}
	}
}

func TestEscapeAloneIsAKey(t *testing.T) {
	var d Decoder
	if got := d.Feed([]byte("\x1b")); len(got) > 0 || !d.Waiting() {
		t.Fatalf("%v, waiting %v", got, d.Waiting())
	}
	if got := said(d.Flush()); !slices.Equal(got, []string{"esc"}) {
		t.Errorf("after the wait: %v", got)
	}
	d.Feed([]byte("\x1b"))
	if got := said(d.Feed([]byte("gg"))); !slices.Equal(got, []string{"esc", "g", "g"}) {
		t.Errorf("in two packets: %v", got)
	}
}

// What a terminal may send without end is not kept.
func TestInputIsBounded(t *testing.T) {
	var d Decoder
	d.Feed([]byte("\x1b[200~"))
	for range 100 {
		d.Feed([]byte(strings.Repeat("x", 4096)))
	}
	if n := cap(d.pasted); n > 2*DefaultMaxPaste {
		t.Errorf("%d bytes of a paste are kept", n)
	}
	if got := said(d.Feed([]byte("\x1b[201~j"))); !slices.Equal(got, []string{"j"}) {
		t.Errorf("after an endless paste: %v", got)
	}
	d = Decoder{}
	d.Feed([]byte("\x1b]11;"))
	for range 100 {
		d.Feed([]byte(strings.Repeat("x", 4096)))
	}
	if got := said(d.Feed([]byte("\x07j"))); !slices.Equal(got, []string{"j"}) {
		t.Errorf("after an endless string: %v", got)
	}
}

func FuzzDecoder(f *testing.F) {
	f.Add([]byte("\x1b[200~a\x1b[201~\x1b]11;rgb:ff/ff/ff\x07"), 3)
	f.Add([]byte("\x1b\x1b[1;5Aé"), 1)
	f.Fuzz(func(t *testing.T, in []byte, cut int) {
		var d Decoder
		for len(in) > 0 {
			n := min(max(cut, 1), len(in))
			d.Feed(in[:n])
			in = in[n:]
		}
		d.Flush()
	})
}
