"""dulwich and pygit2 as clients of a repository, and as readers of its folder.

Reads one JSON object a line: do (clone, fetch, push, read), library, url, folder, and what the way needs: token, ssh
(a command line), version. Writes one: head of main, oid of what was pushed, or counts of what was read.
"""
import json
import sys


class Dulwich:
    def __init__(self, task):
        from dulwich.client import get_transport_and_path
        from dulwich.config import ConfigFile

        config = ConfigFile()
        config.set((b"http",), b"sslVerify", False)
        known = {"username": "x", "password": task["token"]} if "token" in task else {"ssh_command": task["ssh"]}
        self.client, self.path = get_transport_and_path(task["url"], config=config, quiet=True, **known)
        self.version = task.get("version")

    def take(self, repo):
        result = self.client.fetch(self.path, repo, protocol_version=self.version)
        for name, oid in result.refs.items():
            if name.startswith(b"refs/") and oid is not None and not name.endswith(b"^{}"):
                repo.refs[name] = oid
        return {"head": repo.refs[b"refs/heads/main"].decode()}

    def clone(self, task):
        from dulwich.repo import Repo

        with Repo.init_bare(task["folder"], mkdir=True) as repo:
            return self.take(repo)

    def fetch(self, task):
        from dulwich.repo import Repo

        with Repo(task["folder"]) as repo:
            return self.take(repo)

    def push(self, task):
        from dulwich.objects import Blob, Commit
        from dulwich.repo import Repo

        with Repo(task["folder"]) as repo:
            parent = repo[repo.refs[b"refs/heads/main"]]
            tree = repo[parent.tree]
            blob = Blob.from_string(b"by dulwich\n")
            tree.add(b"dulwich", 0o100644, blob.id)
            commit = Commit()
            commit.tree, commit.parents, commit.message = tree.id, [parent.id], b"by dulwich\n"
            commit.author = commit.committer = b"D <d@example.org>"
            commit.author_time = commit.commit_time = 1700006000
            commit.author_timezone = commit.commit_timezone = 0
            for one in (blob, tree, commit):
                repo.object_store.add_object(one)
            name = task["ref"].encode()
            result = self.client.send_pack(self.path, lambda _: {name: commit.id}, repo.generate_pack_data)
            assert not any((result.ref_status or {}).values()), result.ref_status
            return {"oid": commit.id.decode()}

    @staticmethod
    def read(task):
        from dulwich.repo import Repo

        with Repo(task["folder"]) as repo:
            objects = {oid for oid in repo.object_store if repo[oid].as_raw_string() is not None}
            commits = sum(1 for _ in repo.get_walker(include=[repo.refs[b"refs/heads/main"]]))
            return {"objects": len(objects), "commits": commits}


class Pygit2:
    def __init__(self, task):
        import pygit2

        class Callbacks(pygit2.RemoteCallbacks):
            def credentials(self, url, username_from_url, allowed_types):
                return pygit2.UserPass("x", task["token"])

            def certificate_check(self, certificate, valid, host):
                return True

            def push_update_reference(self, refname, message):
                assert message is None, message

        self.callbacks = Callbacks()

    def clone(self, task):
        import pygit2

        repo = pygit2.clone_repository(task["url"], task["folder"], bare=True, callbacks=self.callbacks)
        return {"head": str(repo.references["refs/heads/main"].target)}

    def fetch(self, task):
        import pygit2

        repo = pygit2.Repository(task["folder"])
        repo.remotes["origin"].fetch(["+refs/*:refs/*"], callbacks=self.callbacks)
        return {"head": str(repo.references["refs/heads/main"].target)}

    def push(self, task):
        import pygit2

        repo = pygit2.Repository(task["folder"])
        parent = repo[repo.references["refs/heads/main"].target]
        tree = repo.TreeBuilder(parent.tree)
        tree.insert("pygit2", repo.create_blob(b"by pygit2\n"), pygit2.GIT_FILEMODE_BLOB)
        who = pygit2.Signature("P", "p@example.org", 1700006000, 0)
        oid = repo.create_commit(task["ref"], who, who, "by pygit2\n", tree.write(), [parent.id])
        repo.remotes["origin"].push([task["ref"]], callbacks=self.callbacks)
        return {"oid": str(oid)}

    @staticmethod
    def read(task):
        import pygit2

        repo = pygit2.Repository(task["folder"])
        objects = {str(oid) for oid in repo if repo[oid].id == oid}
        commits = sum(1 for _ in repo.walk(repo.references["refs/heads/main"].target))
        return {"objects": len(objects), "commits": commits}


LIBRARIES = {"dulwich": Dulwich, "pygit2": Pygit2}

for line in sys.stdin:
    task = json.loads(line)
    library = LIBRARIES[task["library"]]
    asked = library if task["do"] == "read" else library(task)
    print(json.dumps(getattr(asked, task["do"])(task)), flush=True)
