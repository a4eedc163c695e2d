// Package blog makes a folder of posts into a blog: what a post is, who may see
// it, who may change it, and how the whole looks at one moment.
//
// # Reading
//
// A Blog reads a folder and follows its changes. A Visitor is somebody who looks
// at it, and an Edition is what the visitor sees at one moment: immutable,
// shared by all sessions, replaced as a whole. Nobody who reads one takes a lock.
// Edition.Superseded is closed when the next one is out. A post that has not
// changed keeps its *Post from one edition to the next, so what is cached for a
// post or for its document stays valid.
//
// There are three kinds of visitors. A reader sees published posts and pages. An
// author also sees drafts, posts whose time has not come or is over, broken
// posts, and the problems. A guest sees the one post that an author shares by a
// token that cannot be guessed (previews.go), until that is revoked. Who sees
// what is decided when an edition is made (snapshot.go), and nowhere else: a
// readers' edition does not hold the rest, so no question to it can tell a draft
// from nothing.
//
// From a file to a post: scan.go says which files are posts and pages, package
// frontmatter parses their fields, entry.go says what the fields make of a post,
// site.go reads the configuration of a folder, generators.go and section.go tell
// which generator a folder was written for. Only the metadata is kept in memory
// (index.go). A text is parsed when somebody first reads it (post.go), and kept
// in a bounded cache (documents.go). slugs.go decides which post gets a slug,
// addresses.go how else it is found.
//
// # Changing
//
// What only authors may do is in the methods of Author. A Visitor is turned into
// an Author only if it is one, so readers cannot even ask.
//
// A Change is a set of files to put and remove (change.go). Whatever the channel
// it comes by, it ends in Author.Commit (commit.go): the change is judged by the
// edition that it would make (review.go), with the same checks as `sheaf check`;
// it is made durable by the store, and shown. If anything is wrong with it,
// nothing of it is done. One goroutine owns the index, so there is one change at
// a time, and the index that a change was judged by becomes the next one
// (index_commit.go): no file is read back. What is changed by hand is shown
// first and goes into the history after that.
//
// actions.go publishes, renames and removes a post: it changes a field of its
// front matter and no other byte. newpost.go begins a post, history.go brings
// back old versions, files.go says who may fetch which file.
//
// While an author writes, inspect.go judges the text with the same checks after
// every key, form.go fills in the front matter, autosave.go keeps the text so
// that no word is lost, and editing.go saves it, if nobody else has changed the
// post meanwhile.
//
// # What stays
//
// Addresses stay valid: when a commit gives a post another slug or path, its
// record says so, and the old address leads to the post as long as no other post
// has it. A post without a date has the day of its first commit, unless it was
// found in the folder.
//
// A bad file never hides the others: it becomes a Problem with path, line and
// reason.
package blog
