package blog

// Hold says that a kept text is being written now, in this session, for Held to
// tell the author's other sessions. Calling release ends that; a server that
// ends does too.
func (v Visitor) Hold(id string) (release func()) {
	if !v.author || id == "" {
		return func() {}
	}
	name := keptOf(v.name) + id
	v.blog.keeping.Lock()
	defer v.blog.keeping.Unlock()
	v.blog.held[name]++
	return func() {
		v.blog.keeping.Lock()
		defer v.blog.keeping.Unlock()
		if v.blog.held[name]--; v.blog.held[name] <= 0 {
			delete(v.blog.held, name)
		}
	}
}

// Held reports whether some session writes a kept text now.
func (v Visitor) Held(id string) bool {
	if !v.author {
		return false
	}
	v.blog.keeping.Lock()
	defer v.blog.keeping.Unlock()
	return v.blog.held[keptOf(v.name)+id] > 0
}
