//! Files that the plan refers to.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::{ReadFile, Secret};
use crate::model::certificate::BlobId;
use crate::model::observation::FileOutcome;
use crate::pki::{self, Lock, Unread};

/// Bytes of a file; a bundle of all public anchors has a quarter of it.
const LIMIT: u64 = 1024 * 1024;

/// Reads a regular file of at most 1 MiB.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    read_bounded(path, LIMIT)
}

/// Reads a regular file of at most `limit` bytes.
pub fn read_bounded(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_bounded(path, limit)?.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    match u64::try_from(bytes.len()) {
        Ok(length) if length <= limit => Ok(bytes),
        // It grew meanwhile.
        _ => Err(too_large(limit)),
    }
}

/// Opens a regular file of at most `limit` bytes.
pub fn open_bounded(path: &Path, limit: u64) -> io::Result<File> {
    let file = open(path)?;
    match file.metadata()?.len() <= limit {
        true => Ok(file),
        false => Err(too_large(limit)),
    }
}

fn too_large(limit: u64) -> io::Error {
    io::Error::new(ErrorKind::FileTooLarge, format!("it is larger than {} MiB, too large", limit >> 20))
}

/// Says whether a file can be opened and is a regular file.
pub fn check(path: &Path) -> io::Result<()> {
    open(path).map(drop)
}

/// Whatever is not a regular file (a folder, a pipe, a device) is refused unopened: opening a pipe waits for its writer.
fn open(path: &Path) -> io::Result<File> {
    let found = std::fs::metadata(path)?;
    if found.is_dir() {
        return Err(io::Error::new(ErrorKind::IsADirectory, "it is a folder, not a file"));
    }
    if !found.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is not a regular file"));
    }
    File::open(path)
}

/// Certificates by their names in a recording.
type Blobs = Vec<(BlobId, Arc<[u8]>)>;

/// The password of a PFX file, as the plan says where it is to be had.
#[derive(Clone, Debug)]
pub struct FilePassword {
    /// The name of the environment variable.
    pub variable: String,
    /// What it holds, or what is wrong with it: `is not set`.
    pub value: Result<Secret, &'static str>,
}

/// The passwords of files, by the paths as the plan writes them.
pub type Passwords = BTreeMap<String, Vec<FilePassword>>;

/// Looks into a file of certificates: what became of it, and the certificates.
pub(super) fn look(path: &str, read_file: ReadFile, passwords: &Passwords) -> (FileOutcome, Blobs) {
    // It may hold a key that nothing locks.
    let bytes = match read_file(path) {
        Ok(bytes) => Zeroizing::new(bytes),
        Err(e) => return (FileOutcome::Unreadable(e.to_string()), Vec::new()),
    };
    let known = passwords.get(path).map(Vec::as_slice).unwrap_or_default();
    let texts: Vec<&str> = known.iter().filter_map(|p| p.value.as_ref().ok()).map(Secret::text).collect();
    let content = match pki::read_file_with(&bytes, &texts) {
        Ok(content) if !content.certificates.is_empty() => content,
        Ok(content) => return (FileOutcome::NoCertificate(content.notes.join("; ")), Vec::new()),
        Err(Unread::Nothing(what)) => return (FileOutcome::NoCertificate(what), Vec::new()),
        Err(Unread::Locked(pfx, lock)) => return (FileOutcome::Locked { pfx, why: why(&lock, known) }, Vec::new()),
    };
    let blobs: Blobs = content.certificates.into_iter().map(|der| (pki::blob_id(&der), der.into())).collect();
    let chain = blobs.iter().map(|(id, _)| *id).collect();
    (FileOutcome::Certificates { chain, notes: content.notes, pfx: content.pfx }, blobs)
}

/// Why a PFX file was not opened, in the words of whoever has to see to it.
fn why(lock: &Lock, known: &[FilePassword]) -> String {
    let variables = || known.iter().map(|p| p.variable.as_str()).collect::<Vec<_>>().join(", ");
    match (lock, known) {
        (Lock::NoPassword, []) => {
            format!("{lock}: set `password-env` of the certificate to the variable that holds it")
        }
        (Lock::NoPassword, _) => {
            let faults =
                known.iter().filter_map(|p| Some(format!("the variable {} {}", p.variable, p.value.as_ref().err()?)));
            format!("{lock}, and {}", faults.collect::<Vec<_>>().join(", "))
        }
        (Lock::WrongPassword, _) => {
            format!("the password in {} does not open it: it is wrong, or the file is damaged", variables())
        }
        _ => lock.to_string(),
    }
}

