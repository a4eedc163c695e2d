package tui

import (
	"slices"

	"sheaf/app/blog"
)

const draftsName = "drafts"

// hidden gives what readers do not see.
func hidden(e *blog.Edition) (posts []*blog.Post) {
	for _, p := range e.Posts() {
		if !p.State.Visible() {
			posts = append(posts, p)
		}
	}
	return posts
}

// ordered gives the posts as lists show them: what readers do not see, to
// authors, before everything else.
func ordered(e *blog.Edition) []*blog.Post {
	if first := hidden(e); len(first) > 0 {
		return hiddenFirst(e.Posts())
	}
	return e.Posts()
}

func hiddenFirst(posts []*blog.Post) []*blog.Post {
	posts = slices.Clone(posts)
	slices.SortStableFunc(posts, func(a, b *blog.Post) int {
		switch x, y := a.State.Visible(), b.State.Visible(); {
		case x == y:
			return 0
		case x:
			return 1
		}
		return -1
	})
	return posts
}
