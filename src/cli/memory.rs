//! How this process takes its memory from the system.

/// Lists longer than this come from the system and go back to it, in bytes.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const LONG: i32 = 128 << 10;

/// Tells glibc what a run is like: long lists that live for one stage and are gone, and threads that rarely allocate at
/// once. Left to itself, it keeps what such a list left behind, and a heap for each thread; a run over 10,000 names is
/// then larger by a tenth.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "nothing safe asks the allocator for this")]
pub fn be_frugal() {
    // SAFETY: mallopt takes two numbers and no memory; it is called before any other thread runs.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LONG);
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}

/// Other allocators are left as they are.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn be_frugal() {}