/// The files of a folder of the repository, sorted.
#[cfg(test)]
pub(super) fn folder(path: &str) -> Vec<std::path::PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_regular_file_of_bounded_size_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.pem");
        std::fs::write(&file, b"x").unwrap();
        assert_eq!(read(&file).unwrap(), b"x");
        assert_eq!(read(folder.path()).unwrap_err().kind(), ErrorKind::IsADirectory);
        assert_eq!(read(&folder.path().join("b.pem")).unwrap_err().kind(), ErrorKind::NotFound);
        std::fs::write(&file, vec![0; 1024 * 1024]).unwrap();
        assert_eq!(read(&file).unwrap().len(), 1024 * 1024);
        std::fs::write(&file, vec![0; 1024 * 1024 + 1]).unwrap();
        assert_eq!(read(&file).unwrap_err().kind(), ErrorKind::FileTooLarge);
    }

    #[cfg(unix)]
    #[test]
    fn a_socket_or_a_device_is_refused_without_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert_eq!(read(&socket).unwrap_err().kind(), ErrorKind::InvalidInput);
        assert_eq!(read(Path::new("/dev/zero")).unwrap_err().kind(), ErrorKind::InvalidInput);
    }

    #[test]
    fn why_a_pfx_was_not_opened_says_what_to_do() {
        const PFX: &[u8] = include_bytes!("../pki/pfx/fixtures/aes.pfx");
        let seen = |known: &[(&str, Result<&str, &'static str>)]| {
            let password = |(variable, value): &(&str, Result<&str, &'static str>)| FilePassword {
                variable: (*variable).to_string(),
                value: value.map(|text| Secret::new(text.into())),
            };
            let passwords = Passwords::from([("a.pfx".to_string(), known.iter().map(password).collect())]);
            match look("a.pfx", &|_| Ok(PFX.to_vec()), &passwords).0 {
                FileOutcome::Locked { pfx, why } => format!("{pfx}: {why}"),
                FileOutcome::Certificates { chain, notes, pfx } => {
                    format!("{} {} {}", chain.len(), notes.len(), pfx.is_some())
                }
                other => format!("{other:?}"),
            }
        };
        let protection = "AES-256 with PBES2 and SHA-256; MAC SHA-256";
        for (known, want) in [
            (&[][..], "a password locks it: set `password-env` of the certificate to the variable that holds it"),
            (&[("A", Err("is not set"))], "a password locks it, and the variable A is not set"),
            (&[("A", Ok("x"))], "the password in A does not open it: it is wrong, or the file is damaged"),
        ] {
            assert_eq!(seen(known), format!("{protection}: {want}"));
        }
        assert_eq!(seen(&[("A", Ok("x")), ("B", Ok("secret"))]), "2 0 true");
    }

    #[test]
    fn a_file_is_seen_as_what_it_holds() {
        let key = rcgen::KeyPair::generate().unwrap();
        let made = rcgen::CertificateParams::new(vec!["a.example".to_string()]).unwrap().self_signed(&key).unwrap();
        let pem = made.pem().into_bytes();
        let (outcome, blobs) = look("a.pem", &|_| Ok(pem.clone()), &Passwords::new());
        let FileOutcome::Certificates { chain, .. } = outcome else { panic!("{outcome:?}") };
        assert_eq!((chain[0], &*blobs[0].1), (blobs[0].0, &**made.der()));
        let (outcome, _) = look("a.pem", &|_| Ok(b"nothing".to_vec()), &Passwords::new());
        assert!(matches!(outcome, FileOutcome::NoCertificate(_)));
        let (outcome, _) = look("a.pem", &|_| Err(ErrorKind::NotFound.into()), &Passwords::new());
        assert!(matches!(outcome, FileOutcome::Unreadable(_)));
    }
}
