package blog

import (
	"bytes"
	"path"
	"slices"

	"sheaf/app/markdown"
	"sheaf/app/store"
)

// kindOf recognises the folder of a generator by what stands at its top.
// configured means that a file says so, not only the names of folders.
func kindOf(folder *store.Worktree, d *store.Dir) (kind markdown.Dialect, config []byte, configured bool) {
	has := d.Has
	read := func(name string) []byte {
		b, _, _ := folder.ReadFile(path.Join(d.Path, name), maxConfig)
		return b
	}
	if slices.Contains(d.Files, "config.md") {
		b := read("config.md")
		if bytes.Contains(b, []byte("@def ")) || bytes.Contains(b, []byte("+++")) || bytes.Contains(b, []byte(`\newcommand`)) {
			return markdown.Franklin, b, true
		}
	}
	switch {
	case has("hugo.toml") || has("hugo.yaml") || has("hugo.yml") || has("hugo.json"):
		return markdown.Hugo, nil, true
	case has("config.toml"):
		if b := read("config.toml"); bytes.Contains(b, []byte("base_url")) && !bytes.Contains(b, []byte("baseURL")) {
			return markdown.Zola, b, true
		}
		if has("content") || has("archetypes") || has("themes") {
			return markdown.Hugo, nil, true
		}
	case (has("config.yaml") || has("config.yml") || has("config.json") || has("config")) && has("content") &&
		(has("archetypes") || has("themes") || has("layouts")):
		return markdown.Hugo, nil, true
	case has("_config.yml") || has("_config.yaml") || has("_config.toml"):
		return markdown.Jekyll, nil, true
	case has("astro.config.mjs") || has("astro.config.ts") || has("astro.config.js"):
		return markdown.MDX, nil, true
	case has(".eleventy.js") || has("eleventy.config.js") || has("eleventy.config.mjs") || has("eleventy.config.cjs"):
		return markdown.Eleventy, nil, true
	case has("_posts") || has("_drafts"):
		return markdown.Jekyll, nil, false
	case has("_layout") && (has("_css") || has("_assets")):
		return markdown.Franklin, nil, false
	case has(".obsidian"):
		return markdown.Obsidian, nil, false
	}
	return markdown.Auto, nil, false
}
