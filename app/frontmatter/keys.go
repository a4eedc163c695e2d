package frontmatter

import (
	"net/url"
	"slices"
	"strings"
	"sync"

	"sheaf/app/markdown"
)

// A Meaning is what a field is about, whatever its generator calls it.
type Meaning int

const (
	Title      Meaning = iota
	Date               // of the post
	Visible            // from when readers may see it, where that is not its date
	Expiry             // from when they may not any more
	Updated            // the last change worth telling
	Draft              // yes: readers do not see it
	Hidden             // the same, but no field to be added to a post
	Published          // no: readers do not see it; may be a date instead
	Status             // "draft": readers do not see it
	Unlisted           // yes: readers see it, but not in the list
	Page               // yes: in the menu, not in the list
	Layout             // "page": likewise
	Slug               // the last part of the address
	Address            // the whole of it, as the site had it on the web
	Aliases            // older ones
	Tags               // a list
	Keywords           // the same, for those who have no tags
	Categories         // tags as well
	Summary            // what it is about, in a sentence or two
	Authors            // a list of names
	Series             // what it is a part of
	Language           // of the text
	Weight             // its place in the menu
	External           // the address of a text that is elsewhere
	other              // what generators know and this program has no use for
)

// synonyms is the one table of the names that Hugo, Jekyll, Zola, Franklin,
// Astro, Eleventy, Obsidian, prose and bearblog give to one thing. Names stand
// in their short form (see KeyOf); of several in one front matter the first in
// the table counts. A row with a dialect stands for it instead of the general
// one.
//
// A misspelt field is measured against the names with a star only: short or
// rare names would have too many neighbours that are right as they are.
var synonyms = []struct {
	meaning Meaning
	dialect markdown.Dialect
	names   string
}{
	{Title, "", "title* rsstitle"},
	{Date, "", "date* pubdate* publishdate* published* publisheddate datepublished publishedat " +
		"created createdat createdate datetime rsspubdate day"},
	{Date, markdown.Franklin, "rsspubdate date* published* pubdate* publishdate*"},
	{Visible, "", "publishdate* scheduled schedule embargo"},
	{Expiry, "", "expirydate* expires expire unpublishdate expireson"},
	{Updated, "", "updated* lastmod* lastmodified modified lastmodifiedat updateddate updatedat " +
		"moddate datemodified lastupdated edited"},
	{Draft, "", "draft* isdraft"},
	{Hidden, "", "hidden*"},
	{Published, "", "published* publish"},
	{Status, "", "status state"},
	{Tags, "", "tags* tag"},
	{Keywords, "", "keywords*"},
	{Categories, "", "categories* category*"},
	{Slug, "", "slug*"},
	{Aliases, "", "aliases* alias redirectfrom* oldurl"},
	{Summary, "", "description* summary* rssdescription rss rssdescr excerpt* abstract descr subtitle* " +
		"lead metadescription"},
	{Authors, "", "authors* author* by byline"},
	{Series, "", "series*"},
	{Language, "", "lang* language* pagelang locale langcode"},
	{Language, markdown.Franklin, "pagelang locale langcode"}, // its lang is that of code
	{Page, "", "page* ispage"},
	{Address, "", "permalink* path* url*"},
	{Layout, "", "type* layout*"},
	{Weight, "", "weight* order navorder"},
	{Unlisted, "", "unlisted*"},
	{External, "", "external* externalurl externallink redirectto link"},
	{other, "", "image* cover* taxonomies* extra* template* menu* math* comments* toc* featured* params* license* " +
		"location* version*"},
}

// index is the table of synonyms, made for looking up.
type index struct {
	keys     [other][]string
	franklin [other][]string
	known    map[string]bool
	starred  []string
}

var indexed = sync.OnceValue(func() *index {
	x := &index{known: map[string]bool{}}
	for _, row := range synonyms {
		var keys []string
		for _, name := range strings.Fields(row.names) {
			key, starred := strings.CutSuffix(name, "*")
			keys = append(keys, key)
			x.known[key] = true
			if starred && !slices.Contains(x.starred, key) {
				x.starred = append(x.starred, key)
			}
		}
		switch {
		case row.meaning == other:
		case row.dialect == markdown.Franklin:
			x.franklin[row.meaning] = keys
		default:
			x.keys[row.meaning] = keys
		}
	}
	return x
})

// Keys returns the keys that mean m, the first that counts first. The slice
// must not be changed.
func Keys(m Meaning) []string { return indexed().keys[m] }

