package textdiff

import "bytes"

// A HunkKind says who has changed a piece of a text.
type HunkKind int

const (
	Same   HunkKind = iota // nobody
	Mine                   // only the one
	Theirs                 // only the other
	Both                   // both, and in the same way
	Clash                  // both, each in another way
)

// A Hunk is a piece of three texts, whole lines of each.
type Hunk struct {
	Kind               HunkKind
	Base, Mine, Theirs []byte
}

// Merge compares two texts with the one that both began from, by lines. All
// Base joined are base, all Mine are mine, all Theirs are theirs. The hunks
// share the bytes of the texts, and no hunk is empty.
func Merge(base, mine, theirs []byte) []Hunk {
	b, m, t := splitLines(base), splitLines(mine), splitLines(theirs)
	inMine, inTheirs := matchLines(b, m), matchLines(b, t)
	var out []Hunk
	add := func(kind HunkKind, b, m, t []byte) {
		if last := len(out) - 1; last >= 0 && out[last].Kind == Same && kind == Same {
			h := &out[last]
			h.Base = h.Base[:len(h.Base)+len(b)]
			h.Mine = h.Mine[:len(h.Mine)+len(m)]
			h.Theirs = h.Theirs[:len(h.Theirs)+len(t)]
			return
		}
		out = append(out, Hunk{kind, b, m, t})
	}
	// Offsets, in bytes, of what is in hunks already.
	fromB, fromM, fromT := 0, 0, 0
	take := func(text []byte, from *int, lines [][]byte) []byte {
		n := 0
		for _, l := range lines {
			n += len(l)
		}
		*from += n
		return text[*from-n : *from]
	}
	i, j, k := 0, 0, 0
	for i < len(b) || j < len(m) || k < len(t) {
		if i < len(b) && inMine[i] == j && inTheirs[i] == k {
			add(Same, take(base, &fromB, b[i:i+1]), take(mine, &fromM, m[j:j+1]), take(theirs, &fromT, t[k:k+1]))
			i, j, k = i+1, j+1, k+1
			continue
		}
		// On to the next line that all three have.
		to := i
		for to < len(b) && (inMine[to] < 0 || inTheirs[to] < 0) {
			to++
		}
		toM, toT := len(m), len(t)
		if to < len(b) {
			toM, toT = inMine[to], inTheirs[to]
		}
		x, y, z := take(base, &fromB, b[i:to]), take(mine, &fromM, m[j:toM]), take(theirs, &fromT, t[k:toT])
		kind := Clash
		switch {
		case bytes.Equal(y, z):
			kind = Both
		case bytes.Equal(x, z):
			kind = Mine
		case bytes.Equal(x, y):
			kind = Theirs
		}
		add(kind, x, y, z)
		i, j, k = to, toM, toT
	}
	return out
}

// matchLines returns for each line of a the line of b that it has become, -1
// for those that are gone.
func matchLines(a, b [][]byte) []int {
	to := make([]int, len(a))
	for _, s := range editScript(a, b) {
		switch s.kind {
		case ' ':
			to[s.a] = s.b
		case '-':
			to[s.a] = -1
		}
	}
	return to
}
