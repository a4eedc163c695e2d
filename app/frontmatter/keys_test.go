package frontmatter

import (
	"slices"
	"testing"

	"sheaf/app/markdown"
)

func TestEveryMeaningHasKeys(t *testing.T) {
	for m := range other {
		keys := Keys(m)
		if len(keys) == 0 {
			t.Errorf("meaning %d has no keys", m)
		}
		for i, k := range keys {
			if KeyOf(k) != k {
				t.Errorf("%q is no key", k)
			}
			if slices.Contains(keys[:i], k) {
				t.Errorf("%q stands twice in one row", k)
			}
		}
		for _, k := range KeysIn(markdown.Franklin, m) {
			if !slices.Contains(keys, k) {
				t.Errorf("%q means %d in Franklin only", k, m)
			}
		}
	}
}

func TestMisspelt(t *testing.T) {
	for key, want := range map[string]string{
		"tgas": "tags", "titel": "title", "dat": "", "drft": "draft", "pubdte": "pubdate", "descripton": "description",
		"title": "", "tag": "", "link": "", "links": "", "status": "", "slugs": "", "autor": "author", "authorr": "author", "catagory": "category",
		"like": "", "border": "", "colour": "", "publishdat": "publishdate", "taxonomeis": "taxonomies",
	} {
		if got := Misspelt(key); got != want {
			t.Errorf("%q: %q, want %q", key, got, want)
		}
	}
}
