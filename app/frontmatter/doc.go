// Package frontmatter knows the fields of posts, whatever generator they were
// written for: YAML, TOML, JSON and the definitions of Franklin's Julia.
//
// [Parse] takes a front matter, as package markdown cuts it off a source, apart
// into [Fields]: a list of [Field] values with their names, values and lines.
// [Fields.Text], [Fields.Flag], [Fields.Words] and [Fields.Names] read them in
// all the ways that people write one thing. What a name means is in one table,
// keys.go: [Keys] returns the names by which a [Meaning] is known, the first
// that counts first. To support another generator's name, add it there.
//
// [Set] and [SetDraft] change one field of a source and no other bytes:
// comments, order, line ends, quotes and unknown fields stay. Nothing is
// encoded again. The place of the field is found (locate.go), the new value is
// written there (edits.go) in the manner of the old one (encode.go), and the
// result is read again and verified (verify.go): it counts only if this field
// says what it should and all others what they said. What cannot be verified
// so, such as anchors, tags and values of an unusual form, is refused with a
// plain reason.
//
// [ParseDate] reads dates as they are met in front matters, [NameDate] and
// [PathDate] those in the names of files and folders, and [ParseWhen] those that
// a person types at a prompt.
//
// All functions are pure and safe for concurrent use. Texts are bounded by
// whoever reads them; what aliases of YAML multiply is bounded here.
package frontmatter
