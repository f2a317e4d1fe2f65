//! The folder around the database: made durable, refused on network file systems, locked, and with
//! some ballast to throw off when the disk is full.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use crate::JournalError;

/// Turns a failure on `path` into an error that names both.
pub(crate) fn failed(
    what: &'static str,
    path: &Path,
) -> impl FnOnce(std::io::Error) -> JournalError {
    let path = path.to_owned();
    move |source| JournalError::File { what, path, source }
}

/// A folder beside `dir`, or the file system's root where there is none.
fn parent(dir: &Path) -> &Path {
    match dir.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// `dir` with `suffix` behind its name.
pub(crate) fn beside(dir: &Path, suffix: &str) -> PathBuf {
    let mut name = dir.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Makes the folder and syncs the one that holds it.
pub(crate) fn make_dir(dir: &Path) -> Result<(), JournalError> {
    std::fs::create_dir_all(dir).map_err(failed("make", dir))?;
    sync_dir(parent(dir))
}

/// Syncs the names in a folder.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), JournalError> {
    File::open(dir)
        .and_then(|folder| folder.sync_all())
        .map_err(failed("sync", dir))
}

/// Syncs the names beside a folder.
pub(crate) fn sync_parent(dir: &Path) -> Result<(), JournalError> {
    sync_dir(parent(dir))
}

/// The magic numbers of network file systems in statfs(2).
#[cfg(target_os = "linux")]
const NETWORK: &[(u32, &str)] = &[
    (0x6969, "NFS"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB2"),
    (0x517b, "SMB"),
    (0x0102_1997, "9P"),
    (0x00c3_6400, "Ceph"),
    (0x5346_414f, "AFS"),
    (0x7375_7245, "Coda"),
];

/// Refuses file systems that give no shared memory between processes.
#[cfg(target_os = "linux")]
pub(crate) fn refuse_network(dir: &Path) -> Result<(), JournalError> {
    let stat = rustix::fs::statfs(dir).map_err(|error| failed("look at", dir)(error.into()))?;
    match network(i128::from(stat.f_type)) {
        Some(kind) => Err(JournalError::NetworkFileSystem {
            dir: dir.to_owned(),
            kind,
        }),
        None => Ok(()),
    }
}

/// The name of a network file system. The number's sign depends on the machine.
#[cfg(target_os = "linux")]
fn network(magic: i128) -> Option<&'static str> {
    let low = magic & i128::from(u32::MAX);
    NETWORK
        .iter()
        .find(|(number, _)| i128::from(*number) == low)
        .map(|(_, name)| *name)
}

/// Other systems tell file systems by other means; there the person who installs has to know.
#[cfg(not(target_os = "linux"))]
pub(crate) fn refuse_network(_: &Path) -> Result<(), JournalError> {
    Ok(())
}

/// Takes the writer's lock; it goes with the process. It stands beside the folder, because a
/// salvage replaces the folder.
pub(crate) fn lock(dir: &Path) -> Result<File, JournalError> {
    let path = beside(dir, ".lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(failed("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(JournalError::InUse(dir.to_owned())),
        Err(TryLockError::Error(source)) => Err(failed("lock", &path)(source)),
    }
}

/// The mark of a failed disk: the next start salvages.
fn mark(dir: &Path) -> PathBuf {
    dir.join("broken")
}

/// Leaves word for the next start. Where not even this can be written the file system is most
/// likely read-only, and the next start fails on it by itself.
pub(crate) fn mark_broken(dir: &Path, reason: &str) {
    let path = mark(dir);
    let written = std::fs::write(&path, reason).and_then(|()| File::open(&path)?.sync_all());
    if let Err(error) = written {
        tracing::error!(%error, "the journal's mark of a failed disk could not be made durable");
    }
}

/// What the last process said about the disk, if it broke down.
pub(crate) fn is_broken(dir: &Path) -> Option<String> {
    std::fs::read(mark(dir))
        .ok()
        .map(|reason| String::from_utf8_lossy(&reason).into_owned())
}

/// A file whose only use is to be removed when the disk is full.
pub(crate) struct Ballast {
    path: PathBuf,
    bytes: u64,
}

impl Ballast {
    pub(crate) fn new(dir: &Path, bytes: u64) -> Self {
        Self {
            path: dir.join("ballast"),
            bytes,
        }
    }

    /// Throws it off. True where there was any.
    pub(crate) fn drop_it(&self) -> bool {
        std::fs::remove_file(&self.path).is_ok()
    }

    /// Takes it on again while the disk keeps four times as much free. Failing is no trouble.
    pub(crate) fn take_on(&self) {
        if self.bytes == 0 || self.path.exists() {
            return;
        }
        let Ok(disk) = rustix::fs::statvfs(self.path.parent().unwrap_or(Path::new("."))) else {
            return;
        };
        if disk.f_bavail.saturating_mul(disk.f_frsize) < self.bytes.saturating_mul(4) {
            return;
        }
        let reserved = File::create(&self.path).and_then(|file| {
            let flags = rustix::fs::FallocateFlags::empty();
            Ok(rustix::fs::fallocate(&file, flags, 0, self.bytes)?)
        });
        if let Err(error) = reserved {
            tracing::warn!(%error, "no ballast: a full disk may need a person's help");
            self.drop_it();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn network_file_systems_are_known_by_their_number() {
        assert_eq!(network(0x6969), Some("NFS"));
        assert_eq!(
            network(i128::from(0xff53_4d42_u32.cast_signed())),
            Some("CIFS")
        );
        assert_eq!(network(0xef53), None);
        let dir = tempfile::tempdir().unwrap();
        assert!(refuse_network(dir.path()).is_ok());
    }

    #[test]
    fn a_journal_has_one_writer() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("journal");
        let first = lock(&dir).unwrap();
        assert!(matches!(lock(&dir), Err(JournalError::InUse(_))));
        drop(first);
        assert!(lock(&dir).is_ok());
    }

    #[test]
    fn ballast_takes_room_and_gives_it_back() {
        use std::os::unix::fs::MetadataExt as _;
        let dir = tempfile::tempdir().unwrap();
        let ballast = Ballast::new(dir.path(), 1 << 20);
        ballast.take_on();
        let file = std::fs::metadata(dir.path().join("ballast")).unwrap();
        assert!(file.blocks() * 512 >= 1 << 20);
        assert!(ballast.drop_it());
        assert!(!ballast.drop_it());
        Ballast::new(dir.path(), 0).take_on();
        assert!(!dir.path().join("ballast").exists());
    }
}
