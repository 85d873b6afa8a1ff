//! Any bytes from a proxy that was asked to CONNECT. In whatever pieces they come, they mean the same, and what is behind the
//! header is left to the endpoint.

use coexist::observe::fuzzing::connect_reply;

pub fn body(data: &[u8]) {
    let whole = connect_reply([data]);
    assert_eq!(connect_reply(data.chunks(1)).map(|r| r.ok()), whole.clone().map(|r| r.ok()));
    assert_eq!(connect_reply(data.chunks(7)).map(|r| r.ok()), whole.clone().map(|r| r.ok()));
    if let Some(Ok(left)) = whole {
        let header = &data[..data.len() - left];
        assert!(header.ends_with(b"\n\r\n") || header.ends_with(b"\n\n"), "{header:?}");
    }
}
