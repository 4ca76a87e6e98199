// go-git as a client of a repository over HTTPS, and as a reader of its folder. Reads one JSON object a line and writes
// one, as git_clients.py does.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/transport/http"
)

type task struct {
	Do     string `json:"do"`
	URL    string `json:"url"`
	Token  string `json:"token"`
	Folder string `json:"folder"`
	Ref    string `json:"ref"`
}

const main_ = "refs/heads/main"

func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func head(repo *git.Repository) string {
	return must(repo.Reference(main_, true)).Hash().String()
}

func store(repo *git.Repository, one interface {
	Encode(plumbing.EncodedObject) error
}) plumbing.Hash {
	encoded := repo.Storer.NewEncodedObject()
	check(one.Encode(encoded))
	return must(repo.Storer.SetEncodedObject(encoded))
}

func blob(repo *git.Repository, content string) plumbing.Hash {
	encoded := repo.Storer.NewEncodedObject()
	encoded.SetType(plumbing.BlobObject)
	writer := must(encoded.Writer())
	must(writer.Write([]byte(content)))
	check(writer.Close())
	return must(repo.Storer.SetEncodedObject(encoded))
}

func answer(t task) map[string]any {
	auth := &http.BasicAuth{Username: "x", Password: t.Token}
	switch t.Do {
	case "clone":
		repo := must(git.PlainClone(t.Folder, true, &git.CloneOptions{URL: t.URL, Auth: auth, InsecureSkipTLS: true}))
		return map[string]any{"head": head(repo)}
	case "fetch":
		repo := must(git.PlainOpen(t.Folder))
		check(repo.Fetch(&git.FetchOptions{
			Auth: auth, InsecureSkipTLS: true, RefSpecs: []config.RefSpec{"+refs/heads/*:refs/heads/*"},
		}))
		return map[string]any{"head": head(repo)}
	case "push":
		repo := must(git.PlainOpen(t.Folder))
		parent := must(repo.CommitObject(plumbing.NewHash(head(repo))))
		tree := must(parent.Tree())
		entry := object.TreeEntry{Name: "zz-go-git", Mode: filemode.Regular, Hash: blob(repo, "by go-git\n")}
		who := object.Signature{Name: "G", Email: "g@example.org", When: time.Unix(1700006000, 0).UTC()}
		oid := store(repo, &object.Commit{
			Author: who, Committer: who, Message: "by go-git\n",
			TreeHash:     store(repo, &object.Tree{Entries: append(tree.Entries, entry)}),
			ParentHashes: []plumbing.Hash{parent.Hash},
		})
		check(repo.Storer.SetReference(plumbing.NewHashReference(plumbing.ReferenceName(t.Ref), oid)))
		check(repo.Push(&git.PushOptions{
			Auth: auth, InsecureSkipTLS: true, RefSpecs: []config.RefSpec{config.RefSpec(t.Ref + ":" + t.Ref)},
		}))
		return map[string]any{"oid": oid.String()}
	default:
		repo := must(git.PlainOpen(t.Folder))
		objects, commits := 0, 0
		check(must(repo.Storer.IterEncodedObjects(plumbing.AnyObject)).ForEach(func(plumbing.EncodedObject) error {
			objects++
			return nil
		}))
		check(must(repo.Log(&git.LogOptions{From: plumbing.NewHash(head(repo))})).ForEach(func(*object.Commit) error {
			commits++
			return nil
		}))
		return map[string]any{"objects": objects, "commits": commits}
	}
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var t task
		check(json.Unmarshal(lines.Bytes(), &t))
		fmt.Println(string(must(json.Marshal(answer(t)))))
	}
}
