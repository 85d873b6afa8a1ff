//! Any bytes from an old server that was sent a hello: the first chooses the version and face on offer. Byte by byte they
//! come to the same as at once.

use coexist::observe::fuzzing::clear_hello;

pub fn body(data: &[u8]) {
    let Some((first, said)) = data.split_first() else { return };
    let at_once = clear_hello(*first, [said]);
    let in_bytes = clear_hello(*first, said.chunks(1));
    match (at_once, in_bytes) {
        (Ok(one), Ok(other)) => {
            assert_eq!(one, other, "{said:?}");
            assert!((1..=100).contains(&one.chain.len()) && one.chain.iter().all(|der| !der.is_empty()));
            assert!(!one.version.is_empty() && !one.suite.is_empty());
        }
        (one, other) => assert!(one.is_err() && other.is_err(), "{said:?}: {one:?}, {other:?}"),
    }
}
