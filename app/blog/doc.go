// Package blog is a folder of posts, understood: what a post is, who may see
// it, and how the whole looks at one moment.
//
// Open reads the folder and keeps up with it. What there is at one moment is
// an Edition: immutable, shared by all sessions, swapped as a whole; nobody
// who reads one takes a lock. The files that have not changed keep their
// *Post from one edition to the next, so that whatever is cached by a post or
// by its document stays good. Edition.Superseded is closed when the next one
// is out.
//
// The only way to an edition is a Visitor, and there are three kinds. A reader
// gets published posts and pages. An author also gets drafts, posts whose
// time has not come or is over, broken posts, and the problems. This is
// decided when an edition is made (edition.go) and nowhere else: a reader's
// edition does not hold the rest, so no question to it can tell a draft from
// nothing. A guest has an edition of one post, which an author shares by a
// token that cannot be guessed (previews.go), until that is revoked.
//
// From a file to a post: scan.go says which files are posts and pages, package
// frontmatter takes a front matter apart, entry.go says what its fields make of
// a post, site.go what a folder's configuration says, generators.go and
// section.go which generator a folder is written for. Only an index is kept of
// a post: its text is parsed when it is first read (post.go) and kept in a
// bounded cache (documents.go).
//
// What only authors may do is in the methods of Author, which a Visitor gives
// away to nobody else. Whatever the channel, a set of files is one Change
// (change.go) and ends in Author.Commit (commit.go): it is judged on the
// edition that it would make (review.go), by the same checks as `sheaf check`,
// then made durable by the store, then shown; what is wrong with any of it
// refuses all of it. One goroutine owns what is known of the files (index.go),
// so that there is one change at a time. actions.go changes a post that is
// there, a field at a time (frontmatter.Set) and by bytes, newpost.go begins
// one, history.go brings back what was; files.go says who may fetch what. What
// is changed by hand is shown first and goes into the history after that.
//
// What an author writes in the browser is judged while it is typed, by the same
// checks and without being kept (inspect.go), filled in as a form (form.go),
// put aside so that no word is lost (autosave.go), and saved only over what it
// began from (editing.go).
//
// Addresses are kept: where a commit gives a post another slug or path, its
// record says so, and the old address leads to the post for as long as no
// other has it. A post without a date that came through a channel has the day of
// its first commit.
//
// A bad file never hides the others: it becomes a Problem with its path, line
// and reason.
package blog
