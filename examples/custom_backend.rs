//! A backend of your own: a directory of files, which every process on the machine can share.
//!
//! It is written against `cacheado-backends` alone, and has all that the framework has: scopes, tags, fences
//! against late results, single flight. `tests/custom_backend.rs` runs the conformance suite over it.
//!
//! ```console
//! cargo run --example custom_backend
//! ```

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cacheado_backends::{Backend, BackendStats, Entry, Error, ErrorKind, Result};

/// A directory with one file an entry: eight bytes that say when it expires, and the value.
///
/// A file is written beside the others and then renamed, so that a reader sees the old entry or the new one,
/// whole. Deadlines are readings of the machine's clock: the directory is for the processes of one machine.
/// Files whose time is over are not returned, and stay until they are overwritten, removed or cleared; what a
/// process has not finished writing when it died stays, too.
///
/// Files are read and written on the thread that asks. A backend whose disk is slow would do so on another.
#[derive(Clone)]
pub struct Directory {
    root: Arc<Path>,
}

impl Directory {
    /// What files are called: only those that end so are this backend's own.
    const SUFFIX: &str = "entry";
    /// How much of a name one part of a path has room for.
    const PART: usize = 200;
    /// Deadlines are milliseconds since 1970; this is none.
    const NEVER: u64 = u64::MAX;

    /// Entries in this directory, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// If the directory can neither be made nor be read.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self> {
        let root: PathBuf = root.into();
        fs::create_dir_all(&root).map_err(|error| failed("open", error))?;
        Ok(Self { root: root.into() })
    }

    /// The file of a key. Names are hexadecimal, as file systems differ in what else they take for a name, and
    /// in whether `A` and `a` are the same. A long one is cut into the directories that lead to its file.
    fn file(&self, key: &str) -> PathBuf {
        let digits = key.bytes().flat_map(|byte| [byte >> 4, byte & 15]);
        let name: String = digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect();
        let mut path = self.root.to_path_buf();
        let mut rest = name.as_str();
        while rest.len() > Self::PART {
            let (part, behind) = rest.split_at(Self::PART);
            path.push(part);
            rest = behind;
        }
        path.push(format!("{rest}.{}", Self::SUFFIX));
        path
    }

    /// The key of a file; `None` for one that is not this backend's own.
    fn key(&self, file: &Path) -> Option<String> {
        let name = file.strip_prefix(&self.root).ok()?.to_str()?;
        let digits: Vec<u8> = name.strip_suffix(Self::SUFFIX)?.strip_suffix('.')?.bytes().collect();
        let digits: Vec<u8> = digits.into_iter().filter(|byte| *byte != b'/' && *byte != b'\\').collect();
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        String::from_utf8(digits.chunks(2).map(byte).collect::<Option<_>>()?).ok()
    }

    /// The entry in a file, without its value unless it is `wanted`.
    fn read(file: &Path, wanted: bool) -> io::Result<Option<Entry>> {
        let opened = File::open(file);
        if matches!(&opened, Err(error) if error.kind() == io::ErrorKind::NotFound) {
            return Ok(None);
        }
        let (mut opened, mut deadline, mut value) = (opened?, [0; 8], Vec::new());
        opened.read_exact(&mut deadline)?;
        let remaining = match u64::from_le_bytes(deadline) {
            Self::NEVER => None,
            deadline => match deadline.checked_sub(now()) {
                None | Some(0) => return Ok(None),
                Some(left) => Some(Duration::from_millis(left)),
            },
        };
        if wanted {
            opened.read_to_end(&mut value)?;
        }
        Ok(Some(Entry { value, remaining }))
    }

    /// Writes a file beside the others, and puts it in its place at once.
    fn write(&self, file: &Path, deadline: u64, value: &[u8]) -> io::Result<()> {
        static WRITES: AtomicU64 = AtomicU64::new(0);
        let number = WRITES.fetch_add(1, Ordering::Relaxed);
        let beside = self.root.join(format!("{}-{number}.new", std::process::id()));
        let mut written = File::create(&beside)?;
        written.write_all(&deadline.to_le_bytes()).and_then(|()| written.write_all(value))?;
        file.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::rename(&beside, file)
    }

    /// All files of this backend's own, with their keys.
    fn files(&self) -> io::Result<Vec<(PathBuf, String)>> {
        let mut found = Vec::new();
        let mut directories = VecDeque::from([self.root.to_path_buf()]);
        while let Some(directory) = directories.pop_front() {
            for item in fs::read_dir(directory)? {
                let item = item?;
                if item.file_type()?.is_dir() {
                    directories.push_back(item.path());
                } else if let Some(key) = self.key(&item.path()) {
                    found.push((item.path(), key));
                }
            }
        }
        Ok(found)
    }

    /// Removes a file; whether there was a live entry, and it was this call that removed it.
    fn delete(file: &Path) -> io::Result<bool> {
        let was_alive = Self::read(file, false)?.is_some();
        match fs::remove_file(file) {
            Ok(()) => Ok(was_alive),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn live_keys(&self) -> io::Result<Vec<String>> {
        let mut keys = Vec::new();
        for (file, key) in self.files()? {
            if Self::read(&file, false)?.is_some() {
                keys.push(key);
            }
        }
        Ok(keys)
    }
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Whole milliseconds since 1970.
fn now() -> u64 {
    u64::try_from(since_1970().as_millis()).unwrap_or(u64::MAX)
}

/// The text of an I/O error names neither a key nor a value.
fn failed(operation: &'static str, error: io::Error) -> Error {
    let kind = match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::StorageFull => {
            ErrorKind::Refused
        }
        io::ErrorKind::UnexpectedEof => ErrorKind::Malformed,
        _ => ErrorKind::Other,
    };
    Error::new(kind, operation, error)
}

impl Backend for Directory {
    fn name(&self) -> &'static str {
        "directory"
    }

    async fn get(&self, key: &str) -> Result<Option<Entry>> {
        Self::read(&self.file(key), true).map_err(|error| failed("get", error))
    }

    async fn get_many(&self, keys: &[&str]) -> Result<Vec<Option<Entry>>> {
        let read = keys.iter().map(|key| Self::read(&self.file(key), true));
        read.collect::<io::Result<_>>().map_err(|error| failed("get_many", error))
    }

    async fn put(&self, key: &str, value: &[u8], ttl: Option<Duration>) -> Result<()> {
        // Rounded up to whole milliseconds, and for ever where the sum is beyond the end of time.
        let end = ttl.and_then(|ttl| since_1970().checked_add(ttl));
        let millis = |end: Duration| u64::try_from(end.as_nanos().div_ceil(1_000_000)).ok();
        let deadline = end.and_then(millis).unwrap_or(Self::NEVER);
        self.write(&self.file(key), deadline, value).map_err(|error| failed("put", error))
    }

    async fn remove(&self, key: &str) -> Result<bool> {
        Self::delete(&self.file(key)).map_err(|error| failed("remove", error))
    }

    async fn keys(&self, prefix: &str) -> Result<Vec<String>> {
        let mut keys = self.live_keys().map_err(|error| failed("keys", error))?;
        keys.retain(|key| key.starts_with(prefix));
        Ok(keys)
    }

    async fn clear(&self) -> Result<u64> {
        let files = self.files().map_err(|error| failed("clear", error))?;
        let mut removed = 0;
        for (file, _) in files {
            removed += u64::from(Self::delete(&file).map_err(|error| failed("clear", error))?);
        }
        Ok(removed)
    }

    async fn stats(&self) -> Result<BackendStats> {
        let keys = self.live_keys().map_err(|error| failed("stats", error))?;
        Ok(BackendStats::new(keys.len() as u64))
    }
}

