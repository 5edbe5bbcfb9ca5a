//! The user a superuser's server runs as.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;
use std::process::Command;

use rustix::process::geteuid;

/// Another user than we are. There is none unless we are the superuser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl Owner {
    /// Whom a new cluster is to belong to: `postgres` if there is such a user, else `nobody`.
    pub(crate) fn of_new_cluster() -> io::Result<Option<Self>> {
        if !geteuid().is_root() {
            return Ok(None);
        }
        let users = fs::read_to_string("/etc/passwd")?;
        let found = ["postgres", "_postgres", "nobody"].iter().find_map(|name| Self::named(name, &users));
        found.map(Some).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::NotFound,
                "PostgreSQL does not run as root, and there is no user postgres or nobody to run it as",
            )
        })
    }

    /// Whom an existing cluster belongs to.
    pub(crate) fn of(data: &Path) -> io::Result<Option<Self>> {
        let found = fs::metadata(data)?;
        Ok(geteuid().is_root().then_some(Self { uid: found.uid(), gid: found.gid() }))
    }

    /// Gives this user a file or directory.
    pub(crate) fn take(self, path: &Path) -> io::Result<()> {
        chown(path, Some(self.uid), Some(self.gid))
    }

    /// True if this user can pass through a directory: found out by doing it, because modes
    /// alone do not tell (parents, access lists, security modules).
    pub(crate) fn can_enter(self, dir: &Path) -> io::Result<bool> {
        use std::os::unix::process::CommandExt;
        let mut ls = Command::new("ls");
        ls.arg("-d").arg(dir.join(".")).current_dir("/").uid(self.uid).gid(self.gid);
        Ok(ls.output()?.status.success())
    }

    fn named(name: &str, users: &str) -> Option<Self> {
        users.lines().find_map(|line| {
            let mut fields = line.split(':');
            if fields.next()? != name {
                return None;
            }
            let (uid, gid) = (id(fields.nth(1)?)?, id(fields.next()?)?);
            Some(Self { uid, gid })
        })
    }
}

/// Some systems write the last user as -2.
fn id(text: &str) -> Option<u32> {
    text.parse().ok().or_else(|| text.parse::<i32>().ok().map(i32::cast_unsigned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_name() {
        let users =
            "# comment\nroot:x:0:0:root:/root:/bin/sh\nnobody:*:-2:-2:::\npostgres:x:101:104::/:/bin/sh\n";
        assert_eq!(Owner::named("postgres", users), Some(Owner { uid: 101, gid: 104 }));
        assert_eq!(Owner::named("nobody", users), Some(Owner { uid: 4_294_967_294, gid: 4_294_967_294 }));
        assert_eq!(Owner::named("post", users), None);
    }
}