// KeysIn is Keys for a dialect that may have names of its own.
func KeysIn(d markdown.Dialect, m Meaning) []string {
	if d == markdown.Franklin {
		if keys := indexed().franklin[m]; keys != nil {
			return keys
		}
	}
	return Keys(m)
}

// Find returns the first field that means m and has a value; see Get.
func (fs Fields) Find(m Meaning) (Field, bool) { return fs.Get(Keys(m)...) }

// TextOf returns the first text that means m; see Text.
func (fs Fields) TextOf(m Meaning) string { return fs.Text(Keys(m)...) }

// KeyOf returns the short form of a field's name: lower case, without _, - and
// blanks. Names with one key are one name.
func KeyOf(name string) string {
	for i := range len(name) {
		if c := name[i]; c < 'a' || c > 'z' {
			return strings.Map(func(r rune) rune {
				if r == '_' || r == '-' || r == ' ' {
					return -1
				}
				return r
			}, strings.ToLower(name))
		}
	}
	return name
}

// Misspelt returns the known key that an unknown one is one slip of the pen
// away from, the shortest if there are several (author, not authors); "" if
// there is none or key is itself known.
func Misspelt(key string) string {
	x := indexed()
	if len(key) < 4 || x.known[key] {
		return ""
	}
	meant := ""
	for _, k := range x.starred {
		if len(k) < 4 || key == k+"s" || k == key+"s" {
			continue
		}
		if (meant == "" || len(k) < len(meant)) && oneSlip(key, k) {
			meant = k
		}
	}
	return meant
}

// oneSlip reports whether a letter more, a letter less, another letter or two
// exchanged make one of the other.
func oneSlip(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) < len(b) {
		return a[i:] == b[i+1:]
	}
	if i == len(a) {
		return false
	}
	return a[i+1:] == b[i+1:] || i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}

// NameOf returns the path of the field that means what name does ("date",
// "summary", "tags"; other names stand for themselves), spelt as the author has
// written it: "pubDate", "taxonomies.tags". What is not there yet gets the
// usual name.
func (fs Fields) NameOf(name string, d markdown.Dialect) string {
	switch KeyOf(name) {
	case "date":
		for _, k := range KeysIn(d, Date) {
			if f, ok := fs.Get(k); ok {
				if _, flag := fs.Flag(k); !flag || k != "published" {
					return f.Name
				}
			}
		}
	case "summary":
		if f, ok := fs.Find(Summary); ok {
			return f.Name
		}
		return "description"
	case "tags":
		if f, ok := fs.Find(Tags); ok {
			return f.Name
		}
		for _, table := range []string{"taxonomies", "extra"} {
			if f, ok := fs.Sub(table).Get("tags"); ok {
				return table + "." + f.Name
			}
		}
	}
	return name
}

// IsDraft reports whether the fields say that a post is a draft, in any of the
// ways there are.
func (fs Fields) IsDraft() bool {
	for _, m := range [...]Meaning{Draft, Hidden} {
		for _, k := range Keys(m) {
			if yes, _ := fs.Flag(k); yes {
				return true
			}
		}
	}
	for _, k := range Keys(Published) {
		if yes, set := fs.Flag(k); set && !yes {
			return true
		}
	}
	return strings.EqualFold(fs.TextOf(Status), "draft")
}

// maxTag bounds the bytes of a tag.
const maxTag = 80

// Tags returns the tags and categories, each once, without markup and #.
func (fs Fields) Tags() []string {
	var tags []string
	add := func(list []string) {
		for _, t := range list {
			t = strings.TrimSpace(strings.TrimPrefix(markdown.PlainLine(t), "#"))
			if t != "" && !slices.ContainsFunc(tags, func(o string) bool { return strings.EqualFold(o, t) }) {
				tags = append(tags, markdown.Shorten(t, maxTag))
			}
		}
	}
	tax := fs.Sub("taxonomies")
	for _, m := range []Meaning{Tags, Keywords, Categories} {
		if m == Keywords && len(tags) > 0 {
			continue
		}
		for _, k := range Keys(m) {
			add(fs.Words(k))
			add(tax.Words(k))
		}
	}
	if len(tags) == 0 {
		add(fs.Sub("extra").Words("tags"))
	}
	return tags
}

// External returns the address of a post whose text is elsewhere, "" if there
// is none that is whole and safe to show.
func (fs Fields) External() string {
	address := fs.TextOf(External)
	if address == "" || strings.ContainsAny(address, " ()<>\\") {
		return ""
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	return markdown.Clean(address)
}
