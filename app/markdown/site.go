package markdown

import (
	"io"
	"io/fs"
	"path"
	"strings"

	"sheaf/app/srcmap"
)

// Site is what the folders around a post say about it. It is immutable, and
// may be nil.
type Site struct {
	dialect Dialect
	files   fs.FS
	macros  map[string]macro // of Franklin's config.md
	vars    map[string]any   // definitions there
}

// NewSite gathers what the folders around posts say. config is Franklin's
// config.md (nil for other dialects); files is the content root, from which
// pages may include files, and may be nil.
func NewSite(d Dialect, config []byte, files fs.FS) *Site {
	s := &Site{dialect: d, files: files, macros: map[string]macro{}, vars: map[string]any{}}
	if len(config) == 0 {
		return s
	}
	if len(config) > maxParsed {
		config = config[:maxParsed]
	}
	text := Clean(normalizeNewlines(string(config)))
	front, spans := juliaFront(text)
	for _, d := range front.Defs {
		s.vars[d.Name] = d.Value
	}
	p := &page{dialect: Franklin, macros: s.macros, labels: map[string]string{}, vars: s.vars}
	in := p.protect(withoutDefs(text, spans, 1))
	f := &franklin{page: p, w: srcmap.NewWriter(in)}
	f.convert(in, 0)
	return s
}

const maxIncluded = 256 << 10 // bytes of a file that a page includes

// readFile returns the text of the first of some paths that is a file below
// the content root and not too big.
func (p *page) readFile(paths ...string) (text string, ok bool) {
	if p.site == nil || p.site.files == nil {
		return "", false
	}
	for _, name := range paths {
		name = strings.TrimPrefix(path.Clean("/"+name), "/")
		if name == "" || !fs.ValidPath(name) {
			continue
		}
		if b, ok := readSmall(p.site.files, name); ok {
			return Clean(normalizeNewlines(string(b))), true
		}
	}
	return "", false
}

// readSmall reads a regular file of at most maxIncluded bytes.
func readSmall(files fs.FS, name string) (b []byte, ok bool) {
	f, err := files.Open(name)
	if err != nil {
		return nil, false
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil || !st.Mode().IsRegular() || st.Size() > maxIncluded {
		return nil, false
	}
	b, err = io.ReadAll(io.LimitReader(f, maxIncluded))
	return b, err == nil
}
