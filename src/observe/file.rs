//! Files that the plan refers to.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;

use super::ReadFile;
use crate::model::certificate::BlobId;
use crate::model::observation::FileOutcome;
use crate::pki;

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

/// Looks into a file of certificates: what became of it, and the certificates.
pub(super) fn look(path: &str, read_file: ReadFile) -> (FileOutcome, Blobs) {
    let bytes = match read_file(path) {
        Ok(bytes) => bytes,
        Err(e) => return (FileOutcome::Unreadable(e.to_string()), Vec::new()),
    };
    let content = match pki::read_file(&bytes) {
        Ok(content) if !content.certificates.is_empty() => content,
        Ok(content) => return (FileOutcome::NoCertificate(content.notes.join("; ")), Vec::new()),
        Err(what) => return (FileOutcome::NoCertificate(what), Vec::new()),
    };
    let blobs: Blobs = content.certificates.into_iter().map(|der| (pki::blob_id(&der), der.into())).collect();
    let chain = blobs.iter().map(|(id, _)| *id).collect();
    (FileOutcome::Certificates { chain, notes: content.notes }, blobs)
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
    fn a_file_is_seen_as_what_it_holds() {
        let key = rcgen::KeyPair::generate().unwrap();
        let made = rcgen::CertificateParams::new(vec!["a.example".to_string()]).unwrap().self_signed(&key).unwrap();
        let pem = made.pem().into_bytes();
        let (outcome, blobs) = look("a.pem", &|_| Ok(pem.clone()));
        let FileOutcome::Certificates { chain, .. } = outcome else { panic!("{outcome:?}") };
        assert_eq!((chain[0], &*blobs[0].1), (blobs[0].0, &**made.der()));
        let (outcome, _) = look("a.pem", &|_| Ok(b"nothing".to_vec()));
        assert!(matches!(outcome, FileOutcome::NoCertificate(_)));
        let (outcome, _) = look("a.pem", &|_| Err(ErrorKind::NotFound.into()));
        assert!(matches!(outcome, FileOutcome::Unreadable(_)));
    }
}
