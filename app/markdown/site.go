package markdown

import (
	"io"
	"io/fs"
	"path"
	"strings"
)

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
	p := &page{dialect: Franklin, macros: map[string]macro{}, labels: map[string]string{}, vars: s.vars}
	sh := p.protect(withoutDefs(text, spans, 1))
	f := &franklin{page: p, w: newMappedWriter(sh)}
	f.convert(sh, 0)
	s.macros = p.macros
	return s
}

// readFile reads the first of the paths that is a file below the content root.
func (p *page) readFile(tries ...string) (string, bool) {
	if p.site == nil || p.site.files == nil {
		return "", false
	}
	for _, t := range tries {
		t = strings.TrimPrefix(path.Clean("/"+t), "/")
		if t == "" || !fs.ValidPath(t) {
			continue
		}
		g, err := p.site.files.Open(t)
		if err != nil {
			continue
		}
		st, err := g.Stat()
		if err == nil && st.Mode().IsRegular() && st.Size() <= 256<<10 {
			b, err := io.ReadAll(io.LimitReader(g, 256<<10))
			g.Close()
			if err == nil {
				return Clean(normalizeNewlines(string(b))), true
			}
			continue
		}
		g.Close()
	}
	return "", false
}

// Site is what the folders around a post say about it. It is immutable and
// may be nil.
type Site struct {
	dialect Dialect
	files   fs.FS
	macros  map[string]macro // of Franklin's config.md
	vars    map[string]any
}
