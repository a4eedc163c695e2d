package frontmatter

import (
	"testing"

	"sheaf/app/markdown"
)

// What an edit has done besides is found, wherever it is.
func TestVerify(t *testing.T) {
	const src = "---\ntitle: A\nx: [1, {y: 2}]\n---\n\n# Head\n\nText.\n"
	before, was, err := Read([]byte(src), markdown.Options{})
	if err != nil {
		t.Fatal(err)
	}
	path := []string{"title"}
	_, rest, _ := was.without(path)
	v := verifier{path: path, value: "B", before: before, rest: rest}
	for _, c := range []struct {
		name, out string
		ok        bool
	}{
		{"the title", "---\ntitle: B\nx: [1, {y: 2}]\n---\n\n# Head\n\nText.\n", true},
		{"in another place", "---\nx: [1, {y: 2}]\ntitle: B\n---\n\n# Head\n\nText.\n", true},
		{"another value", "---\ntitle: C\nx: [1, {y: 2}]\n---\n\n# Head\n\nText.\n", false},
		{"no value", "---\nx: [1, {y: 2}]\n---\n\n# Head\n\nText.\n", false},
		{"another field", "---\ntitle: B\nx: [1, {y: 3}]\n---\n\n# Head\n\nText.\n", false},
		{"a name", "---\ntitle: B\nX: [1, {y: 2}]\n---\n\n# Head\n\nText.\n", false},
		{"a field more", "---\ntitle: B\nx: [1, {y: 2}]\nz: 1\n---\n\n# Head\n\nText.\n", false},
		{"the text", "---\ntitle: B\nx: [1, {y: 2}]\n---\n\n# Head\n\nWords.\n", false},
		{"a line more", "---\ntitle: B\nx: [1, {y: 2}]\n---\n\n\n# Head\n\nText.\n", false},
		{"the kind", "+++\ntitle = \"B\"\nx = [1, {y = 2}]\n+++\n\n# Head\n\nText.\n", false},
		{"no end", "---\ntitle: B\nx: [1, {y: 2}]\n\n# Head\n\nText.\n", false},
	} {
		if ok := v.verify([]byte(c.out)); ok != c.ok {
			t.Errorf("%s: %v", c.name, ok)
		}
	}
}
