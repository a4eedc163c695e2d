package blog

import (
	"bytes"
	"path"
	"slices"

	"sheaf/app/markdown"
	"sheaf/app/store"
)

// A generator is recognised by what stands at the top of its folder.
type generator struct {
	dialect markdown.Dialect
	names   []string // of files, or of folders: any of them
	use     use
	when    func(top *generatorTop) bool // what must hold besides; nil: nothing
}

// A use says what the names of a generator are good for.
type use int

const (
	configures use = 1 << iota // they are files that configure it, not only folders it makes
	describes                  // they have fields that describe the site: title, author, ...
	isTop                      // where one stands is the top of a blog, whatever else is there
)

// siteFiles are the names of this program's own configuration.
var siteFiles = []string{"site.yaml", "site.yml"}

// generators is the one table of the names that tell generators, the first that
// fits first. Fields that describe a site are read in this order as well.
var generators = []generator{
	{markdown.Franklin, []string{"config.md"}, configures | describes | isTop, (*generatorTop).defines},
	{markdown.Hugo, []string{"hugo.toml", "hugo.yaml", "hugo.yml", "hugo.json"}, configures | describes | isTop, nil},
	{markdown.Zola, []string{"config.toml"}, configures | describes | isTop, (*generatorTop).isZola},
	{markdown.Hugo, []string{"config.toml"}, configures, func(top *generatorTop) bool {
		return top.has("content", "archetypes", "themes")
	}},
	{markdown.Hugo, []string{"config.yaml", "config.yml", "config.json"}, configures | describes,
		(*generatorTop).isHugo},
	{markdown.Hugo, []string{"config"}, configures, (*generatorTop).isHugo},
	{markdown.Jekyll, []string{"_config.yml", "_config.yaml", "_config.toml"}, configures | describes | isTop, nil},
	{markdown.MDX, []string{"astro.config.mjs", "astro.config.ts", "astro.config.js"}, configures | isTop, nil},
	{markdown.Eleventy, []string{".eleventy.js", "eleventy.config.js", "eleventy.config.mjs", "eleventy.config.cjs"},
		configures | isTop, nil},
	{markdown.Jekyll, []string{"_posts"}, isTop, nil},
	{markdown.Jekyll, []string{"_drafts"}, 0, nil},
	{markdown.Franklin, []string{"_layout"}, 0, func(top *generatorTop) bool { return top.has("_css", "_assets") }},
	{markdown.Obsidian, []string{".obsidian"}, isTop, nil},
}

// namesFor returns the names that are good for something, in order.
func namesFor(u use) []string {
	var names []string
	for _, g := range generators {
		if g.use&u != 0 {
			names = append(names, g.names...)
		}
	}
	return names
}

// generatorOf recognises the folder of a generator. config is what Franklin's or
// Zola's is configured by; configured means that a file says so, and not only
// the names of folders.
func generatorOf(folder *store.Worktree, d *store.Dir) (dialect markdown.Dialect, config []byte, configured bool) {
	top := &generatorTop{folder: folder, dir: d}
	for _, g := range generators {
		if top.has(g.names...) && (g.when == nil || g.when(top)) {
			return g.dialect, top.config, g.use&configures != 0
		}
	}
	return markdown.Auto, nil, false
}

// A generatorTop is a directory in which a generator is looked for.
type generatorTop struct {
	folder *store.Worktree
	dir    *store.Dir
	config []byte // what told Franklin or Zola
}

// has reports whether one of the names stands in the directory.
func (top *generatorTop) has(names ...string) bool { return slices.ContainsFunc(names, top.dir.Has) }

func (top *generatorTop) read(name string) []byte {
	b, _, _ := top.folder.ReadFile(path.Join(top.dir.Path, name), maxConfig)
	return b
}

// defines reports a config.md with definitions, which is Franklin's.
func (top *generatorTop) defines() bool {
	if !slices.Contains(top.dir.Files, "config.md") {
		return false
	}
	b := top.read("config.md")
	for _, mark := range []string{"@def ", "+++", `\newcommand`} {
		if bytes.Contains(b, []byte(mark)) {
			top.config = b
			return true
		}
	}
	return false
}

// isZola tells Zola's config.toml from Hugo's.
func (top *generatorTop) isZola() bool {
	b := top.read("config.toml")
	if !bytes.Contains(b, []byte("base_url")) || bytes.Contains(b, []byte("baseURL")) {
		return false
	}
	top.config = b
	return true
}

// isHugo reports the folders that tell Hugo's config.yaml from that of others.
func (top *generatorTop) isHugo() bool {
	return top.has("content") && top.has("archetypes", "themes", "layouts")
}
