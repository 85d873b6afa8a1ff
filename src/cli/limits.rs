//! How much this process may have open at once.

/// Kept for files, the runtime and the terminal.
const KEPT: usize = 40;
/// Sockets that a resolver may have of its own, whatever number of questions is in flight.
const OF_A_RESOLVER: usize = 8;

/// How many queries and connections may be in flight: as many as asked for, if that many sockets may be open. Where the
/// system lets a process raise its limit, it is raised first.
pub fn in_flight(asked: usize, resolvers: usize) -> usize {
    let of_resolvers = resolvers.saturating_mul(OF_A_RESOLVER);
    match open_files(KEPT.saturating_add(of_resolvers).saturating_add(asked)) {
        Some(limit) => fitting(asked, of_resolvers, limit),
        None => asked,
    }
}

/// Resolvers open their sockets one by one, and wait where they may not: they take no more than half.
fn fitting(asked: usize, of_resolvers: usize, limit: usize) -> usize {
    let room = limit.saturating_sub(KEPT);
    asked.min(room - of_resolvers.min(room / 2)).max(1)
}

/// How many files this process may have open, after raising the limit towards `wanted`; `None` without a limit.
#[cfg(unix)]
fn open_files(wanted: usize) -> Option<usize> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let now = limit.current?;
    let most = limit.maximum.unwrap_or(u64::MAX).min(u64::try_from(wanted).unwrap_or(u64::MAX));
    let raised = most > now && setrlimit(Resource::Nofile, Rlimit { current: Some(most), ..limit }).is_ok();
    usize::try_from(if raised { most } else { now }).ok()
}

/// Windows bounds sockets by memory alone.
#[cfg(not(unix))]
fn open_files(_wanted: usize) -> Option<usize> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_flight_fits_into_what_may_be_open() {
        for (asked, of_resolvers, limit, want) in [
            (256, 16, 1024, 256),
            (256, 16, 256, 200),
            (256, 8_000, 256, 108),
            (1, 0, 256, 1),
            (256, 16, 40, 1),
            (256, 16, 0, 1),
            (256, usize::MAX, usize::MAX, 256),
        ] {
            assert_eq!(fitting(asked, of_resolvers, limit), want, "{asked} {of_resolvers} {limit}");
        }
    }

    #[test]
    fn one_is_always_in_flight() {
        assert_eq!(in_flight(1, 1), 1);
    }
}
