// Package transfer serves the programs that copy files to and from a blog:
// sftp, scp in both its protocols, sshfs, rsync and git. Authors publish with
// them, readers fetch what is public.
//
// A [Transfer], made by [New], serves any number of sessions at the same time.
// The server describes a client by a [Session] and hands it to [Transfer.SFTP]
// for the subsystem "sftp", or to [Transfer.Exec] for a command that
// [IsCopyCommand] knows. For git the program has one more duty: git runs it as
// its pre-receive hook, so main calls [Hook] when [IsHook] says so.
//
// # What becomes of files
//
// The blog decides, whatever the program. A set of files becomes one
// blog.Change, which is made whole or refused whole. The outcome, a line for
// each post, goes to the session's standard error, which every client shows:
//
//	published  ssh -t blog.example rain
//	sheaf: not published: posts/rain.md:3: date "31 Smarch 2024" is not a date
//
// A connection that was cut looks like a client that has finished. So before a
// set is committed, Session.Alive is asked whether the client still answers.
//
// # The programs
//
// sftp has no notion of a set. Each file is published when it is closed, and
// renaming and removing take effect at once (sftp.go, sftp_upload.go,
// sftp_rename.go). Three kinds of files live only as long as the session and
// are seen by nobody else: those whose names cannot be part of a blog
// (temporary files of editors, .x.swp, x~), empty ones, and refused ones. The
// text of a refused post is autosaved as well, and its author finds it in the
// browser. Editors on an sshfs mount therefore work: a file renamed to a post's
// name is published, and a post that is first renamed to a backup (x.md~) is
// not removed in between.
//
// The older scp protocol sends sets (scp.go).
//
// rsync and git are the programs of these names, which have to be installed.
// rsync works on a copy of the files (rsync.go), git on a repository that is a
// view of the blog's history (git.go). Neither sees the content folder, a shell
// or the environment of the server, and only arguments on a short list are
// passed on from the client.
//
// # Bounds
//
// Nothing is read into memory before its size is known to be allowed. A set
// holds at most 20,000 files and 512 MiB. An sftp session has at most 16 files
// open and holds at most 64 MiB; all of authors together hold 256 MiB. What is
// sent is a file on the disk, one for all sessions that send the same
// (pool.go). A program that runs has limits of memory and time (program.go).
package transfer
