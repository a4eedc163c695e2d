// Package transfer answers the programs that copy files: sftp, scp in both
// protocols, sshfs, rsync and git. Authors put files with them, readers fetch
// what is public.
//
// Whatever the program, the blog decides: a set of files ends in one
// blog.Change, which is made whole or refused whole, and its answer, a line for
// each post, goes to the standard error of the session, where every program
// shows it:
//
//	published  ssh -t blog.example rain
//	sheaf: not published: posts/rain.md:3: date "31 Smarch 2024" is not a date
//
// A client whose connection was cut looks like one that has finished; before a
// set is committed it is asked whether it is still there.
//
// sftp has no end of a set: it publishes each file when it is closed, and
// renames and removes at once (sftp.go, sftp_upload.go,
// sftp_rename.go). Names that cannot
// be part of a blog (the temporary files of editors, .x.swp, x~), empty files
// and texts that were refused live as long as the session and are seen by nobody
// else; the text of a refused post is put aside as well (blog.Kept), for its
// author to find in the browser. So an editor on an sshfs mount works: what it renames to a post's name at
// the end is published, and a post that it first renames to a backup (x.md~) is
// not removed in between.
//
// The older scp sends sets (scp.go). rsync and git are the programs of these
// names, which have to be installed: rsync works on a copy of the files
// (rsync.go), git on a repository that is a view of the blog's history (git.go).
// Neither sees the content folder, a shell, or the environment of the server,
// and of what a client asks them only what is on a short list reaches them.
//
// Nothing is read into memory that was not measured before. A session of sftp
// has at most 16 files open and holds at most 64 MiB, all together 256 MiB.
package transfer
