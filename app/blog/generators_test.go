package blog

import (
	"os"
	"path/filepath"
	"testing"

	"sheaf/app/markdown"
	"sheaf/app/store"
)

func TestGeneratorOf(t *testing.T) {
	for _, c := range []struct {
		name       string
		files      []string
		dialect    markdown.Dialect
		configured bool
		top        bool // a blog's top, for `sheaf check`
	}{
		{"nothing", []string{"a.md", ""}, markdown.Auto, false, false},
		{"site.yaml", []string{"site.yaml", "title: A\n"}, markdown.Auto, false, true},
		{"Franklin", []string{"config.md", "@def a = 1\n"}, markdown.Franklin, true, true},
		{"a post called config", []string{"config.md", "How to.\n"}, markdown.Auto, false, true},
		{"Franklin's folders", []string{"_layout/a", "", "_css/b", ""}, markdown.Franklin, false, false},
		{"a layout alone", []string{"_layout/a", ""}, markdown.Auto, false, false},
		{"Hugo", []string{"hugo.yml", ""}, markdown.Hugo, true, true},
		{"Hugo's older name", []string{"config.toml", "baseURL = 1\n", "themes/a", ""}, markdown.Hugo, true, true},
		{"Hugo's folder", []string{"config/a.toml", "", "content/a.md", "", "layouts/a", ""}, markdown.Hugo, true, false},
		{"somebody's config.yaml", []string{"config.yaml", "", "themes/a", ""}, markdown.Auto, false, false},
		{"somebody's config.toml", []string{"config.toml", ""}, markdown.Auto, false, true},
		{"Zola", []string{"config.toml", "base_url = 1\n", "content/a.md", ""}, markdown.Zola, true, true},
		{"Jekyll", []string{"_config.yaml", ""}, markdown.Jekyll, true, true},
		{"Jekyll's posts", []string{"_posts/a.md", ""}, markdown.Jekyll, false, true},
		{"Jekyll's drafts", []string{"_drafts/a.md", ""}, markdown.Jekyll, false, false},
		{"Astro", []string{"astro.config.js", ""}, markdown.MDX, true, true},
		{"Eleventy", []string{".eleventy.js", ""}, markdown.Eleventy, true, true},
		{"Obsidian", []string{".obsidian/a", ""}, markdown.Obsidian, false, true},
		{"the first of two", []string{"hugo.toml", "", "_posts/a.md", ""}, markdown.Hugo, true, true},
	} {
		dir := t.TempDir()
		put(t, dir, c.files...)
		if err := os.Mkdir(filepath.Join(dir, ".git"), 0o755); err != nil { // ends the climb
			t.Fatal(err)
		}
		folder, err := store.View(dir)
		if err != nil {
			t.Fatal(err)
		}
		err = folder.Walk(func(d *store.Dir) []string {
			if dialect, _, configured := generatorOf(folder, d); dialect != c.dialect || configured != c.configured {
				t.Errorf("%s: %q, %v; want %q, %v", c.name, dialect, configured, c.dialect, c.configured)
			}
			return nil
		})
		folder.Close()
		if err != nil {
			t.Fatal(err)
		}
		if _, top := contentRoot(dir); top != c.top {
			t.Errorf("%s: a top is %v", c.name, top)
		}
	}
}