mod shop {
    //! What uses it: nothing here knows where values are kept.

    use std::sync::atomic::{AtomicU64, Ordering};

    use cacheado::prelude::*;

    cacheado::scopes! {
        pub mod scopes {
            tenant(tenant_id)
        }
    }

    pub static COMPUTED: AtomicU64 = AtomicU64::new(0);

    #[cached(ttl = "1h", scope = "tenant", tags("catalogue"), name = "shop.price")]
    pub fn price(tenant_id: &str, article: u32) -> String {
        COMPUTED.fetch_add(1, Ordering::Relaxed);
        format!("article {article} costs {}.99 at {tenant_id}", article % 90 + 9)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    use cacheado::{Cache, with_cache};
    use shop::{COMPUTED, price, scopes};

    let root = std::env::temp_dir().join(format!("cacheado-custom-backend-{}", std::process::id()));
    let computed = || COMPUTED.swap(0, Ordering::Relaxed);

    println!("A process fills the directory");
    let first = Cache::builder().backend(Directory::open(&root)?).build()?;
    with_cache(&first, || {
        for tenant in ["acme", "globex"] {
            for article in [1, 2, 3, 1] {
                price(tenant, article);
            }
        }
    });
    println!("   8 calls, {} bodies ran", computed());
    println!("   {}", first.stats());

    // Another cache over the same files, as another process has one.
    let second = Cache::builder().backend(Directory::open(&root)?).build()?;
    with_cache(&second, || println!("   {}", price("acme", 3)));
    assert_eq!(computed(), 0);
    println!("   The second process computed nothing.");

    println!("\nScopes and tags are evicted for all of them, with an exact count");
    let evicted = second.evict_by_scope(&scopes::tenant("acme"))?;
    println!("   {evicted} entries of acme have left");
    with_cache(&first, || price("acme", 1));
    assert_eq!((evicted, computed()), (3, 1));
    let evicted = first.evict_by_tag("catalogue")?;
    println!("   {evicted} entries of the catalogue have left");
    assert_eq!(evicted, 4);

    fs::remove_dir_all(&root)?;
    Ok(())
}
