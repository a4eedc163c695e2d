package fold

import (
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

func TestFold(t *testing.T) {
	for in, want := range map[string]string{
		"Plain Text\n":             "plain text\n",
		"Crème BRÛLÉE":             "creme brulee",
		"Straße, Æsir, œuvre, Þór": "strasse, aesir, oeuvre, thor",
		"Łódź, Đà Nẵng, Ørsted":    "lodz, da nang, orsted",
		"İstanbul, ısı":            "istanbul, isi",
		"naı\u0308ve":              "naive",
		"Ёлка":                     "елка",
		"Ἀθῆναι, ΛΌΓΟΣ, λόγος":     "αθηναι, λογοσ, λογοσ",
		"كِتابٌ، كتـاب، آب":        "کتاب، کتاب، اب",
		"שָׁלוֹם":                  "שלום",
		"हिन्दी":                   "हिन्दी",
		"ภาษาไทย ที่นี่":           "ภาษาไทย ที่นี่",
		"がぎぐ":                      "がぎぐ",
		norm.NFD.String("がぎぐ"):     "がぎぐ",
		"日本語のテキスト":                 "日本語のテキスト",
		"한국어":                      "한국어",
		norm.NFD.String("한국어"):     "한국어",
		"don’t":                    "don't",
		"می\u200cخواهم":            "میخواهم",
	} {
		if got := String(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// FuzzFold: folding twice is folding once, text composed or taken apart is the
// same text, lines stay lines, and a folded word is found where it stands.
func FuzzFold(f *testing.F) {
	for _, s := range []string{"Straße\nÉtude", "e\u0301\u0327x", "が한ᄒ", "\xff\xcc\x81", "İı", "ﷺ", "\u0344a", "a\u0300\u0316\u0301"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		folded := String(s)
		if again := String(folded); again != folded {
			t.Errorf("%q: once %q, twice %q", s, folded, again)
		}
		if n := strings.Count(folded, "\n"); n != strings.Count(s, "\n") {
			t.Errorf("%q: %d lines", s, n)
		}
		if strings.ToValidUTF8(s, "") == s {
			if apart := String(norm.NFD.String(s)); apart != String(norm.NFC.String(s)) {
				t.Errorf("%q: %q, taken apart %q", s, String(norm.NFC.String(s)), apart)
			}
		}
		if at := Index(s, []byte(folded)); folded != "" && (at < 0 || at >= len(s)) {
			t.Errorf("%q: %q at %d", s, folded, at)
		}
	})
}

func TestName(t *testing.T) {
	for _, pair := range [][2]string{{"A/b.md", "a/B.md"}, {"é.md", "e\u0301.md"}, {"É.md", "e\u0301.md"}, {"K.md", "k.md"}} {
		if Name(pair[0]) != Name(pair[1]) {
			t.Errorf("%q and %q are told apart", pair[0], pair[1])
		}
	}
	if Name("e.md") == Name("é.md") || Name("ß.md") == Name("ss.md") {
		t.Error("names that every disk keeps apart are one")
	}
}

func BenchmarkFold(b *testing.B) {
	for name, text := range map[string]string{
		"english": "The quick brown fox jumps over the lazy dog. ", "german": "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich. ",
		"russian": "Съешь же ещё этих мягких французских булок, да выпей чаю. ", "chinese": "我能吞下玻璃而不伤身体。", "japanese": "いろはにほへとちりぬるを。ガギグゲゴ。",
	} {
		s := []byte(strings.Repeat(text, 4000/len(text)+1))
		to := make([]byte, 0, 2*len(s))
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(s)))
			for b.Loop() {
				Append(to[:0], s)
			}
		})
	}
}
