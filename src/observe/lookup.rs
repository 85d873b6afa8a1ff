//! The addresses of a host, as this machine's own programs find them: hosts file, search lists and all. Only `inspect`, which
//! has no plan and so no declared resolvers, asks this way.

use std::net::IpAddr;
use std::time::Duration;

use tokio::time::timeout;

/// Addresses of one host that are taken; more are no server farm.
const ADDRESSES: usize = 64;

/// The addresses of a host, each once, in the system's order; never empty.
///
/// # Errors
/// There is none, or no answer in time: the system's words.
pub async fn lookup(host: &str, limit: Duration) -> Result<Vec<IpAddr>, String> {
    let found = match timeout(limit, tokio::net::lookup_host((host, 0))).await {
        Ok(Ok(found)) => found,
        Ok(Err(e)) => return Err(format!("{host} has no address here: {e}")),
        Err(_) => return Err(format!("no answer in time to the question for the addresses of {host}")),
    };
    let mut addresses: Vec<IpAddr> = Vec::new();
    for address in found.map(|a| a.ip()) {
        if !addresses.contains(&address) && addresses.len() < ADDRESSES {
            addresses.push(address);
        }
    }
    if addresses.is_empty() {
        return Err(format!("{host} has no address here"));
    }
    Ok(addresses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn this_machine_is_found() {
        let found = lookup("localhost", Duration::from_secs(10)).await.unwrap();
        assert!(found.iter().all(IpAddr::is_loopback), "{found:?}");
    }
}
